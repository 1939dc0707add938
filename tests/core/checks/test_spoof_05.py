"""SPOOF-05: the protection level of every recipient."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from portero.core.checks.spoof_05 import CHECK
from portero.core.finding import Finding, Outcome, find

Build = Callable[..., Any]
PASS, WARN, FAIL = Outcome.PASS, Outcome.WARN, Outcome.FAIL
UNKNOWN, NOT_APPLICABLE = Outcome.UNKNOWN, Outcome.NOT_APPLICABLE

PHISH: dict[str, object] = {
    "Name": "Default", "IsDefault": True, "Enabled": True, "EnableSpoofIntelligence": True,
    "HonorDmarcPolicy": True, "AuthenticationFailAction": "MoveToJmf",
}  # fmt: skip
SPAM: dict[str, object] = {
    "Name": "Default", "IsDefault": True, "SpamAction": "MoveToJmf", "HighConfidenceSpamAction": "Quarantine",
    "BulkSpamAction": "MoveToJmf", "BulkThreshold": 6, "MarkAsSpamBulkMail": "On", "PhishSpamAction": "Quarantine",
    "HighConfidencePhishAction": "Quarantine", "QuarantineRetentionPeriod": 30,
}  # fmt: skip
RULE: dict[str, object] = {
    "Name": "Standard Preset Security Policy", "State": "Enabled", "Priority": 0,
    "AntiPhishPolicy": "Standard Preset Security Policy1", "HostedContentFilterPolicy": "Standard Preset Security Policy1",
    "SentTo": None, "SentToMemberOf": None, "RecipientDomainIs": ["contoso.com"],
    "ExceptIfSentTo": None, "ExceptIfSentToMemberOf": None, "ExceptIfRecipientDomainIs": None,
}  # fmt: skip


def judged(posture: Build, rules: object, phish: object = None, spam: object = None) -> Finding:
    preset = {"Name": "Standard Preset Security Policy1", "RecommendedPolicyType": "Standard"}
    objects = {
        "Get-AntiPhishPolicy": [{**PHISH, **preset, "IsDefault": False}, phish or PHISH],
        "Get-HostedContentFilterPolicy": [{**SPAM, **preset, "IsDefault": False}, spam or SPAM],
        "Get-EOPProtectionPolicyRule": rules,
    }
    return find(CHECK, posture(objects))


def test_a_preset_for_everyone_and_a_default_as_strict_pass(posture: Build) -> None:
    assert judged(posture, [RULE]).outcome is PASS


def test_without_preset_rules_a_default_as_strict_passes(posture: Build) -> None:
    assert judged(posture, []).outcome is PASS


def test_a_preset_that_is_off_fails_and_can_be_switched_on(posture: Build) -> None:
    found = judged(posture, [{**RULE, "State": "Disabled"}])

    assert found.outcome is FAIL
    assert "Enable-EOPProtectionPolicyRule -Identity 'Standard Preset Security Policy'" in str(found.fix)
    assert "Disable-EOPProtectionPolicyRule" in str(found.undo)


def test_a_weak_default_under_a_preset_for_one_domain_fails(posture: Build) -> None:
    assert judged(posture, [RULE], spam={**SPAM, "HighConfidenceSpamAction": "MoveToJmf"}).outcome is FAIL


@pytest.mark.parametrize(
    ("changed", "outcome"),
    [
        ({"ExceptIfSentTo": ["ana@contoso.com"]}, FAIL),
        ({"ExceptIfSentToMemberOf": ["tickets@contoso.com"]}, WARN),
        ({"State": None}, UNKNOWN),
    ],
)
def test_exceptions_and_states_have_their_outcome(
    posture: Build, changed: dict[str, object], outcome: Outcome
) -> None:
    assert judged(posture, [{**RULE, **changed}]).outcome is outcome


def test_a_value_that_was_not_exported_is_unknown(posture: Build) -> None:
    bare = {name: value for name, value in SPAM.items() if name != "BulkThreshold"}

    assert judged(posture, [], spam=bare).outcome is UNKNOWN
    assert find(CHECK, posture({})).outcome is UNKNOWN
