"""RULE-02: rules past Safe Links."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from portero.core.address import parse_network
from portero.core.checks.rule_02 import CHECK
from portero.core.finding import Finding, Outcome, find
from portero.core.register import Configuration, KnownNetwork

Build = Callable[..., Any]
PASS, WARN, FAIL = Outcome.PASS, Outcome.WARN, Outcome.FAIL
UNKNOWN, NOT_APPLICABLE = Outcome.UNKNOWN, Outcome.NOT_APPLICABLE

RULE: dict[str, object] = {
    "Name": "Fax", "State": "Enabled", "Mode": "Enforce", "Priority": 0, "SenderIpRanges": None,
    "SetHeaderName": "X-MS-Exchange-Organization-SkipSafeLinksProcessing", "SetHeaderValue": "1",
}  # fmt: skip


def judged(posture: Build, *rules: dict[str, object], **fields: Any) -> Finding:
    return find(CHECK, posture({"Get-TransportRule": rules}, **fields))


@pytest.mark.parametrize(
    ("changed", "outcome"),
    [
        ({}, FAIL),
        ({"SetHeaderName": "x-ms-exchange-organization-skipsafeattachmentprocessing"}, FAIL),
        ({"State": "Disabled"}, PASS),
        ({"Mode": "Audit"}, PASS),
        ({"SetHeaderName": None}, PASS),
        ({"SetHeaderName": "X-Other"}, PASS),
        ({"State": None}, UNKNOWN),
    ],
)
def test_each_rule_has_its_outcome(posture: Build, changed: dict[str, object], outcome: Outcome) -> None:
    assert judged(posture, {**RULE, **changed}).outcome is outcome


def test_a_rule_for_registered_simulations_alone_warns(posture: Build) -> None:
    bound = {**RULE, "SenderIpRanges": ["198.51.100.7"]}
    known = Configuration(
        networks=(KnownNetwork("Training", (parse_network("198.51.100.0/24"),), "partner"),)
    )

    assert judged(posture, bound).outcome is FAIL
    assert judged(posture, bound, configuration=known).outcome is WARN


def test_absent_headers_and_answers_are_unknown(posture: Build) -> None:
    bare = {name: value for name, value in RULE.items() if name != "SetHeaderName"}

    assert judged(posture, bare).outcome is UNKNOWN
    assert judged(posture).outcome is PASS
    assert find(CHECK, posture({})).outcome is UNKNOWN


def test_the_rule_is_disabled_and_enabled_again(posture: Build) -> None:
    found = judged(posture, RULE)

    assert "Disable-TransportRule -Identity 'Fax'" in str(found.fix)
    assert "Enable-TransportRule -Identity 'Fax'" in str(found.undo)
