"""AUTH-05: legacy authentication."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from portero.core.checks.auth_05 import CHECK
from portero.core.finding import Finding, Outcome, find

Build = Callable[..., Any]
PASS, WARN, FAIL = Outcome.PASS, Outcome.WARN, Outcome.FAIL
UNKNOWN, NOT_APPLICABLE = Outcome.UNKNOWN, Outcome.NOT_APPLICABLE

POLICY: dict[str, Any] = {
    "id": "1", "displayName": "Block legacy", "state": "enabled",
    "conditions": {
        "clientAppTypes": ["exchangeActiveSync", "other"],
        "users": {"includeUsers": ["All"], "excludeUsers": [], "excludeGroups": []},
    },
    "grantControls": {"operator": "OR", "builtInControls": ["block"]},
}  # fmt: skip


def judged(posture: Build, *policies: dict[str, Any]) -> Finding:
    return find(CHECK, posture({"Get-MgIdentityConditionalAccessPolicy": policies}))


def changed(**parts: Any) -> dict[str, Any]:
    return {**POLICY, **parts}


USERS = {"clientAppTypes": ["exchangeActiveSync", "other"]}


@pytest.mark.parametrize(
    ("policy", "outcome"),
    [
        (POLICY, PASS),
        ({"Id": "1", "State": "enabled", "Conditions": {"ClientAppTypes": ["exchangeActiveSync", "other"],
          "Users": {"IncludeUsers": ["All"], "ExcludeUsers": []}}, "GrantControls": {"BuiltInControls": ["block"]}}, PASS),
        (changed(state="enabledForReportingButNotEnforced"), WARN),
        (changed(conditions={**USERS, "users": {"includeUsers": ["All"], "excludeUsers": ["b1"]}}), WARN),
        (changed(state="disabled"), FAIL),
        (changed(conditions={**USERS, "users": {"includeUsers": ["u1"]}}), FAIL),
        (changed(conditions={"clientAppTypes": ["other"], "users": {"includeUsers": ["All"]}}), FAIL),
        (changed(grantControls={"builtInControls": ["mfa"]}), FAIL),
        (changed(grantControls=None), FAIL),
        (changed(state=None), UNKNOWN),
        (changed(conditions={**USERS, "users": {"includeUsers": ["All"]}}), UNKNOWN),
    ],
)  # fmt: skip
def test_each_policy_has_its_outcome(posture: Build, policy: dict[str, Any], outcome: Outcome) -> None:
    assert judged(posture, policy).outcome is outcome


def test_no_policy_fails_and_no_answer_is_unknown(posture: Build) -> None:
    assert judged(posture).outcome is FAIL
    assert find(CHECK, posture({})).outcome is UNKNOWN
