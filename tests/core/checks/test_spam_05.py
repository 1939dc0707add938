"""SPAM-05: where phishing verdicts go."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from portero.core.checks.spam_05 import CHECK
from portero.core.finding import Finding, Outcome, find

Build = Callable[..., Any]
PASS, WARN, FAIL = Outcome.PASS, Outcome.WARN, Outcome.FAIL
UNKNOWN, NOT_APPLICABLE = Outcome.UNKNOWN, Outcome.NOT_APPLICABLE

GOOD: dict[str, object] = {
    "Name": "Default",
    "IsDefault": True,
    "PhishSpamAction": "Quarantine",
    "HighConfidencePhishAction": "Quarantine",
    "HighConfidencePhishQuarantineTag": "AdminOnlyAccessPolicy",
    "QuarantineRetentionPeriod": 30,
}


def judged(posture: Build, *policies: dict[str, object], **fields: Any) -> Finding:
    return find(CHECK, posture({"Get-HostedContentFilterPolicy": policies}, **fields))


@pytest.mark.parametrize(
    ("changed", "outcome"),
    [
        ({}, PASS),
        ({"PhishSpamAction": "Redirect"}, FAIL),
        ({"PhishSpamAction": "MoveToJmf"}, WARN),
        ({"QuarantineRetentionPeriod": 15}, WARN),
        ({"HighConfidencePhishQuarantineTag": "DefaultFullAccessPolicy"}, WARN),
        ({"HighConfidencePhishQuarantineTag": "Ours"}, UNKNOWN),
        ({"HighConfidencePhishQuarantineTag": None}, UNKNOWN),
        ({"PhishSpamAction": None}, UNKNOWN),
        ({"PhishSpamAction": "ABSENT"}, UNKNOWN),
    ],
)
def test_each_value_has_its_outcome(posture: Build, changed: dict[str, object], outcome: Outcome) -> None:
    policy = {**GOOD, **changed}
    held = {name: value for name, value in policy.items() if value != "ABSENT"}

    assert judged(posture, held).outcome is outcome


def test_without_the_cmdlet_it_is_unknown(posture: Build) -> None:
    assert find(CHECK, posture({})).outcome is UNKNOWN


@pytest.mark.parametrize(
    ("rights", "outcome"),
    [
        ({"PermissionToRelease": True}, WARN),
        ({"PermissionToRelease": False}, PASS),
        ("[PermissionToViewHeader: True PermissionToRelease: False]", PASS),
        ({}, UNKNOWN),
    ],
)
def test_a_quarantine_policy_of_ours_is_looked_up(posture: Build, rights: object, outcome: Outcome) -> None:
    ours = {**GOOD, "HighConfidencePhishQuarantineTag": "Ours"}
    objects = {
        "Get-HostedContentFilterPolicy": [ours],
        "Get-QuarantinePolicy": [{"Name": "Ours", "EndUserQuarantinePermissions": rights}],
    }

    assert find(CHECK, posture(objects)).outcome is outcome
