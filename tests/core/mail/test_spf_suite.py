"""The OpenSPF suite for RFC 7208: every verdict and every explanation."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from portero.core.mail.spf import SpfVerdict, evaluate
from support.suite_dns import SHARED, openspf_zone, shared

SUITE = "suites/rfc7208-tests.yml"
CASES = [
    (scenario, name)
    for scenario in (
        yaml.safe_load_all((SHARED / SUITE).read_text("latin-1")) if (SHARED / SUITE).exists() else ()
    )
    for name in scenario["tests"]
]


def verdict(scenario: dict[str, Any], name: str) -> SpfVerdict:
    case = scenario["tests"][name]
    sender = case["mailfrom"]
    domain = sender.rpartition("@")[2] if sender else case["helo"]
    return evaluate(
        openspf_zone(scenario["zonedata"]),
        case["host"],
        domain,
        sender or f"postmaster@{domain}",
        case["helo"],
    )


def test_the_suite_is_here() -> None:
    shared(SUITE)
    assert len(CASES) == 203
    assert sum("explanation" in scenario["tests"][name] for scenario, name in CASES) == 22


@pytest.mark.parametrize(("scenario", "name"), CASES, ids=[name for _, name in CASES])
def test_the_suite_agrees(scenario: dict[str, Any], name: str) -> None:
    case, found = scenario["tests"][name], verdict(scenario, name)

    assert found.result in ([case["result"]] if isinstance(case["result"], str) else case["result"])
    if "explanation" in case:
        default = scenario.get("zonedata") is not None and case["explanation"] == "DEFAULT"
        assert found.explanation == (None if default else case["explanation"])
