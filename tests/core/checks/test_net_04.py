"""NET-04: relays of our own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from portero.core.address import parse_network
from portero.core.checks.net_04 import CHECK
from portero.core.finding import Finding, Outcome, find
from portero.core.register import Configuration, KnownNetwork

Build = Callable[..., Any]
PASS, WARN, FAIL = Outcome.PASS, Outcome.WARN, Outcome.FAIL
UNKNOWN, NOT_APPLICABLE = Outcome.UNKNOWN, Outcome.NOT_APPLICABLE

CONNECTOR: dict[str, object] = {
    "Name": "Relay", "Enabled": True, "RemoteIPRanges": ["10.2.3.0/28"], "AuthMechanism": "Tls, ExternalAuthoritative",
    "PermissionGroups": "ExchangeServers", "ProtocolLoggingLevel": "Verbose",
}  # fmt: skip


def judged(posture: Build, *connectors: dict[str, object], **fields: Any) -> Finding:
    return find(CHECK, posture({"Get-ReceiveConnector": connectors}, **fields))


@pytest.mark.parametrize(
    ("changed", "outcome"),
    [
        ({}, PASS),
        ({"RemoteIPRanges": ["0.0.0.0-255.255.255.255"]}, FAIL),
        ({"RemoteIPRanges": ["10.2.0.0/16"]}, FAIL),
        ({"ProtocolLoggingLevel": "None"}, WARN),
        ({"AuthMechanism": "Tls", "PermissionGroups": "AnonymousUsers"}, UNKNOWN),
        ({"AuthMechanism": "Tls, Integrated"}, PASS),
        ({"Enabled": False}, NOT_APPLICABLE),
    ],
)
def test_each_connector_has_its_outcome(posture: Build, changed: dict[str, object], outcome: Outcome) -> None:
    assert judged(posture, {**CONNECTOR, **changed}).outcome is outcome


def test_a_segment_of_people_fails_however_small(posture: Build) -> None:
    people = Configuration(networks=(KnownNetwork("Office", (parse_network("10.2.3.0/24"),), "users"),))

    assert judged(posture, CONNECTOR, configuration=people).outcome is FAIL


def test_absent_and_no_answers(posture: Build) -> None:
    assert judged(posture, {"Name": "x"}).outcome is UNKNOWN
    assert judged(posture).outcome is NOT_APPLICABLE
    assert find(CHECK, posture({})).outcome is UNKNOWN
