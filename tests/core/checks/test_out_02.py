"""OUT-02: sending limits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from portero.core.checks.out_02 import CHECK
from portero.core.finding import Finding, Outcome, find

Build = Callable[..., Any]
PASS, WARN, FAIL = Outcome.PASS, Outcome.WARN, Outcome.FAIL
UNKNOWN, NOT_APPLICABLE = Outcome.UNKNOWN, Outcome.NOT_APPLICABLE

GOOD: dict[str, object] = {
    "Name": "Default",
    "IsDefault": True,
    "RecipientLimitExternalPerHour": 500,
    "RecipientLimitInternalPerHour": 1000,
    "RecipientLimitPerDay": 1000,
    "ActionWhenThresholdReached": "BlockUser",
}


def judged(posture: Build, *policies: dict[str, object], **fields: Any) -> Finding:
    return find(CHECK, posture({"Get-HostedOutboundSpamFilterPolicy": policies}, **fields))


@pytest.mark.parametrize(
    ("changed", "outcome"),
    [
        ({}, PASS),
        ({"RecipientLimitPerDay": 0}, FAIL),
        ({"RecipientLimitExternalPerHour": 501}, FAIL),
        ({"ActionWhenThresholdReached": "Alert"}, FAIL),
        ({"ActionWhenThresholdReached": "BlockUserForToday"}, WARN),
        ({"RecipientLimitPerDay": None}, UNKNOWN),
        ({"RecipientLimitPerDay": "ABSENT"}, UNKNOWN),
    ],
)
def test_each_value_has_its_outcome(posture: Build, changed: dict[str, object], outcome: Outcome) -> None:
    policy = {**GOOD, **changed}
    held = {name: value for name, value in policy.items() if value != "ABSENT"}

    assert judged(posture, held).outcome is outcome


def test_without_the_cmdlet_it_is_unknown(posture: Build) -> None:
    assert find(CHECK, posture({})).outcome is UNKNOWN


def test_a_rule_by_sender_takes_its_people_out_of_the_default(posture: Build) -> None:
    loose = {**GOOD, "Name": "News", "IsDefault": False, "RecipientLimitPerDay": 0}
    rule = {
        "Name": "News", "HostedOutboundSpamFilterPolicy": "News", "State": "Enabled", "Priority": 0,
        "From": ["news@contoso.com"], "FromMemberOf": None, "SenderDomainIs": None,
        "ExceptIfFrom": None, "ExceptIfFromMemberOf": None, "ExceptIfSenderDomainIs": None,
    }  # fmt: skip
    objects = {
        "Get-HostedOutboundSpamFilterPolicy": [GOOD, loose],
        "Get-HostedOutboundSpamFilterRule": [rule],
    }
    found = find(CHECK, posture(objects))

    assert found.outcome is FAIL
    assert "news@contoso.com" in str(found.because)
