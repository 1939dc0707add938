"""SPOOF-10: overrides for phishing simulations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from portero.core.address import parse_network
from portero.core.checks.spoof_10 import CHECK
from portero.core.finding import Finding, Outcome, find
from portero.core.register import Configuration, KnownNetwork

Build = Callable[..., Any]
PASS, WARN, FAIL = Outcome.PASS, Outcome.WARN, Outcome.FAIL
UNKNOWN, NOT_APPLICABLE = Outcome.UNKNOWN, Outcome.NOT_APPLICABLE

RULE: dict[str, object] = {
    "Name": "PhishSimOverrideRule", "Domains": ["training.example"], "SenderIpRanges": ["198.51.100.0/28"]
}  # fmt: skip
VENDOR = Configuration(networks=(KnownNetwork("Training", (parse_network("198.51.100.0/24"),), "partner"),))


def judged(posture: Build, *rules: dict[str, object], **fields: Any) -> Finding:
    return find(CHECK, posture({"Get-ExoPhishSimOverrideRule": rules}, **fields))


@pytest.mark.parametrize(
    ("changed", "outcome"),
    [
        ({}, PASS),
        ({"Domains": ["contoso.com"]}, FAIL),
        ({"SenderIpRanges": ["192.0.2.0/28"]}, FAIL),
        ({"SenderIpRanges": [f"198.51.100.{number}" for number in range(11)]}, WARN),
        ({"SenderIpRanges": None}, PASS),
    ],
)
def test_each_override_has_its_outcome(posture: Build, changed: dict[str, object], outcome: Outcome) -> None:
    assert judged(posture, {**RULE, **changed}, configuration=VENDOR).outcome is outcome


def test_ranges_of_which_nobody_says_whose_they_are_are_unknown(posture: Build) -> None:
    assert judged(posture, RULE).outcome is UNKNOWN
    assert judged(posture, {"Name": "x", "Domains": []}).outcome is UNKNOWN


def test_none_passes_and_no_answer_is_unknown(posture: Build) -> None:
    assert judged(posture).outcome is PASS
    assert find(CHECK, posture({})).outcome is UNKNOWN


def test_the_way_back_makes_it_again(posture: Build) -> None:
    found = judged(posture, {**RULE, "Domains": ["contoso.com"]}, configuration=VENDOR)

    assert "Remove-ExoPhishSimOverrideRule -Identity 'PhishSimOverrideRule'" in str(found.fix)
    assert "-Domains 'contoso.com' -SenderIpRanges '198.51.100.0/28'" in str(found.undo)
