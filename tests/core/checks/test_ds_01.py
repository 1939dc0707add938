"""DS-01: the switch itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from portero.core.checks.ds_01 import CHECK
from portero.core.evidence import Origin
from portero.core.finding import Finding, Outcome, Severity, find
from portero.core.sender import Judgement

Build = Callable[..., Any]
NONE = {("_dmarc.contoso.com", "TXT"): ["v=DMARC1; p=none; sp=reject"]}
REJECT = {("_dmarc.contoso.com", "TXT"): ["v=DMARC1; p=reject"]}


def judged(posture: Build, *objects: dict[str, object], **fields: Any) -> Finding:
    return find(CHECK, posture({"Get-OrganizationConfig": objects}, **fields))


def test_true_passes(posture: Build) -> None:
    assert judged(posture, {"Name": "contoso", "RejectDirectSend": True}).outcome is Outcome.PASS


def test_false_fails_and_points_at_the_exported_object(posture: Build) -> None:
    found = judged(posture, {"Name": "contoso", "RejectDirectSend": False})

    assert found.outcome is Outcome.FAIL
    assert found.origins == (Origin("Get-OrganizationConfig.json", 1),)
    assert "RejectDirectSend $true" in str(found.fix)
    assert "RejectDirectSend $false" in str(found.undo)


def test_null_fails_as_never_set_which_is_said(posture: Build) -> None:
    found = judged(posture, {"Name": "contoso", "RejectDirectSend": None})

    assert found.outcome is Outcome.FAIL
    assert "null" in str(found.because)


def test_absent_is_unknown_and_not_false(posture: Build) -> None:
    assert judged(posture, {"Name": "contoso"}).outcome is Outcome.UNKNOWN


def test_an_empty_answer_is_unknown(posture: Build) -> None:
    assert judged(posture).outcome is Outcome.UNKNOWN


def test_what_was_never_exported_is_unknown(posture: Build) -> None:
    assert find(CHECK, posture({})).outcome is Outcome.UNKNOWN


@pytest.mark.parametrize(
    ("records", "severity"),
    [
        (REJECT, Severity.MEDIUM),
        (NONE, Severity.HIGH),
        ({("_dmarc.contoso.com", "TXT"): ["v=DMARC1; p=reject", "v=DMARC1; p=reject"]}, Severity.HIGH),
        ({("_dmarc.contoso.com", "TXT"): ["v=DMARC1; p=reject; t=y"]}, Severity.HIGH),
        ({}, Severity.HIGH),
    ],
)
def test_it_is_grave_unless_dmarc_is_surely_enforced(
    posture: Build, records: dict[tuple[str, str], list[str]], severity: Severity
) -> None:
    assert judged(posture, {"RejectDirectSend": False}, dns=records).severity is severity


def test_it_is_grave_while_somebody_abuses_the_door(posture: Build, sender: Build) -> None:
    abuse = sender(judgement=Judgement.ABUSE)

    assert (
        judged(posture, {"RejectDirectSend": False}, dns=REJECT, senders=(abuse,)).severity is Severity.HIGH
    )


def test_an_accepted_sub_domain_inherits_sp(posture: Build) -> None:
    records = {
        ("_dmarc.contoso.com", "TXT"): ["v=DMARC1; p=reject; sp=none"],
        ("_dmarc.mail.contoso.com", "TXT"): [],
    }
    found = judged(
        posture, {"RejectDirectSend": False}, dns=records, domains=("contoso.com", "mail.contoso.com")
    )

    assert found.severity is Severity.HIGH
