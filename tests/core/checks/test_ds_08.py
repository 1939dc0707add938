"""DS-08: the rule that measures."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from portero.core.checks.ds_08 import CHECK
from portero.core.finding import Finding, Outcome, find

Build = Callable[..., Any]
PASS, WARN, FAIL = Outcome.PASS, Outcome.WARN, Outcome.FAIL
UNKNOWN, NOT_APPLICABLE = Outcome.UNKNOWN, Outcome.NOT_APPLICABLE

RULE: dict[str, object] = {
    "Name": "Audit anonymous own-domain", "State": "Enabled", "Mode": "Audit", "Priority": 0,
    "SenderDomainIs": ["contoso.com"], "SenderAddressLocation": "HeaderOrEnvelope",
    "HeaderContainsMessageHeader": "X-MS-Exchange-Organization-AuthAs", "HeaderContainsWords": ["Anonymous"],
}  # fmt: skip


def judged(posture: Build, switch: object, *rules: dict[str, object]) -> Finding:
    organisation = {"Name": "contoso", "RejectDirectSend": switch}
    return find(CHECK, posture({"Get-OrganizationConfig": [organisation], "Get-TransportRule": rules}))


@pytest.mark.parametrize(
    ("changed", "outcome"),
    [
        ({}, PASS),
        ({"Mode": "AuditAndNotify"}, PASS),
        ({"Mode": "Enforce"}, FAIL),
        ({"State": "Disabled"}, FAIL),
        ({"SenderAddressLocation": "Header"}, FAIL),
        ({"SenderDomainIs": ["other.example"]}, FAIL),
        ({"HeaderContainsMessageHeader": "X-Other"}, FAIL),
    ],
)
def test_each_rule_has_its_outcome(posture: Build, changed: dict[str, object], outcome: Outcome) -> None:
    assert judged(posture, False, {**RULE, **changed}).outcome is outcome


def test_it_concerns_only_an_open_door(posture: Build) -> None:
    assert judged(posture, True).outcome is NOT_APPLICABLE
    assert judged(posture, None).outcome is FAIL
    assert judged(posture, None, {"Name": "x"}).outcome is UNKNOWN
    assert (
        find(CHECK, posture({"Get-OrganizationConfig": [{"Name": "x"}], "Get-TransportRule": []})).outcome
        is UNKNOWN
    )
    assert find(CHECK, posture({})).outcome is UNKNOWN


def test_the_rule_is_made_and_removed(posture: Build) -> None:
    found = judged(posture, False)

    assert "-Mode 'Audit' -SenderDomainIs @('contoso.com')" in str(found.fix)
    assert "Remove-TransportRule -Identity 'Audit anonymous own-domain'" in str(found.undo)
