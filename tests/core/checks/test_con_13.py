"""CON-13: ways out of the tenant."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from portero.core.address import parse_network
from portero.core.checks.con_13 import CHECK
from portero.core.finding import Finding, Outcome, find
from portero.core.register import Configuration, KnownNetwork

Build = Callable[..., Any]
PASS, WARN, FAIL = Outcome.PASS, Outcome.WARN, Outcome.FAIL
UNKNOWN, NOT_APPLICABLE = Outcome.UNKNOWN, Outcome.NOT_APPLICABLE

CONNECTOR: dict[str, object] = {
    "Name": "Out", "Enabled": True, "SmartHosts": ["relay.contoso.com"], "RecipientDomains": ["*"],
    "TlsSettings": "EncryptionOnly", "Comment": "it@contoso.com", "ConnectorSource": "AdminUI",
}  # fmt: skip
HQ = Configuration(networks=(KnownNetwork("HQ", (parse_network("203.0.113.0/24"),), "relay"),))


def judged(posture: Build, *connectors: dict[str, object], **fields: Any) -> Finding:
    return find(CHECK, posture({"Get-OutboundConnector": connectors}, **fields))


@pytest.mark.parametrize(
    ("changed", "outcome"),
    [
        ({}, PASS),
        ({"SmartHosts": ["203.0.113.9"]}, PASS),
        ({"SmartHosts": ["[203.0.113.9]"]}, PASS),
        ({"SmartHosts": []}, PASS),
        ({"SmartHosts": ["relay.other.example"]}, FAIL),
        ({"SmartHosts": ["192.0.2.9"]}, FAIL),
        ({"Comment": None}, FAIL),
        ({"Comment": None, "ConnectorSource": "HybridWizard"}, PASS),
        ({"TlsSettings": None}, WARN),
        ({"Enabled": False}, NOT_APPLICABLE),
    ],
)
def test_each_connector_has_its_outcome(posture: Build, changed: dict[str, object], outcome: Outcome) -> None:
    assert judged(posture, {**CONNECTOR, **changed}, configuration=HQ).outcome is outcome


def test_without_known_networks_a_strange_host_is_unknown(posture: Build) -> None:
    assert judged(posture, {**CONNECTOR, "SmartHosts": ["relay.other.example"]}).outcome is UNKNOWN


def test_absent_values_are_unknown_and_none_passes(posture: Build) -> None:
    for name in ("Enabled", "SmartHosts", "Comment", "TlsSettings"):
        bare = {key: value for key, value in CONNECTOR.items() if key != name}
        assert judged(posture, bare, configuration=HQ).outcome is UNKNOWN
    assert judged(posture).outcome is PASS
    assert find(CHECK, posture({})).outcome is UNKNOWN


def test_the_way_back(posture: Build) -> None:
    found = judged(posture, {**CONNECTOR, "Comment": ""}, configuration=HQ)

    assert "Set-OutboundConnector -Identity 'Out' -Enabled $false" in str(found.fix)
    assert "Set-OutboundConnector -Identity 'Out' -Enabled $true" in str(found.undo)
