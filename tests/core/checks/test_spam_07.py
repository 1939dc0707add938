"""SPAM-07: filtering of internal mail."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from portero.core.checks.spam_07 import CHECK
from portero.core.finding import Finding, Outcome, find

Build = Callable[..., Any]
PASS, WARN, FAIL = Outcome.PASS, Outcome.WARN, Outcome.FAIL
UNKNOWN, NOT_APPLICABLE = Outcome.UNKNOWN, Outcome.NOT_APPLICABLE

GOOD: dict[str, object] = {"Name": "Default", "IsDefault": True, "IntraOrgFilterState": "Default"}


def judged(posture: Build, *policies: dict[str, object], **fields: Any) -> Finding:
    return find(CHECK, posture({"Get-HostedContentFilterPolicy": policies}, **fields))


@pytest.mark.parametrize(
    ("changed", "outcome"),
    [
        ({}, PASS),
        ({"IntraOrgFilterState": "HighConfidencePhish"}, PASS),
        ({"IntraOrgFilterState": "Disabled"}, FAIL),
        ({"IntraOrgFilterState": None}, UNKNOWN),
        ({"IntraOrgFilterState": "ABSENT"}, UNKNOWN),
    ],
)
def test_each_value_has_its_outcome(posture: Build, changed: dict[str, object], outcome: Outcome) -> None:
    policy = {**GOOD, **changed}
    held = {name: value for name, value in policy.items() if value != "ABSENT"}

    assert judged(posture, held).outcome is outcome


def test_without_the_cmdlet_it_is_unknown(posture: Build) -> None:
    assert find(CHECK, posture({})).outcome is UNKNOWN


def test_default_means_nothing_in_a_government_cloud(posture: Build) -> None:
    assert judged(posture, GOOD, domains=("contoso.com", "contoso.onmicrosoft.us")).outcome is FAIL
