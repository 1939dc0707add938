"""SPAM-04: Microsoft's own safe list."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from portero.core.checks.spam_04 import CHECK
from portero.core.finding import Finding, Outcome, find

Build = Callable[..., Any]
PASS, WARN, FAIL = Outcome.PASS, Outcome.WARN, Outcome.FAIL
UNKNOWN, NOT_APPLICABLE = Outcome.UNKNOWN, Outcome.NOT_APPLICABLE

GOOD: dict[str, object] = {"Name": "Default", "IsDefault": True, "EnableSafeList": False}


def judged(posture: Build, *policies: dict[str, object], **fields: Any) -> Finding:
    return find(CHECK, posture({"Get-HostedConnectionFilterPolicy": policies}, **fields))


@pytest.mark.parametrize(
    ("changed", "outcome"),
    [
        ({}, PASS),
        ({"EnableSafeList": "False"}, PASS),
        ({"EnableSafeList": True}, FAIL),
        ({"EnableSafeList": None}, UNKNOWN),
        ({"EnableSafeList": "ABSENT"}, UNKNOWN),
    ],
)
def test_each_value_has_its_outcome(posture: Build, changed: dict[str, object], outcome: Outcome) -> None:
    policy = {**GOOD, **changed}
    held = {name: value for name, value in policy.items() if value != "ABSENT"}

    assert judged(posture, held).outcome is outcome


def test_without_the_cmdlet_it_is_unknown(posture: Build) -> None:
    assert find(CHECK, posture({})).outcome is UNKNOWN


def test_an_empty_answer_is_unknown(posture: Build) -> None:
    assert judged(posture).outcome is UNKNOWN


def test_null_and_absent_are_said_differently(posture: Build) -> None:
    null, absent = judged(posture, {**GOOD, "EnableSafeList": None}), judged(posture, {"Name": "Default"})

    assert str(null.because) != str(absent.because)


def test_the_way_back(posture: Build) -> None:
    found = judged(posture, {**GOOD, "EnableSafeList": True})

    assert "-Identity 'Default' -EnableSafeList $false" in str(found.fix)
    assert "-Identity 'Default' -EnableSafeList $true" in str(found.undo)
