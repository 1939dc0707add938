"""DNS-02: how SPF ends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from portero.core.checks.dns_02 import CHECK
from portero.core.dns import DnsStatus
from portero.core.finding import Finding, Outcome, Severity, find

Build = Callable[..., Any]
TXT, DMARC = ("contoso.com", "TXT"), ("_dmarc.contoso.com", "TXT")


def judged(posture: Build, record: str, dmarc: Any = DnsStatus.NXDOMAIN, **more: Any) -> Finding:
    extra = {(name.replace("_", "."), "TXT"): [text] for name, text in more.items()}
    return find(CHECK, posture(dns={TXT: [record], DMARC: dmarc, **extra}))


def test_failing_the_rest_passes(posture: Build) -> None:
    assert judged(posture, "v=spf1 ip4:192.0.2.1 -all").outcome is Outcome.PASS


def test_failing_softly_beside_an_enforcing_policy_passes(posture: Build) -> None:
    assert judged(posture, "v=spf1 ~all", ["v=DMARC1; p=quarantine"]).outcome is Outcome.PASS


@pytest.mark.parametrize("dmarc", [DnsStatus.NXDOMAIN, ["v=DMARC1; p=none"], ["v=DMARC1; p=quarantine; t=y"]])
def test_failing_softly_without_one_warns(posture: Build, dmarc: Any) -> None:
    assert judged(posture, "v=spf1 ~all", dmarc).outcome is Outcome.WARN


@pytest.mark.parametrize("dmarc", [DnsStatus.UNKNOWN, DnsStatus.TIMEOUT])
def test_failing_softly_beside_an_unknown_policy_is_unknown(posture: Build, dmarc: DnsStatus) -> None:
    assert judged(posture, "v=spf1 ~all", dmarc).outcome is Outcome.UNKNOWN


@pytest.mark.parametrize("record", ["v=spf1 ip4:192.0.2.1 ?all", "v=spf1 ip4:192.0.2.1"])
def test_saying_nothing_of_the_rest_fails(posture: Build, record: str) -> None:
    found = judged(posture, record)

    assert (found.outcome, found.severity) == (Outcome.FAIL, Severity.MEDIUM)
    assert '"v=spf1 ip4:192.0.2.1 ~all"' in str(found.fix)
    assert f'"{record}"' in str(found.undo)


def test_passing_the_rest_is_critical(posture: Build) -> None:
    found = judged(posture, "v=spf1 a +all")

    assert (found.outcome, found.severity) == (Outcome.FAIL, Severity.CRITICAL)


def test_passing_everyone_inside_an_include_is_critical_too(posture: Build) -> None:
    found = judged(posture, "v=spf1 include:vendor.example -all", vendor_example="v=spf1 all")

    assert (found.outcome, found.severity) == (Outcome.FAIL, Severity.CRITICAL)
    assert "vendor.example: all" in str(found.because)


def test_the_end_is_that_of_the_redirect(posture: Build) -> None:
    assert judged(posture, "v=spf1 redirect=b.example", b_example="v=spf1 -all").outcome is Outcome.PASS
    assert judged(posture, "v=spf1 redirect=b.example", b_example="v=spf1 ?all").outcome is Outcome.FAIL
    assert judged(posture, "v=spf1 redirect=b.example").outcome is Outcome.UNKNOWN


def test_the_mere_word_is_not_taken_for_the_end(posture: Build) -> None:
    assert judged(posture, "v=spf1 include:-all.example ?all").outcome is Outcome.FAIL


def test_without_a_record_nothing_ends_by_failing(posture: Build) -> None:
    assert judged(posture, "unrelated").outcome is Outcome.FAIL


def test_without_an_answer_it_is_unknown(posture: Build) -> None:
    assert find(CHECK, posture(dns={TXT: DnsStatus.SERVFAIL})).outcome is Outcome.UNKNOWN


def test_microsofts_own_names_are_not_judged(posture: Build) -> None:
    found = find(CHECK, posture(dns={TXT: []}, domains=("contoso.onmicrosoft.com",)))

    assert found.outcome is Outcome.NOT_APPLICABLE
