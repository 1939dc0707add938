"""DNS-08: exactly one DMARC record."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from portero.core.checks.dns_08 import CHECK
from portero.core.dns import DnsStatus
from portero.core.finding import Finding, Outcome, find

Build = Callable[..., Any]
NAME = ("_dmarc.contoso.com", "TXT")


def judged(posture: Build, dns: dict[tuple[str, str], Any], *domains: str) -> Finding:
    return find(CHECK, posture(dns=dns, domains=domains or ("contoso.com",)))


def test_one_valid_record_passes(posture: Build) -> None:
    assert judged(posture, {NAME: ["v=DMARC1; p=none"]}).outcome is Outcome.PASS


def test_the_organisations_record_serves_a_sub_domain_and_its_place_is_kept(posture: Build) -> None:
    dns = {NAME: ["v=DMARC1; p=none"], ("_dmarc.mail.contoso.com", "TXT"): DnsStatus.NXDOMAIN}

    assert judged(posture, dns, "mail.contoso.com").outcome is Outcome.PASS


@pytest.mark.parametrize("texts", [[], ["p=none; v=DMARC1"], ["v=DMARC10; p=none"], DnsStatus.NXDOMAIN])
def test_no_record_fails_and_gets_one(posture: Build, texts: Any) -> None:
    found = judged(posture, {NAME: texts})

    assert found.outcome is Outcome.FAIL
    assert '_dmarc.contoso.com. TXT "v=DMARC1; p=none; rua=mailto:dmarc@contoso.com"' in str(found.fix)


def test_several_records_fail_and_one_is_kept(posture: Build) -> None:
    found = judged(posture, {NAME: ["v=DMARC1; p=reject", "v=DMARC1; p=none"]})

    assert found.outcome is Outcome.FAIL
    assert "p=none" not in str(found.fix)
    assert "p=none" in str(found.undo)


def test_several_at_a_sub_domain_fail_although_newer_receivers_go_on(posture: Build) -> None:
    dns = {NAME: ["v=DMARC1; p=none"], ("_dmarc.mail.contoso.com", "TXT"): ["v=DMARC1; p=none", "v=DMARC1"]}

    assert judged(posture, dns, "mail.contoso.com").outcome is Outcome.FAIL


def test_a_record_without_a_valid_policy_fails(posture: Build) -> None:
    assert judged(posture, {NAME: ["v=DMARC1; p=rejected"]}).outcome is Outcome.FAIL


@pytest.mark.parametrize("status", [DnsStatus.SERVFAIL, DnsStatus.TIMEOUT, DnsStatus.UNKNOWN])
def test_without_an_answer_it_is_unknown(posture: Build, status: DnsStatus) -> None:
    found = judged(posture, {NAME: status})

    assert found.outcome is Outcome.UNKNOWN
    assert "_dmarc.contoso.com" in str(found.because)


def test_a_sub_domain_whose_organisation_nobody_asked_is_unknown(posture: Build) -> None:
    dns = {("_dmarc.mail.contoso.com", "TXT"): DnsStatus.NXDOMAIN}

    assert judged(posture, dns, "mail.contoso.com").outcome is Outcome.UNKNOWN


def test_microsofts_own_names_are_not_judged(posture: Build) -> None:
    assert judged(posture, {NAME: []}, "contoso.onmicrosoft.com").outcome is Outcome.NOT_APPLICABLE
