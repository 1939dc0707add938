"""SPAM-06: spam and bulk actions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from portero.core.checks.spam_06 import CHECK
from portero.core.finding import Finding, Outcome, Profile, find
from portero.core.thresholds import Thresholds

Build = Callable[..., Any]
PASS, WARN, FAIL = Outcome.PASS, Outcome.WARN, Outcome.FAIL
UNKNOWN, NOT_APPLICABLE = Outcome.UNKNOWN, Outcome.NOT_APPLICABLE

GOOD: dict[str, object] = {
    "Name": "Default",
    "IsDefault": True,
    "SpamAction": "MoveToJmf",
    "HighConfidenceSpamAction": "Quarantine",
    "BulkSpamAction": "MoveToJmf",
    "BulkThreshold": 6,
    "MarkAsSpamBulkMail": "On",
}


def judged(posture: Build, *policies: dict[str, object], **fields: Any) -> Finding:
    return find(CHECK, posture({"Get-HostedContentFilterPolicy": policies}, **fields))


@pytest.mark.parametrize(
    ("changed", "outcome"),
    [
        ({}, PASS),
        ({"BulkThreshold": 7}, FAIL),
        ({"BulkThreshold": "5"}, PASS),
        ({"HighConfidenceSpamAction": "MoveToJmf"}, FAIL),
        ({"SpamAction": None}, UNKNOWN),
        ({"BulkThreshold": "ABSENT"}, UNKNOWN),
    ],
)
def test_each_value_has_its_outcome(posture: Build, changed: dict[str, object], outcome: Outcome) -> None:
    policy = {**GOOD, **changed}
    held = {name: value for name, value in policy.items() if value != "ABSENT"}

    assert judged(posture, held).outcome is outcome


def test_without_the_cmdlet_it_is_unknown(posture: Build) -> None:
    assert find(CHECK, posture({})).outcome is UNKNOWN


def test_strict_and_own_thresholds_are_measured_against(posture: Build) -> None:
    assert judged(posture, GOOD, profile=Profile.STRICT).outcome is FAIL
    assert (
        judged(posture, {**GOOD, "BulkThreshold": 7}, thresholds=Thresholds(bulk_threshold=7)).outcome is PASS
    )
