"""SPAM-02: allowed senders."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from portero.core.checks.spam_02 import CHECK
from portero.core.finding import Finding, Outcome, find

Build = Callable[..., Any]
PASS, WARN, FAIL = Outcome.PASS, Outcome.WARN, Outcome.FAIL
UNKNOWN, NOT_APPLICABLE = Outcome.UNKNOWN, Outcome.NOT_APPLICABLE

GOOD: dict[str, object] = {"Name": "Default", "IsDefault": True, "AllowedSenders": []}


def judged(posture: Build, *policies: dict[str, object], **fields: Any) -> Finding:
    return find(CHECK, posture({"Get-HostedContentFilterPolicy": policies}, **fields))


@pytest.mark.parametrize(
    ("changed", "outcome"),
    [
        ({}, PASS),
        ({"AllowedSenders": None}, PASS),
        ({"AllowedSenders": ["scanner@contoso.com"]}, FAIL),
        ({"AllowedSenders": [{"Sender": {"Address": "scanner@contoso.com"}}]}, FAIL),
        ({"AllowedSenders": [{"Sender": "news@partner.example"}]}, WARN),
        ({"AllowedSenders": "ABSENT"}, UNKNOWN),
    ],
)
def test_each_value_has_its_outcome(posture: Build, changed: dict[str, object], outcome: Outcome) -> None:
    policy = {**GOOD, **changed}
    held = {name: value for name, value in policy.items() if value != "ABSENT"}

    assert judged(posture, held).outcome is outcome


def test_without_the_cmdlet_it_is_unknown(posture: Build) -> None:
    assert find(CHECK, posture({})).outcome is UNKNOWN


def test_the_scanner_is_taken_out_and_put_back_alone(posture: Build) -> None:
    found = judged(posture, {**GOOD, "AllowedSenders": ["scanner@contoso.com", "news@partner.example"]})

    assert "-AllowedSenders @{Remove='scanner@contoso.com'}" in str(found.fix)
    assert "-AllowedSenders @{Add='scanner@contoso.com'}" in str(found.undo)
