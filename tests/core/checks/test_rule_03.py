"""RULE-03: home-made rules against spoofing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from portero.core.checks.rule_03 import CHECK
from portero.core.finding import Finding, Outcome, find

Build = Callable[..., Any]
PASS, WARN, FAIL = Outcome.PASS, Outcome.WARN, Outcome.FAIL
UNKNOWN, NOT_APPLICABLE = Outcome.UNKNOWN, Outcome.NOT_APPLICABLE

RULE: dict[str, object] = {
    "Name": "No spoofing", "State": "Enabled", "Mode": "Enforce", "Priority": 0, "SenderDomainIs": ["contoso.com"],
    "SenderAddressLocation": "HeaderOrEnvelope", "Quarantine": True,
    "HeaderContainsMessageHeader": "X-MS-Exchange-Organization-AuthAs", "HeaderContainsWords": ["Anonymous"],
    "ExceptIfHeaderMatchesMessageHeader": "Authentication-Results", "ExceptIfHeaderMatchesPatterns": ["dmarc=pass"],
}  # fmt: skip
# All that it could do, and does not.
IDLE: dict[str, object] = {
    "Quarantine": False, "DeleteMessage": False, "RejectMessageReasonText": None,
    "RejectMessageEnhancedStatusCode": None, "SetSCL": None,
}  # fmt: skip


def judged(posture: Build, *rules: dict[str, object], **fields: Any) -> Finding:
    return find(CHECK, posture({"Get-TransportRule": rules}, **fields))


@pytest.mark.parametrize(
    ("changed", "outcome"),
    [
        ({}, PASS),
        ({"ExceptIfFrom": ["boss@contoso.com"]}, FAIL),
        ({"ExceptIfHeaderContainsMessageHeader": "X-Ours", "ExceptIfHeaderContainsWords": ["1"]}, FAIL),
        ({"SenderAddressLocation": "Header"}, WARN),
        (
            {"HeaderContainsMessageHeader": None, "HeaderContainsWords": None, "FromScope": "NotInOrganization",
             "ExceptIfHeaderMatchesMessageHeader": None, "ExceptIfHeaderMatchesPatterns": None},
            WARN,
        ),
        ({"State": None}, UNKNOWN),
        ({"State": "Disabled"}, NOT_APPLICABLE),
        ({"Quarantine": False}, UNKNOWN),
        (IDLE, NOT_APPLICABLE),
        ({"SenderDomainIs": ["other.example"]}, NOT_APPLICABLE),
    ],
)  # fmt: skip
def test_each_rule_has_its_outcome(posture: Build, changed: dict[str, object], outcome: Outcome) -> None:
    assert judged(posture, {**RULE, **changed}).outcome is outcome


def test_none_is_needed_once_the_door_is_closed(posture: Build) -> None:
    off = {**RULE, "State": "Disabled"}

    assert judged(posture, off, settings={"reject_direct_send": True}).outcome is PASS
    assert find(CHECK, posture({})).outcome is UNKNOWN


def test_the_rule_goes_into_audit_mode_and_back(posture: Build) -> None:
    found = judged(posture, {**RULE, "ExceptIfFrom": ["boss@contoso.com"]})

    assert "-Identity 'No spoofing' -Mode 'AuditAndNotify'" in str(found.fix)
    assert "-Identity 'No spoofing' -Mode 'Enforce'" in str(found.undo)
