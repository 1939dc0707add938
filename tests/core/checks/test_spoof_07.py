"""SPOOF-07: mailbox intelligence and the phishing threshold."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from portero.core.checks.spoof_07 import CHECK
from portero.core.finding import Finding, Outcome, find

Build = Callable[..., Any]
PASS, WARN, FAIL = Outcome.PASS, Outcome.WARN, Outcome.FAIL
UNKNOWN, NOT_APPLICABLE = Outcome.UNKNOWN, Outcome.NOT_APPLICABLE

GOOD: dict[str, object] = {
    "Name": "Default",
    "IsDefault": True,
    "EnableMailboxIntelligence": True,
    "EnableMailboxIntelligenceProtection": True,
    "MailboxIntelligenceProtectionAction": "MoveToJmf",
    "PhishThresholdLevel": 3,
}


def judged(posture: Build, *policies: dict[str, object], **fields: Any) -> Finding:
    return find(CHECK, posture({"Get-AntiPhishPolicy": policies}, **fields))


@pytest.mark.parametrize(
    ("changed", "outcome"),
    [
        ({}, PASS),
        ({"PhishThresholdLevel": 1}, FAIL),
        ({"PhishThresholdLevel": 2}, WARN),
        ({"PhishThresholdLevel": "4"}, PASS),
        ({"EnableMailboxIntelligenceProtection": False}, FAIL),
        ({"EnableMailboxIntelligence": None}, UNKNOWN),
        ({"PhishThresholdLevel": "ABSENT"}, UNKNOWN),
        ({"MailboxIntelligenceProtectionAction": "NoAction"}, WARN),
    ],
)
def test_each_value_has_its_outcome(posture: Build, changed: dict[str, object], outcome: Outcome) -> None:
    policy = {**GOOD, **changed}
    held = {name: value for name, value in policy.items() if value != "ABSENT"}

    assert judged(posture, held).outcome is outcome


def test_without_the_cmdlet_it_is_unknown(posture: Build) -> None:
    assert find(CHECK, posture({})).outcome is UNKNOWN


def test_without_defender_it_does_not_apply(posture: Build) -> None:
    found = find(CHECK, posture({"Get-AntiPhishPolicy": [GOOD], "Get-SafeLinksPolicy": []}))

    assert found.outcome is NOT_APPLICABLE


def test_only_what_is_wrong_is_changed(posture: Build) -> None:
    found = judged(posture, {**GOOD, "PhishThresholdLevel": 1})

    assert str(found.fix).endswith("-PhishThresholdLevel 3")
    assert str(found.undo).endswith("-PhishThresholdLevel 1")
