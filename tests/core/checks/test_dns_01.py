"""DNS-01: one valid SPF record."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from portero.core.checks.dns_01 import CHECK
from portero.core.dns import DnsStatus
from portero.core.finding import Finding, Outcome, find

Build = Callable[..., Any]
TXT = ("contoso.com", "TXT")


def judged(posture: Build, dns: dict[tuple[str, str], Any], **fields: Any) -> Finding:
    return find(CHECK, posture(dns=dns, **fields))


def test_one_valid_record_among_other_texts_passes(posture: Build) -> None:
    found = judged(posture, {TXT: ["MS=ms1", "v=spf1 include:spf.protection.outlook.com -all"]})

    assert found.outcome is Outcome.PASS
    assert [str(origin) for origin in found.origins] == ["dns.jsonl"]


@pytest.mark.parametrize("texts", [[], ["v=spf10 -all"], ["spf1 -all"]])
def test_no_record_fails_and_gets_one(posture: Build, texts: list[str]) -> None:
    found = judged(posture, {TXT: texts})

    assert found.outcome is Outcome.FAIL
    assert 'contoso.com. TXT "v=spf1 include:spf.protection.outlook.com ~all"' in str(found.fix)
    assert "Remove the records published at contoso.com." in str(found.undo)


def test_several_records_fail_and_are_joined(posture: Build) -> None:
    found = judged(
        posture, {TXT: ["v=spf1 ip4:192.0.2.1 -all", "v=spf1 include:a.example ip4:192.0.2.1 ~all"]}
    )

    assert found.outcome is Outcome.FAIL
    assert '"v=spf1 ip4:192.0.2.1 include:a.example ~all"' in str(found.fix)
    assert '"v=spf1 ip4:192.0.2.1 -all"' in str(found.undo)


def test_a_syntax_error_fails_and_is_named(posture: Build) -> None:
    found = judged(posture, {TXT: ["v=spf1 ip4:192.0.2.300 -all"]})

    assert found.outcome is Outcome.FAIL
    assert "ip4:192.0.2.300" in str(found.because)


@pytest.mark.parametrize("status", [DnsStatus.SERVFAIL, DnsStatus.TIMEOUT, DnsStatus.UNKNOWN])
def test_without_an_answer_it_is_unknown(posture: Build, status: DnsStatus) -> None:
    found = judged(posture, {TXT: status})

    assert found.outcome is Outcome.UNKNOWN
    assert "contoso.com TXT" in str(found.because)


def test_a_domain_that_does_not_exist_fails(posture: Build) -> None:
    assert judged(posture, {TXT: DnsStatus.NXDOMAIN}).outcome is Outcome.FAIL


def test_a_failure_beside_an_unknown_fails_and_names_both(posture: Build) -> None:
    found = judged(posture, {TXT: []}, domains=("contoso.com", "fabrikam.com"))

    assert found.outcome is Outcome.FAIL
    assert "fabrikam.com TXT" in str(found.because)


def test_a_pass_beside_an_unknown_is_unknown(posture: Build) -> None:
    found = judged(posture, {TXT: ["v=spf1 -all"]}, domains=("contoso.com", "fabrikam.com"))

    assert found.outcome is Outcome.UNKNOWN


def test_microsofts_own_names_are_not_judged(posture: Build) -> None:
    found = judged(posture, {TXT: []}, domains=("contoso.onmicrosoft.com", "contoso.mail.onmicrosoft.com"))

    assert found.outcome is Outcome.NOT_APPLICABLE


def test_without_dns_it_is_unknown(posture: Build) -> None:
    assert judged(posture, {}).outcome is Outcome.UNKNOWN


def test_a_long_record_is_cut_into_strings_and_quotes_are_escaped(posture: Build) -> None:
    terms = " ".join(f"ip4:192.0.2.{number}" for number in range(40))
    found = judged(posture, {TXT: [f"v=spf1 {terms} -all", 'v=spf1 x="y" -all']})

    assert '" "' in str(found.fix)
    assert 'x=\\"y\\"' in str(found.undo)
