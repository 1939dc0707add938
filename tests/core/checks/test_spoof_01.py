"""SPOOF-01: spoof intelligence where it counts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from portero.core.checks.spoof_01 import CHECK
from portero.core.finding import Finding, Outcome, Severity, find

Build = Callable[..., Any]
ON: dict[str, object] = {
    "Name": "Default",
    "IsDefault": True,
    "Enabled": True,
    "EnableSpoofIntelligence": True,
}
SALES: dict[str, object] = {
    "Name": "Sales",
    "IsDefault": False,
    "Enabled": True,
    "EnableSpoofIntelligence": False,
}
EVERY: dict[str, object] = {
    "SentTo": None,
    "SentToMemberOf": None,
    "RecipientDomainIs": None,
    "ExceptIfSentTo": None,
    "ExceptIfSentToMemberOf": None,
    "ExceptIfRecipientDomainIs": None,
}
RULE = {
    **EVERY,
    "Name": "Sales rule",
    "AntiPhishPolicy": "Sales",
    "State": "Enabled",
    "Priority": 0,
    "SentToMemberOf": ["sales@contoso.com"],
}


def judged(
    posture: Build, *policies: dict[str, object], rules: tuple[dict[str, object], ...] | None = ()
) -> Finding:
    objects: dict[str, Any] = {"Get-AntiPhishPolicy": policies}
    if rules is not None:
        objects["Get-AntiPhishRule"] = rules
    return find(CHECK, posture(objects))


def test_on_everywhere_passes(posture: Build) -> None:
    assert judged(posture, ON).outcome is Outcome.PASS


def test_a_group_under_a_policy_with_it_off_fails_by_name_though_the_default_is_right(posture: Build) -> None:
    found = judged(posture, ON, SALES, rules=(RULE,))

    assert (found.outcome, found.severity) == (Outcome.FAIL, Severity.CRITICAL)
    assert "sales@contoso.com" in str(found.because)
    assert "-Identity 'Sales' -EnableSpoofIntelligence $true" in str(found.fix)
    assert "-Identity 'Sales' -EnableSpoofIntelligence $false" in str(found.undo)


def test_a_policy_that_applies_to_nobody_is_not_judged(posture: Build) -> None:
    assert judged(posture, ON, SALES, rules=()).outcome is Outcome.PASS
    assert judged(posture, ON, SALES, rules=({**RULE, "State": "Disabled"},)).outcome is Outcome.PASS


def test_a_weak_default_that_a_rule_for_everyone_hides_passes(posture: Build) -> None:
    weak = {**ON, "EnableSpoofIntelligence": False}
    strong = {**SALES, "EnableSpoofIntelligence": True}

    assert judged(posture, weak, strong, rules=({**RULE, "SentToMemberOf": None},)).outcome is Outcome.PASS


def test_without_the_rules_a_weak_policy_is_unknown_and_only_strong_ones_pass(posture: Build) -> None:
    strong = {**SALES, "EnableSpoofIntelligence": True}

    assert judged(posture, ON, SALES, rules=None).outcome is Outcome.UNKNOWN
    assert judged(posture, ON, strong, rules=None).outcome is Outcome.PASS


def test_null_and_absent_are_unknown(posture: Build) -> None:
    assert judged(posture, {**ON, "EnableSpoofIntelligence": None}).outcome is Outcome.UNKNOWN
    assert judged(posture, {"Name": "Default", "IsDefault": True}).outcome is Outcome.UNKNOWN


def test_a_policy_that_was_not_exported_is_unknown(posture: Build) -> None:
    assert judged(posture, ON, rules=(RULE,)).outcome is Outcome.UNKNOWN


def test_an_empty_or_missing_answer_is_unknown(posture: Build) -> None:
    assert judged(posture).outcome is Outcome.UNKNOWN
    assert find(CHECK, posture({})).outcome is Outcome.UNKNOWN
