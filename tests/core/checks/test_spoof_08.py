"""SPOOF-08: exclusions from anti-phishing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from portero.core.checks.spoof_08 import CHECK
from portero.core.finding import Finding, Outcome, find

Build = Callable[..., Any]
PASS, WARN, FAIL = Outcome.PASS, Outcome.WARN, Outcome.FAIL
UNKNOWN, NOT_APPLICABLE = Outcome.UNKNOWN, Outcome.NOT_APPLICABLE

GOOD: dict[str, object] = {
    "Name": "Default",
    "IsDefault": True,
    "ExcludedDomains": [],
    "ExcludedSenders": [],
    "ExcludedSubDomains": [],
}


def judged(posture: Build, *policies: dict[str, object], **fields: Any) -> Finding:
    return find(CHECK, posture({"Get-AntiPhishPolicy": policies}, **fields))


@pytest.mark.parametrize(
    ("changed", "outcome"),
    [
        ({}, PASS),
        ({"ExcludedDomains": ["contoso.com"]}, FAIL),
        ({"ExcludedSenders": ["app@sub.contoso.com"]}, FAIL),
        ({"ExcludedDomains": ["partner.example"]}, WARN),
        ({"ExcludedDomains": None}, PASS),
        ({"ExcludedDomains": "ABSENT"}, UNKNOWN),
        ({"ExcludedSubDomains": "ABSENT"}, UNKNOWN),
    ],
)
def test_each_value_has_its_outcome(posture: Build, changed: dict[str, object], outcome: Outcome) -> None:
    policy = {**GOOD, **changed}
    held = {name: value for name, value in policy.items() if value != "ABSENT"}

    assert judged(posture, held).outcome is outcome


def test_without_the_cmdlet_it_is_unknown(posture: Build) -> None:
    assert find(CHECK, posture({})).outcome is UNKNOWN


def test_only_our_own_entry_is_taken_out(posture: Build) -> None:
    found = judged(posture, {**GOOD, "ExcludedDomains": ["contoso.com", "partner.example"]})

    assert "-ExcludedDomains @{Remove='contoso.com'}" in str(found.fix)
    assert "-ExcludedDomains @{Add='contoso.com'}" in str(found.undo)
