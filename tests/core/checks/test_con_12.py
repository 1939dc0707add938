"""CON-12: address entries."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from portero.core.checks.con_12 import CHECK
from portero.core.finding import Finding, Outcome, find
from support.connectors import CONNECTOR

Build = Callable[..., Any]
PASS, WARN, FAIL = Outcome.PASS, Outcome.WARN, Outcome.FAIL
UNKNOWN, NOT_APPLICABLE = Outcome.UNKNOWN, Outcome.NOT_APPLICABLE


def judged(posture: Build, *connectors: dict[str, object], **fields: Any) -> Finding:
    return find(CHECK, posture({"Get-InboundConnector": connectors}, **fields))


@pytest.mark.parametrize(
    ("entries", "outcome"),
    [
        (["203.0.113.10", "198.51.100.0/24"], PASS),
        ([], PASS),
        (None, PASS),
        (["10.1.2.3"], FAIL),
        (["2001:db8::1"], FAIL),
        (["198.51.0.0/16"], FAIL),
        (["not an address"], FAIL),
        (["203.0.113.9/29"], WARN),
    ],
)
def test_each_entry_has_its_outcome(posture: Build, entries: object, outcome: Outcome) -> None:
    assert judged(posture, {**CONNECTOR, "SenderIPAddresses": entries}).outcome is outcome


def test_absent_is_unknown(posture: Build) -> None:
    assert judged(posture, {"Name": "x"}).outcome is UNKNOWN
    assert find(CHECK, posture({})).outcome is UNKNOWN
    assert judged(posture).outcome is PASS


def test_a_crooked_block_is_written_straight_and_back(posture: Build) -> None:
    found = judged(posture, {**CONNECTOR, "SenderIPAddresses": ["203.0.113.9/29"]})

    assert "@{Add='203.0.113.8/29'}" in str(found.fix)
    assert "@{Remove='203.0.113.9/29'}" in str(found.fix)
    assert str(found.undo).index("@{Add='203.0.113.9/29'}") < str(found.undo).index(
        "@{Remove='203.0.113.8/29'}"
    )
