"""DNS-04: how much SPF lets in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from portero.core.checks.dns_04 import CHECK
from portero.core.dns import DnsStatus
from portero.core.finding import Finding, Outcome, find

Build = Callable[..., Any]
PASS, WARN, FAIL = Outcome.PASS, Outcome.WARN, Outcome.FAIL
UNKNOWN, NOT_APPLICABLE = Outcome.UNKNOWN, Outcome.NOT_APPLICABLE


def judged(posture: Build, dns: dict[tuple[str, str], Any], **fields: Any) -> Finding:
    return find(CHECK, posture({}, dns={("com", "MX"): [], ("_dmarc.com", "TXT"): [], **dns}, **fields))


@pytest.mark.parametrize(
    ("record", "outcome"),
    [
        ("v=spf1 ip4:203.0.113.10 -all", PASS),
        ("v=spf1 ip4:8.0.0.0/8 -all", FAIL),
        ("v=spf1 ptr -all", FAIL),
        ("v=spf1 +all", FAIL),
        ("v=spf1 exists:%{i}.ok.contoso.com -all", WARN),
        ("v=spf1 include:nobody.example -all", UNKNOWN),
        ("no record", NOT_APPLICABLE),
    ],
)
def test_each_record_has_its_outcome(posture: Build, record: str, outcome: Outcome) -> None:
    assert judged(posture, {("contoso.com", "TXT"): [record]}).outcome is outcome


def test_a_known_platforms_ranges_do_not_count(posture: Build) -> None:
    dns = {
        ("contoso.com", "TXT"): ["v=spf1 include:spf.protection.outlook.com -all"],
        ("spf.protection.outlook.com", "TXT"): ["v=spf1 ip4:40.0.0.0/8 -all"],
    }
    anybody = {
        ("contoso.com", "TXT"): ["v=spf1 include:wide.example -all"],
        ("wide.example", "TXT"): ["v=spf1 ip4:40.0.0.0/8 -all"],
    }

    assert judged(posture, dns).outcome is PASS
    assert judged(posture, anybody).outcome is FAIL


def test_silence_is_unknown_and_no_domain_does_not_apply(posture: Build) -> None:
    assert judged(posture, {}).outcome is UNKNOWN
    assert judged(posture, {("contoso.com", "TXT"): DnsStatus.SERVFAIL}).outcome is UNKNOWN
    assert judged(posture, {}, domains=("x.onmicrosoft.com",)).outcome is NOT_APPLICABLE


def test_the_record_offered_lacks_what_lets_everybody_in(posture: Build) -> None:
    found = judged(posture, {("contoso.com", "TXT"): ["v=spf1 ip4:203.0.113.10 ptr -all"]})

    assert '"v=spf1 ip4:203.0.113.10 -all"' in str(found.fix)
    assert '"v=spf1 ip4:203.0.113.10 ptr -all"' in str(found.undo)
