"""SPOOF-03: what happens to mail that fails composite authentication."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from portero.core.checks.spoof_03 import CHECK
from portero.core.finding import Finding, Outcome, Profile, Severity, find

Build = Callable[..., Any]
PASS, WARN, FAIL = Outcome.PASS, Outcome.WARN, Outcome.FAIL
UNKNOWN, NOT_APPLICABLE = Outcome.UNKNOWN, Outcome.NOT_APPLICABLE

GOOD: dict[str, object] = {"Name": "Default", "IsDefault": True, "AuthenticationFailAction": "MoveToJmf"}


def judged(posture: Build, *policies: dict[str, object], **fields: Any) -> Finding:
    return find(CHECK, posture({"Get-AntiPhishPolicy": policies}, **fields))


@pytest.mark.parametrize(
    ("changed", "outcome"),
    [
        ({}, PASS),
        ({"AuthenticationFailAction": "Quarantine"}, PASS),
        ({"AuthenticationFailAction": "NoAction"}, FAIL),
        ({"AuthenticationFailAction": None}, UNKNOWN),
        ({"AuthenticationFailAction": "ABSENT"}, UNKNOWN),
    ],
)
def test_each_value_has_its_outcome(posture: Build, changed: dict[str, object], outcome: Outcome) -> None:
    policy = {**GOOD, **changed}
    held = {name: value for name, value in policy.items() if value != "ABSENT"}

    assert judged(posture, held).outcome is outcome


def test_without_the_cmdlet_it_is_unknown(posture: Build) -> None:
    assert find(CHECK, posture({})).outcome is UNKNOWN


def test_strict_wants_quarantine_and_the_way_back_is_the_value_before(posture: Build) -> None:
    found = judged(posture, GOOD, profile=Profile.STRICT)

    assert found.outcome is FAIL
    assert "-AuthenticationFailAction 'Quarantine'" in str(found.fix)
    assert "-AuthenticationFailAction 'MoveToJmf'" in str(found.undo)


def test_it_weighs_more_while_the_door_is_open(posture: Build) -> None:
    assert judged(posture, GOOD, settings={"reject_direct_send": True}).severity is Severity.MEDIUM
    assert judged(posture, GOOD).severity is Severity.HIGH
