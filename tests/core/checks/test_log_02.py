"""LOG-02: alert policies."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from portero.core.checks.log_02 import ALERTS, CHECK
from portero.core.finding import Finding, Outcome, find

Build = Callable[..., Any]
PASS, WARN, FAIL = Outcome.PASS, Outcome.WARN, Outcome.FAIL
UNKNOWN, NOT_APPLICABLE = Outcome.UNKNOWN, Outcome.NOT_APPLICABLE


def alert(name: str, **changed: object) -> dict[str, object]:
    return {
        "Name": name + "\u200b",
        "Disabled": False,
        "NotificationEnabled": True,
        "NotifyUser": ["soc@contoso.com"],
        **changed,
    }


def judged(posture: Build, **first: object) -> Finding:
    alerts = [alert(ALERTS[0], **first), *map(alert, ALERTS[1:])]
    held = [{name: value for name, value in each.items() if value != "absent"} for each in alerts]
    return find(CHECK, posture({"Get-ProtectionAlert": held}))


@pytest.mark.parametrize(
    ("changed", "outcome"),
    [
        ({}, PASS),
        ({"Disabled": True}, FAIL),
        ({"Disabled": None}, PASS),
        ({"Disabled": "absent"}, UNKNOWN),
        ({"NotifyUser": []}, WARN),
        ({"NotifyUser": None}, WARN),
        ({"NotifyUser": "absent"}, UNKNOWN),
        ({"NotificationEnabled": False}, WARN),
    ],
)
def test_each_alert_has_its_outcome(posture: Build, changed: dict[str, object], outcome: Outcome) -> None:
    assert judged(posture, **changed).outcome is outcome


def test_one_that_is_missing_warns_and_no_answer_is_unknown(posture: Build) -> None:
    assert find(CHECK, posture({"Get-ProtectionAlert": [alert(name) for name in ALERTS[1:]]})).outcome is WARN
    assert find(CHECK, posture({})).outcome is UNKNOWN


def test_the_way_back(posture: Build) -> None:
    found = judged(posture, Disabled=True)

    assert "-Disabled $false" in str(found.fix)
    assert "-Disabled $true" in str(found.undo)
