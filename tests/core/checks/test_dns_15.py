"""DNS-15: names that nobody holds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from portero.core.checks.dns_15 import CHECK
from portero.core.dns import DnsStatus
from portero.core.finding import Finding, Outcome, find

Build = Callable[..., Any]
PASS, WARN, FAIL = Outcome.PASS, Outcome.WARN, Outcome.FAIL
UNKNOWN, NOT_APPLICABLE = Outcome.UNKNOWN, Outcome.NOT_APPLICABLE


def judged(posture: Build, dns: dict[tuple[str, str], Any], **fields: Any) -> Finding:
    return find(CHECK, posture({}, dns={("com", "MX"): [], ("_dmarc.com", "TXT"): [], **dns}, **fields))


WHOLE: dict[tuple[str, str], Any] = {
    ("contoso.com", "TXT"): ["v=spf1 include:good.example -all"],
    ("good.example", "TXT"): ["v=spf1 ip4:203.0.113.10 -all"],
    ("contoso.com", "MX"): ["10 mx.good.example"],
    ("mx.good.example", "A"): ["203.0.113.9"],
    ("_dmarc.contoso.com", "TXT"): ["v=DMARC1; p=none; rua=mailto:x@good.example"],
    ("good.example", "MX"): ["10 mx.good.example"],
}


@pytest.mark.parametrize(
    ("changed", "outcome"),
    [
        ({}, PASS),
        ({("good.example", "TXT"): DnsStatus.NXDOMAIN}, FAIL),
        ({("mx.good.example", "A"): DnsStatus.NXDOMAIN}, FAIL),
        ({("good.example", "TXT"): []}, WARN),
        ({("mx.good.example", "A"): DnsStatus.SERVFAIL}, UNKNOWN),
        ({("contoso.com", "MX"): DnsStatus.TIMEOUT}, UNKNOWN),
        (
            {("selector1._domainkey.contoso.com", "CNAME"): ["s1.gone.example"],
             ("s1.gone.example", "TXT"): DnsStatus.NXDOMAIN},
            FAIL,
        ),
    ],
)  # fmt: skip
def test_each_zone_has_its_outcome(posture: Build, changed: Any, outcome: Outcome) -> None:
    assert judged(posture, {**WHOLE, **changed}).outcome is outcome


def test_no_domain_does_not_apply_and_silence_is_unknown(posture: Build) -> None:
    assert judged(posture, {}).outcome is UNKNOWN
    assert judged(posture, {}, domains=("x.onmicrosoft.com",)).outcome is NOT_APPLICABLE
