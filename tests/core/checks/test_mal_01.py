"""MAL-01: Safe Links."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from portero.core.checks.mal_01 import CHECK
from portero.core.finding import Finding, Outcome, find

Build = Callable[..., Any]
PASS, WARN, FAIL = Outcome.PASS, Outcome.WARN, Outcome.FAIL
UNKNOWN, NOT_APPLICABLE = Outcome.UNKNOWN, Outcome.NOT_APPLICABLE

GOOD: dict[str, object] = {
    "Name": "Built-In Protection Policy",
    "IsBuiltInProtection": True,
    "EnableSafeLinksForEmail": True,
    "EnableForInternalSenders": True,
    "ScanUrls": True,
    "DeliverMessageAfterScan": True,
    "AllowClickThrough": False,
    "TrackClicks": True,
}


def judged(posture: Build, *policies: dict[str, object], **fields: Any) -> Finding:
    return find(CHECK, posture({"Get-SafeLinksPolicy": policies}, **fields))


@pytest.mark.parametrize(
    ("changed", "outcome"),
    [
        ({}, PASS),
        ({"EnableForInternalSenders": False}, FAIL),
        ({"AllowClickThrough": True}, WARN),
        ({"EnableSafeLinksForEmail": None}, UNKNOWN),
        ({"ScanUrls": "ABSENT"}, UNKNOWN),
    ],
)
def test_each_value_has_its_outcome(posture: Build, changed: dict[str, object], outcome: Outcome) -> None:
    policy = {**GOOD, **changed}
    held = {name: value for name, value in policy.items() if value != "ABSENT"}

    assert judged(posture, held).outcome is outcome


def test_without_the_cmdlet_it_is_unknown(posture: Build) -> None:
    assert find(CHECK, posture({})).outcome is UNKNOWN


def test_without_a_policy_there_is_no_licence_and_it_does_not_apply(posture: Build) -> None:
    assert judged(posture).outcome is NOT_APPLICABLE


def test_a_custom_policy_beside_the_built_in_one_is_judged_for_its_own(posture: Build) -> None:
    ours = {**GOOD, "Name": "Ours", "IsBuiltInProtection": False, "EnableForInternalSenders": False}
    rule = {
        "Name": "Ours", "SafeLinksPolicy": "Ours", "State": "Enabled", "Priority": 0,
        "SentTo": None, "SentToMemberOf": None, "RecipientDomainIs": ["contoso.com"],
        "ExceptIfSentTo": None, "ExceptIfSentToMemberOf": None, "ExceptIfRecipientDomainIs": None,
    }  # fmt: skip
    found = find(CHECK, posture({"Get-SafeLinksPolicy": [GOOD, ours], "Get-SafeLinksRule": [rule]}))

    assert found.outcome is FAIL
    assert found.subjects == ("Ours",)
