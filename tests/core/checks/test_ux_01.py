"""UX-01: Outlook's mark of external mail."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from portero.core.checks.ux_01 import CHECK
from portero.core.finding import Finding, Outcome, find

Build = Callable[..., Any]
PASS, WARN, FAIL = Outcome.PASS, Outcome.WARN, Outcome.FAIL
UNKNOWN, NOT_APPLICABLE = Outcome.UNKNOWN, Outcome.NOT_APPLICABLE

GOOD: dict[str, object] = {"Identity": "org", "Enabled": True, "AllowList": []}


def judged(posture: Build, changed: dict[str, object], **fields: Any) -> Finding:
    return find(CHECK, posture({"Get-ExternalInOutlook": [{**GOOD, **changed}]}, **fields))


@pytest.mark.parametrize(
    ("changed", "outcome"),
    [
        ({}, PASS),
        ({"AllowList": ["partner.example"]}, PASS),
        ({"AllowList": ["contoso.com"]}, FAIL),
        ({"AllowList": ["scanner@contoso.com"]}, FAIL),
        ({"Enabled": False}, FAIL),
        ({"Enabled": None}, UNKNOWN),
    ],
)
def test_each_value_has_its_outcome(posture: Build, changed: dict[str, object], outcome: Outcome) -> None:
    assert judged(posture, changed).outcome is outcome


def test_absent_and_empty_answers_are_unknown(posture: Build) -> None:
    assert find(CHECK, posture({"Get-ExternalInOutlook": [{"Enabled": True}]})).outcome is UNKNOWN
    assert find(CHECK, posture({"Get-ExternalInOutlook": []})).outcome is UNKNOWN
    assert find(CHECK, posture({})).outcome is UNKNOWN


def test_a_rule_that_marks_by_the_origin_makes_the_lack_lighter(posture: Build) -> None:
    rule = {
        "Name": "Mark", "State": "Enabled", "Mode": "Enforce", "PrependSubject": "[EXT] ",
        "HeaderContainsMessageHeader": "X-MS-Exchange-Organization-AuthAs", "HeaderContainsWords": ["Anonymous"],
    }  # fmt: skip

    def outcome(changed: dict[str, object]) -> Outcome:
        tag = {**GOOD, "Enabled": False}
        return find(
            CHECK, posture({"Get-ExternalInOutlook": [tag], "Get-TransportRule": [{**rule, **changed}]})
        ).outcome

    assert outcome({}) is WARN
    assert outcome({"State": "Disabled"}) is FAIL
    assert outcome({"HeaderContainsMessageHeader": "Subject"}) is FAIL


def test_a_list_is_not_judged_without_our_domains(posture: Build) -> None:
    assert judged(posture, {"AllowList": ["partner.example"]}, domains=()).outcome is UNKNOWN


def test_the_entry_is_taken_off_and_put_back(posture: Build) -> None:
    found = judged(posture, {"AllowList": ["contoso.com"]})

    assert "Set-ExternalInOutlook -AllowList @{Remove='contoso.com'}" in str(found.fix)
    assert "Set-ExternalInOutlook -AllowList @{Add='contoso.com'}" in str(found.undo)
