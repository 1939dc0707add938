"""DNS-10: DMARC reports."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from portero.core.checks.dns_10 import CHECK
from portero.core.dns import DnsStatus
from portero.core.finding import Finding, Outcome, find
from portero.core.flow import OutsideFlow

Build = Callable[..., Any]
PASS, WARN, FAIL = Outcome.PASS, Outcome.WARN, Outcome.FAIL
UNKNOWN, NOT_APPLICABLE = Outcome.UNKNOWN, Outcome.NOT_APPLICABLE


def judged(posture: Build, dns: dict[tuple[str, str], Any], **fields: Any) -> Finding:
    return find(CHECK, posture({}, dns={("com", "MX"): [], ("_dmarc.com", "TXT"): [], **dns}, **fields))


TO_US = {("_dmarc.contoso.com", "TXT"): ["v=DMARC1; p=none; rua=mailto:dmarc@contoso.com"]}
TO_OTHERS = {("_dmarc.contoso.com", "TXT"): ["v=DMARC1; p=none; rua=mailto:x@reports.example"]}


def row(day: int) -> OutsideFlow:
    when = datetime(2026, 11, day, tzinfo=UTC)
    return OutsideFlow(
        "203.0.113.10", "contoso.com", None, "r.example", False, 3, 3, 3, None, None, when, when
    )


def test_a_fresh_report_passes_and_an_old_one_warns(posture: Build) -> None:
    assert judged(posture, TO_US, outside=(row(22),)).outcome is PASS
    assert judged(posture, TO_US, outside=(row(1),)).outcome is WARN


def test_no_report_among_the_evidence_is_unknown(posture: Build) -> None:
    assert judged(posture, TO_US).outcome is UNKNOWN


def test_a_record_without_an_address_fails_and_gets_one(posture: Build) -> None:
    found = judged(posture, {("_dmarc.contoso.com", "TXT"): ["v=DMARC1; p=reject"]})

    assert found.outcome is FAIL
    assert "v=DMARC1; p=reject; rua=mailto:dmarc@contoso.com" in str(found.fix)


@pytest.mark.parametrize(
    ("answer", "outcome"), [([], FAIL), (["v=DMARC1"], UNKNOWN), (DnsStatus.SERVFAIL, UNKNOWN)]
)
def test_a_target_elsewhere_must_agree(posture: Build, answer: Any, outcome: Outcome) -> None:
    dns = {**TO_OTHERS, ("contoso.com._report._dmarc.reports.example", "TXT"): answer}

    assert judged(posture, dns).outcome is outcome


def test_no_record_does_not_apply_and_silence_is_unknown(posture: Build) -> None:
    assert judged(posture, {("_dmarc.contoso.com", "TXT"): []}).outcome is NOT_APPLICABLE
    assert judged(posture, {}).outcome is UNKNOWN
