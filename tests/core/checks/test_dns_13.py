"""DNS-13: where mail enters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from portero.core.checks.dns_13 import CHECK
from portero.core.dns import DnsStatus
from portero.core.finding import Finding, Outcome, Severity, find

Build = Callable[..., Any]
EDGE = "contoso-com.mail.protection.outlook.com"
HERE: dict[tuple[str, str], Any] = {(EDGE, "A"): ["52.101.40.1"], (EDGE, "AAAA"): []}
GATE: dict[tuple[str, str], Any] = {("mx.gate.example", "A"): ["192.0.2.25"]}


def judged(posture: Build, exchangers: Any, more: dict[tuple[str, str], Any] | None = None) -> Finding:
    return find(CHECK, posture(dns={("contoso.com", "MX"): exchangers, **HERE, **GATE, **(more or {})}))


@pytest.mark.parametrize(
    "exchangers", [[f"0 {EDGE}."], ["10 mx.gate.example."], ["0 ."], [], DnsStatus.NXDOMAIN]
)
def test_one_kind_of_place_passes(posture: Build, exchangers: Any) -> None:
    assert judged(posture, exchangers).outcome is Outcome.PASS


def test_microsoft_beside_a_gateway_is_a_back_door(posture: Build) -> None:
    found = judged(posture, ["10 mx.gate.example.", f"20 {EDGE}."])

    assert (found.outcome, found.severity) == (Outcome.FAIL, Severity.HIGH)
    assert EDGE in str(found.because)
    assert EDGE not in str(found.fix)
    assert f"contoso.com. MX 20 {EDGE}." in str(found.undo)


def test_a_null_mx_beside_others_fails(posture: Build) -> None:
    assert judged(posture, ["0 .", f"10 {EDGE}."]).outcome is Outcome.FAIL


def test_a_host_that_no_longer_resolves_fails(posture: Build) -> None:
    gone = {("old.gate.example", kind): DnsStatus.NXDOMAIN for kind in ("A", "AAAA")}
    found = judged(posture, ["10 mx.gate.example.", "20 old.gate.example."], gone)

    assert found.outcome is Outcome.FAIL
    assert "old.gate.example" in str(found.because)
    assert "old.gate.example" not in str(found.fix)


def test_a_host_nobody_asked_about_is_unknown(posture: Build) -> None:
    assert judged(posture, ["10 other.example."]).outcome is Outcome.UNKNOWN


@pytest.mark.parametrize("status", [DnsStatus.SERVFAIL, DnsStatus.TIMEOUT, DnsStatus.UNKNOWN])
def test_without_an_answer_it_is_unknown(posture: Build, status: DnsStatus) -> None:
    assert judged(posture, status).outcome is Outcome.UNKNOWN


def test_microsofts_own_names_are_not_judged(posture: Build) -> None:
    found = find(CHECK, posture(dns=HERE, domains=("contoso.onmicrosoft.com",)))

    assert found.outcome is Outcome.NOT_APPLICABLE
