"""NET-03: addresses that others share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from portero.core.address import parse_network
from portero.core.checks.net_03 import CHECK
from portero.core.finding import Finding, Outcome, find
from portero.core.register import Configuration, KnownNetwork

Build = Callable[..., Any]
PASS, WARN, FAIL = Outcome.PASS, Outcome.WARN, Outcome.FAIL
UNKNOWN, NOT_APPLICABLE = Outcome.UNKNOWN, Outcome.NOT_APPLICABLE

CONNECTOR: dict[str, object] = {"Name": "Devices", "Enabled": True, "SenderIPAddresses": ["203.0.113.10"]}


def judged(posture: Build, changed: dict[str, object], **uses: str) -> Finding:
    places = tuple(
        KnownNetwork(name, (parse_network(network.replace("_", "/")),), use)
        for name, (network, use) in ((name, text.split(" ")) for name, text in uses.items())
    )
    objects = {"Get-InboundConnector": [{**CONNECTOR, **changed}]}
    return find(CHECK, posture(objects, configuration=Configuration(networks=places)))


@pytest.mark.parametrize(
    ("use", "outcome"),
    [
        ("devices", PASS),
        ("applications", PASS),
        ("relay", PASS),
        ("partner", PASS),
        ("users", FAIL),
        ("guest", FAIL),
    ],
)
def test_the_use_of_the_network_decides(posture: Build, use: str, outcome: Outcome) -> None:
    assert judged(posture, {}, hq=f"203.0.113.0/24 {use}").outcome is outcome


def test_an_address_that_guests_share_with_devices_fails(posture: Build) -> None:
    assert judged(posture, {}, hq="203.0.113.0/24 devices", wifi="203.0.113.10/32 guest").outcome is FAIL


def test_what_nobody_registered_is_unknown(posture: Build) -> None:
    assert judged(posture, {}).outcome is UNKNOWN
    assert find(CHECK, posture({"Get-InboundConnector": [{"Name": "x", "Enabled": True}]})).outcome is UNKNOWN
    assert find(CHECK, posture({})).outcome is UNKNOWN


@pytest.mark.parametrize("changed", [{"Enabled": False}, {"SenderIPAddresses": []}])
def test_connectors_without_addresses_or_off_do_not_apply(posture: Build, changed: dict[str, object]) -> None:
    assert judged(posture, changed).outcome is NOT_APPLICABLE
    assert find(CHECK, posture({"Get-InboundConnector": []})).outcome is NOT_APPLICABLE
