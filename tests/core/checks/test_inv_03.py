"""INV-03: what each domain is for."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from portero.core.checks.inv_03 import CHECK
from portero.core.evidence import Coverage
from portero.core.finding import Finding, Outcome, find
from portero.core.sender import Kind

Build = Callable[..., Any]
PASS, WARN, FAIL = Outcome.PASS, Outcome.WARN, Outcome.FAIL
UNKNOWN, NOT_APPLICABLE = Outcome.UNKNOWN, Outcome.NOT_APPLICABLE

DOMAIN: dict[str, object] = {
    "DomainName": "contoso.com", "DomainType": "Authoritative", "SendingFromDomainDisabled": False
}  # fmt: skip
LONG = (
    Coverage(
        "trace.csv",
        "message-trace-extended",
        9,
        datetime(2026, 8, 1, tzinfo=UTC),
        datetime(2026, 11, 24, tzinfo=UTC),
    ),
)


def judged(posture: Build, changed: dict[str, object], senders: Any, coverage: Any = LONG) -> Finding:
    objects = {"Get-AcceptedDomain": [{**DOMAIN, **changed}]}
    return find(CHECK, posture(objects, senders=senders, coverage=coverage, mail_seen=True))


def people(sender: Build) -> Any:
    return sender(
        kind=Kind.MAILBOX, header_from_domains=("other.example",), mail_from_domains=("other.example",)
    )


@pytest.mark.parametrize(
    ("changed", "seen", "outcome"),
    [
        ({}, True, PASS),
        ({}, False, FAIL),
        ({"SendingFromDomainDisabled": True}, False, PASS),
        ({"SendingFromDomainDisabled": True}, True, FAIL),
        ({"SendingFromDomainDisabled": None}, True, PASS),
        ({"PendingRemoval": True}, False, PASS),
        ({"InitialDomain": True}, False, NOT_APPLICABLE),
        ({"DomainName": "contoso.onmicrosoft.com"}, False, NOT_APPLICABLE),
    ],
)
def test_each_domain_has_its_outcome(
    posture: Build, sender: Build, changed: dict[str, object], seen: bool, outcome: Outcome
) -> None:
    senders = (people(sender), sender()) if seen else (people(sender),)

    assert judged(posture, changed, senders).outcome is outcome


def test_too_little_evidence_is_unknown(posture: Build, sender: Build, month: Any) -> None:
    assert judged(posture, {}, (people(sender),), month).outcome is UNKNOWN
    assert judged(posture, {}, ()).outcome is UNKNOWN
    bare = posture(
        {"Get-AcceptedDomain": [{"DomainName": "contoso.com"}]}, senders=(sender(),), coverage=LONG
    )
    assert find(CHECK, bare).outcome is UNKNOWN


def test_a_domain_that_never_sends_can_be_shut_and_opened_again(posture: Build, sender: Build) -> None:
    found = judged(posture, {}, (people(sender),))

    assert "Set-AcceptedDomain -Identity 'contoso.com' -SendingFromDomainDisabled $true" in str(found.fix)
    assert "-SendingFromDomainDisabled $false" in str(found.undo)
