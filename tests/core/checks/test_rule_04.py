"""RULE-04: rules that mark external mail."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from portero.core.checks.rule_04 import CHECK
from portero.core.finding import Finding, Outcome, find

Build = Callable[..., Any]
PASS, WARN, FAIL = Outcome.PASS, Outcome.WARN, Outcome.FAIL
UNKNOWN, NOT_APPLICABLE = Outcome.UNKNOWN, Outcome.NOT_APPLICABLE

RULE: dict[str, object] = {
    "Name": "External", "State": "Enabled", "Mode": "Enforce", "Priority": 0, "PrependSubject": "[EXT] ",
    "FromScope": "NotInOrganization",
}  # fmt: skip


def judged(posture: Build, *rules: dict[str, object], **fields: Any) -> Finding:
    return find(CHECK, posture({"Get-TransportRule": rules}, **fields))


@pytest.mark.parametrize(
    ("changed", "outcome"),
    [
        ({}, WARN),
        (
            {
                "HeaderContainsMessageHeader": "X-MS-Exchange-Organization-AuthAs",
                "HeaderContainsWords": ["Anonymous"],
            },
            PASS,
        ),
        ({"PrependSubject": None}, NOT_APPLICABLE),
        ({"FromScope": None}, NOT_APPLICABLE),
        ({"State": "Disabled"}, NOT_APPLICABLE),
        ({"Mode": None}, UNKNOWN),
    ],
)
def test_each_rule_has_its_outcome(posture: Build, changed: dict[str, object], outcome: Outcome) -> None:
    assert judged(posture, {**RULE, **changed}).outcome is outcome


def test_it_does_not_apply_without_rules_or_once_the_door_is_closed(posture: Build) -> None:
    assert judged(posture).outcome is NOT_APPLICABLE
    assert judged(posture, RULE, settings={"reject_direct_send": True}).outcome is NOT_APPLICABLE


def test_without_the_cmdlet_it_is_unknown(posture: Build) -> None:
    assert find(CHECK, posture({})).outcome is UNKNOWN
