"""DNS-14: TLS on the way to us."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from portero.core.checks.dns_14 import CHECK
from portero.core.dns import DnsStatus
from portero.core.finding import Finding, Outcome, Severity, find

Build = Callable[..., Any]
PASS, WARN, FAIL = Outcome.PASS, Outcome.WARN, Outcome.FAIL
UNKNOWN, NOT_APPLICABLE = Outcome.UNKNOWN, Outcome.NOT_APPLICABLE
ZONE: dict[tuple[str, str], Any] = {
    ("contoso.com", "MX"): ["0 contoso-com.mail.protection.outlook.com"],
    ("_mta-sts.contoso.com", "TXT"): ["v=STSv1; id=1"],
    ("_smtp._tls.contoso.com", "TXT"): ["v=TLSRPTv1; rua=mailto:tls@contoso.com"],
}
POLICY = "version: STSv1\nmode: enforce\nmx: *.mail.protection.outlook.com\nmax_age: 86400\n"


def judged(
    posture: Build, policy: str | None = POLICY, zone: dict[tuple[str, str], Any] | None = None
) -> Finding:
    objects: dict[str, Any] = {"Get-AcceptedDomain": []}
    if policy is not None:
        objects["mta-sts-policy"] = [{"Identity": "contoso.com", "Domain": "contoso.com", "Text": policy}]
    return find(CHECK, posture(objects, dns={**ZONE, **(zone or {})}))


@pytest.mark.parametrize(
    ("policy", "outcome"),
    [
        (POLICY, PASS),
        (POLICY.replace("enforce", "testing"), WARN),
        (POLICY.replace("enforce", "none"), WARN),
        (POLICY.replace("*.mail", "*.other"), FAIL),
        (POLICY.replace("*.mail.protection", "*.protection"), FAIL),
        (POLICY.replace("86400", "soon"), FAIL),
        (None, UNKNOWN),
    ],
)
def test_each_policy_has_its_outcome(posture: Build, policy: str | None, outcome: Outcome) -> None:
    assert judged(posture, policy).outcome is outcome


@pytest.mark.parametrize(
    ("zone", "outcome"),
    [
        ({("_mta-sts.contoso.com", "TXT"): []}, FAIL),
        ({("_mta-sts.contoso.com", "TXT"): ["v=STSv1; id=1", "v=STSv1; id=2"]}, FAIL),
        ({("_mta-sts.contoso.com", "TXT"): DnsStatus.SERVFAIL}, UNKNOWN),
        ({("_smtp._tls.contoso.com", "TXT"): []}, WARN),
        ({("_smtp._tls.contoso.com", "TXT"): DnsStatus.TIMEOUT}, UNKNOWN),
        ({("contoso.com", "MX"): ["0 ."]}, NOT_APPLICABLE),
        ({("contoso.com", "MX"): DnsStatus.SERVFAIL}, UNKNOWN),
    ],
)
def test_each_zone_has_its_outcome(
    posture: Build, zone: dict[tuple[str, str], Any], outcome: Outcome
) -> None:
    assert judged(posture, zone=zone).outcome is outcome


def test_leaving_out_a_live_host_weighs_more(posture: Build) -> None:
    found = judged(posture, POLICY.replace("*.mail", "*.other"))

    assert found.severity is Severity.MEDIUM
    assert "contoso-com.mail.protection.outlook.com" in str(found.because)


def test_without_the_domains_it_is_unknown(posture: Build) -> None:
    assert find(CHECK, posture({}, dns=ZONE)).outcome is UNKNOWN
