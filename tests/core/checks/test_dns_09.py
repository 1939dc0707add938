"""DNS-09: the effective DMARC policy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from portero.core.checks.dns_09 import CHECK
from portero.core.dns import DnsStatus
from portero.core.finding import Finding, Outcome, Profile, Severity, find

Build = Callable[..., Any]
NAME = ("_dmarc.contoso.com", "TXT")


def judged(posture: Build, record: Any, **fields: Any) -> Finding:
    dns = {NAME: [record] if not isinstance(record, DnsStatus) else record}
    return find(CHECK, posture(dns=dns, **fields))


@pytest.mark.parametrize(
    "record", ["v=DMARC1; p=reject", "v=DMARC1;p=quarantine;", "v=DMARC1; p=reject; sp=reject;"]
)
def test_an_enforcing_policy_passes(posture: Build, record: str) -> None:
    assert judged(posture, record).outcome is Outcome.PASS


@pytest.mark.parametrize(
    "record", ["v=DMARC1; p=none", "v=DMARC1; p=none; sp=reject", "v=DMARC1; rua=mailto:a@contoso.com"]
)
def test_none_fails_whatever_is_said_of_sub_domains(posture: Build, record: str) -> None:
    found = judged(posture, record)

    assert found.outcome is Outcome.FAIL
    assert "v=DMARC1; p=quarantine" in str(found.fix)
    assert record in str(found.undo)


@pytest.mark.parametrize("weakness", ["pct=50", "t=y", "sp=none", "sp=quarantine", "np=none"])
def test_a_weakness_beside_an_enforcing_policy_warns(posture: Build, weakness: str) -> None:
    assert judged(posture, f"v=DMARC1; p=reject; {weakness}").outcome is Outcome.WARN


def test_the_strict_profile_wants_reject(posture: Build) -> None:
    found = judged(posture, "v=DMARC1; p=quarantine; sp=none", profile=Profile.STRICT)

    assert found.outcome is Outcome.FAIL
    assert '"v=DMARC1; p=reject; sp=reject"' in str(found.fix)


def test_a_sub_domain_judged_by_the_organisations_record_gets_its_own(posture: Build) -> None:
    dns = {
        NAME: ["v=DMARC1; p=reject; sp=none; rua=mailto:d@contoso.com"],
        ("_dmarc.mail.contoso.com", "TXT"): DnsStatus.NXDOMAIN,
    }
    found = find(CHECK, posture(dns=dns, domains=("mail.contoso.com",)))

    assert found.outcome is Outcome.FAIL
    assert '_dmarc.mail.contoso.com. TXT "v=DMARC1; p=quarantine; rua=mailto:d@contoso.com"' in str(found.fix)


def test_no_record_fails(posture: Build) -> None:
    assert judged(posture, DnsStatus.NXDOMAIN).outcome is Outcome.FAIL


@pytest.mark.parametrize("status", [DnsStatus.SERVFAIL, DnsStatus.TIMEOUT, DnsStatus.UNKNOWN])
def test_without_an_answer_it_is_unknown(posture: Build, status: DnsStatus) -> None:
    assert judged(posture, status).outcome is Outcome.UNKNOWN


@pytest.mark.parametrize(
    ("reject", "expected"), [(True, Severity.HIGH), (False, Severity.CRITICAL), (None, Severity.CRITICAL)]
)
def test_it_is_critical_until_direct_send_is_known_to_be_refused(
    posture: Build, reject: bool | None, expected: Severity
) -> None:
    found = judged(posture, "v=DMARC1; p=none", settings={"reject_direct_send": reject})

    assert found.severity is expected


def test_microsofts_own_names_are_not_judged(posture: Build) -> None:
    assert (
        judged(posture, "v=DMARC1; p=none", domains=("contoso.onmicrosoft.com",)).outcome
        is Outcome.NOT_APPLICABLE
    )
