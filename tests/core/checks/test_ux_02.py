"""UX-02: marks and safety tips."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from portero.core.checks.ux_02 import CHECK
from portero.core.finding import Finding, Outcome, find

Build = Callable[..., Any]
PASS, WARN, FAIL = Outcome.PASS, Outcome.WARN, Outcome.FAIL
UNKNOWN, NOT_APPLICABLE = Outcome.UNKNOWN, Outcome.NOT_APPLICABLE

GOOD: dict[str, object] = {
    "Name": "Default",
    "IsDefault": True,
    "EnableUnauthenticatedSender": True,
    "EnableViaTag": True,
    "EnableFirstContactSafetyTips": True,
    "EnableSimilarUsersSafetyTips": True,
    "EnableSimilarDomainsSafetyTips": True,
    "EnableUnusualCharactersSafetyTips": True,
}


def judged(posture: Build, *policies: dict[str, object], **fields: Any) -> Finding:
    return find(CHECK, posture({"Get-AntiPhishPolicy": policies}, **fields))


@pytest.mark.parametrize(
    ("changed", "outcome"),
    [
        ({}, PASS),
        ({"EnableFirstContactSafetyTips": False}, WARN),
        ({"EnableViaTag": None}, UNKNOWN),
        ({"EnableSimilarUsersSafetyTips": "ABSENT"}, UNKNOWN),
    ],
)
def test_each_value_has_its_outcome(posture: Build, changed: dict[str, object], outcome: Outcome) -> None:
    policy = {**GOOD, **changed}
    held = {name: value for name, value in policy.items() if value != "ABSENT"}

    assert judged(posture, held).outcome is outcome


def test_without_the_cmdlet_it_is_unknown(posture: Build) -> None:
    assert find(CHECK, posture({})).outcome is UNKNOWN


def test_without_defender_its_tips_are_not_asked_for(posture: Build) -> None:
    bare = {name: value for name, value in GOOD.items() if "Similar" not in name and "Unusual" not in name}
    found = find(CHECK, posture({"Get-AntiPhishPolicy": [bare], "Get-SafeLinksPolicy": []}))

    assert found.outcome is PASS
