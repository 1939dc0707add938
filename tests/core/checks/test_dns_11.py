"""DNS-11: domains that do not send."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from portero.core.checks.dns_11 import CHECK
from portero.core.dns import DnsStatus
from portero.core.finding import Finding, Outcome, find

Build = Callable[..., Any]
PASS, WARN, FAIL = Outcome.PASS, Outcome.WARN, Outcome.FAIL
UNKNOWN, NOT_APPLICABLE = Outcome.UNKNOWN, Outcome.NOT_APPLICABLE

SHUT = {
    ("contoso.com", "TXT"): ["v=spf1 -all"],
    ("_dmarc.contoso.com", "TXT"): ["v=DMARC1; p=reject"],
    ("contoso.com", "MX"): ["0 ."],
    ("_dmarc.com", "TXT"): [],
}


def judged(posture: Build, changed: dict[tuple[str, str], Any], closed: object = False) -> Finding:
    domain = {"DomainName": "contoso.com", "DomainType": "Authoritative", "SendingFromDomainDisabled": closed}
    return find(CHECK, posture({"Get-AcceptedDomain": [domain]}, dns={**SHUT, **changed}))


@pytest.mark.parametrize(
    ("changed", "outcome"),
    [
        ({}, PASS),
        ({("contoso.com", "TXT"): []}, FAIL),
        ({("_dmarc.contoso.com", "TXT"): []}, FAIL),
        ({("contoso.com", "TXT"): ["v=spf1 ~all"]}, WARN),
        ({("_dmarc.contoso.com", "TXT"): ["v=DMARC1; p=none"]}, WARN),
        ({("contoso.com", "TXT"): DnsStatus.SERVFAIL}, UNKNOWN),
        ({("_dmarc.contoso.com", "TXT"): DnsStatus.TIMEOUT}, UNKNOWN),
        ({("contoso.com", "MX"): ["10 mx.example"]}, NOT_APPLICABLE),
        ({("contoso.com", "MX"): DnsStatus.SERVFAIL}, UNKNOWN),
    ],
)
def test_each_zone_has_its_outcome(posture: Build, changed: Any, outcome: Outcome) -> None:
    assert judged(posture, changed).outcome is outcome


def test_a_domain_shut_for_sending_counts_whatever_its_mx(posture: Build) -> None:
    receives = {("contoso.com", "MX"): ["10 mx.example"], ("contoso.com", "TXT"): []}

    assert judged(posture, receives, closed=True).outcome is FAIL
    assert judged(posture, receives, closed=None).outcome is NOT_APPLICABLE


def test_the_records_to_publish_and_to_go_back_to(posture: Build) -> None:
    found = judged(posture, {("contoso.com", "TXT"): ["v=spf1 ~all"]})

    assert '"v=spf1 -all"' in str(found.fix)
    assert '"v=spf1 ~all"' in str(found.undo)
