"""SPOOF-06: impersonation of people and of our domains."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from portero.core.checks.spoof_06 import CHECK
from portero.core.finding import Finding, Outcome, find
from portero.core.register import Configuration

Build = Callable[..., Any]
PASS, WARN, FAIL = Outcome.PASS, Outcome.WARN, Outcome.FAIL
UNKNOWN, NOT_APPLICABLE = Outcome.UNKNOWN, Outcome.NOT_APPLICABLE

GOOD: dict[str, object] = {
    "Name": "Default",
    "IsDefault": True,
    "EnableOrganizationDomainsProtection": True,
    "TargetedDomainProtectionAction": "Quarantine",
    "EnableTargetedUserProtection": True,
    "TargetedUserProtectionAction": "Quarantine",
    "TargetedUsersToProtect": ["Ana Ruiz;ana@contoso.com"],
}


def judged(posture: Build, *policies: dict[str, object], **fields: Any) -> Finding:
    return find(CHECK, posture({"Get-AntiPhishPolicy": policies}, **fields))


@pytest.mark.parametrize(
    ("changed", "outcome"),
    [
        ({"EnableOrganizationDomainsProtection": False}, FAIL),
        ({"TargetedDomainProtectionAction": "NoAction"}, FAIL),
        ({}, UNKNOWN),
        ({"EnableOrganizationDomainsProtection": "ABSENT"}, UNKNOWN),
    ],
)
def test_each_value_has_its_outcome(posture: Build, changed: dict[str, object], outcome: Outcome) -> None:
    policy = {**GOOD, **changed}
    held = {name: value for name, value in policy.items() if value != "ABSENT"}

    assert judged(posture, held).outcome is outcome


def test_without_the_cmdlet_it_is_unknown(posture: Build) -> None:
    assert find(CHECK, posture({})).outcome is UNKNOWN


@pytest.mark.parametrize(
    ("changed", "outcome"),
    [
        ({}, PASS),
        ({"TargetedUserProtectionAction": "MoveToJmf"}, WARN),
        ({"EnableTargetedUserProtection": False}, FAIL),
        ({"TargetedUsersToProtect": []}, FAIL),
        ({"TargetedUsersToProtect": None}, FAIL),
        ({"EnableTargetedUserProtection": None}, UNKNOWN),
    ],
)
def test_with_people_named_they_are_looked_for(
    posture: Build, changed: dict[str, object], outcome: Outcome
) -> None:
    named = Configuration(people=("Ana Ruiz;ana@contoso.com",))

    assert judged(posture, {**GOOD, **changed}, configuration=named).outcome is outcome


def test_whoever_is_missing_is_added_and_taken_out_again(posture: Build) -> None:
    named = Configuration(people=("Ana Ruiz;ana@contoso.com", "Luis Gil;luis@contoso.com"))
    found = judged(posture, GOOD, configuration=named)

    assert "-TargetedUsersToProtect @{Add='Luis Gil;luis@contoso.com'}" in str(found.fix)
    assert "@{Remove='Luis Gil;luis@contoso.com'}" in str(found.undo)


def test_without_defender_it_does_not_apply(posture: Build) -> None:
    found = find(CHECK, posture({"Get-AntiPhishPolicy": [GOOD], "Get-SafeLinksPolicy": []}))

    assert found.outcome is NOT_APPLICABLE
