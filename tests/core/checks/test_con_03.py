"""CON-03: how wide connectors' lists are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from portero.core.checks.con_03 import CHECK
from portero.core.finding import Finding, Outcome, find
from support.connectors import CONNECTOR, known

Build = Callable[..., Any]
PASS, WARN, FAIL = Outcome.PASS, Outcome.WARN, Outcome.FAIL
UNKNOWN, NOT_APPLICABLE = Outcome.UNKNOWN, Outcome.NOT_APPLICABLE


def judged(posture: Build, *connectors: dict[str, object], **fields: Any) -> Finding:
    return find(CHECK, posture({"Get-InboundConnector": connectors}, **fields))


@pytest.mark.parametrize(
    ("changed", "outcome"),
    [
        ({}, PASS),
        ({"SenderIPAddresses": []}, PASS),
        ({"SenderIPAddresses": ["10.0.0.5"]}, FAIL),
        ({"SenderIPAddresses": ["nonsense"]}, FAIL),
        ({"SenderIPAddresses": [f"198.51.{number}.0/24" for number in range(5)]}, FAIL),
        ({"SenderIPAddresses": ["198.51.100.7"]}, UNKNOWN),
        ({"Enabled": False}, NOT_APPLICABLE),
    ],
)
def test_each_list_has_its_outcome(posture: Build, changed: dict[str, object], outcome: Outcome) -> None:
    assert judged(posture, {**CONNECTOR, **changed}, configuration=known("devices")).outcome is outcome


def test_wide_ranges_that_are_registered_pass(posture: Build) -> None:
    wide = {**CONNECTOR, "SenderIPAddresses": ["198.51.0.0/18"]}

    assert judged(posture, wide, configuration=known("partner", "198.51.0.0/16")).outcome is PASS


@pytest.mark.parametrize(
    ("ranges", "outcome"),
    [
        (["198.51.100.0/24"], WARN),
        (["198.51.100.7", "203.0.113.10"], WARN),
        (["198.51.100.0/24", "192.0.2.7"], UNKNOWN),
        (["198.51.0.0/16"], FAIL),
        (["198.51.100.0-198.51.102.9"], UNKNOWN),
        (["203.0.113.10"], PASS),
    ],
)
def test_ranges_that_a_vendor_publishes_for_all_its_customers_warn(
    posture: Build, ranges: list[str], outcome: Outcome
) -> None:
    dns = {
        ("contoso.com", "TXT"): ["v=spf1 include:_spf.vendor.example ip4:192.0.2.7 -all"],
        ("_spf.vendor.example", "TXT"): ["v=spf1 ip4:198.51.100.0/24 ip4:198.51.102.0/24 -all"],
    }
    found = judged(
        posture, {**CONNECTOR, "SenderIPAddresses": ranges}, dns=dns, configuration=known("devices")
    )

    assert found.outcome is outcome
    assert outcome is not WARN or "_spf.vendor.example" in str(found.because)


def test_absent_lists_and_answers_are_unknown(posture: Build) -> None:
    bare = {name: value for name, value in CONNECTOR.items() if name != "SenderIPAddresses"}

    assert judged(posture, bare).outcome is UNKNOWN
    assert judged(posture).outcome is PASS
    assert find(CHECK, posture({})).outcome is UNKNOWN


def test_the_block_is_taken_out_and_put_back(posture: Build) -> None:
    found = judged(posture, {**CONNECTOR, "SenderIPAddresses": ["10.0.0.5", "203.0.113.10"]})

    assert "-SenderIPAddresses @{Remove='10.0.0.5'}" in str(found.fix)
    assert "-SenderIPAddresses @{Add='10.0.0.5'}" in str(found.undo)
