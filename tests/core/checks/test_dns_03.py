"""DNS-03: the limits of SPF evaluation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from portero.core.checks.dns_03 import CHECK
from portero.core.dns import DnsStatus
from portero.core.finding import Finding, Outcome, find

Build = Callable[..., Any]
TXT = ("contoso.com", "TXT")


def judged(posture: Build, record: str, more: dict[tuple[str, str], Any] | None = None) -> Finding:
    return find(CHECK, posture(dns={TXT: [record], **(more or {})}))


def hosts(number: int) -> tuple[str, dict[tuple[str, str], Any]]:
    names = [f"h{each}.contoso.com" for each in range(number)]
    answers: dict[tuple[str, str], Any] = {(name, "A"): ["192.0.2.1"] for name in names}
    answers |= {(name, "AAAA"): [] for name in names}
    return "v=spf1 " + " ".join(f"a:{name}" for name in names) + " -all", answers


@pytest.mark.parametrize(
    ("number", "expected"), [(8, Outcome.PASS), (9, Outcome.WARN), (10, Outcome.WARN), (11, Outcome.FAIL)]
)
def test_ten_lookups_are_the_limit(posture: Build, number: int, expected: Outcome) -> None:
    found = judged(posture, *hosts(number))

    assert found.outcome is expected
    assert str(number) in str(found.because) or expected is Outcome.PASS


def test_lookups_of_includes_count_and_are_named_by_cost(posture: Build) -> None:
    record, answers = hosts(10)
    found = judged(posture, "v=spf1 include:v.example -all", {**answers, ("v.example", "TXT"): [record]})

    assert found.outcome is Outcome.FAIL
    assert "include:v.example 11" in str(found.because)


def test_three_void_lookups_fail(posture: Build) -> None:
    names = ("a.example", "b.example", "c.example")
    gone = {(name, kind): DnsStatus.NXDOMAIN for name in names for kind in ("A", "AAAA")}

    assert judged(posture, "v=spf1 a:a.example a:b.example -all", gone).outcome is Outcome.PASS
    found = judged(posture, "v=spf1 a:a.example a:b.example a:c.example -all", gone)
    assert found.outcome is Outcome.FAIL
    assert "c.example" in str(found.because)


@pytest.mark.parametrize(
    "included", [DnsStatus.NXDOMAIN, [], ["v=spf1 ip4:x -all"], ["v=spf1 a", "v=spf1 mx"]]
)
def test_a_broken_include_fails(posture: Build, included: Any) -> None:
    assert (
        judged(posture, "v=spf1 include:v.example -all", {("v.example", "TXT"): included}).outcome
        is Outcome.FAIL
    )


@pytest.mark.parametrize("included", [DnsStatus.UNKNOWN, DnsStatus.TIMEOUT])
def test_an_include_nobody_saw_is_unknown(posture: Build, included: DnsStatus) -> None:
    found = judged(posture, "v=spf1 include:v.example -all", {("v.example", "TXT"): included})

    assert found.outcome is Outcome.UNKNOWN
    assert "v.example TXT" in str(found.because)


def test_what_is_over_the_limit_already_fails_whatever_is_unknown(posture: Build) -> None:
    record, answers = hosts(11)

    assert judged(posture, record.replace("-all", "include:v.example -all"), answers).outcome is Outcome.FAIL


def test_a_record_too_long_for_a_small_answer_warns(posture: Build) -> None:
    terms = " ".join(f"ip4:192.0.2.{number}" for number in range(40))

    assert judged(posture, f"v=spf1 {terms} -all").outcome is Outcome.WARN


def test_without_a_record_there_is_nothing_to_count(posture: Build) -> None:
    assert judged(posture, "unrelated").outcome is Outcome.NOT_APPLICABLE


def test_without_an_answer_it_is_unknown(posture: Build) -> None:
    assert find(CHECK, posture(dns={TXT: DnsStatus.SERVFAIL})).outcome is Outcome.UNKNOWN
