"""CON-04: connectors of type OnPremises."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from portero.core.checks.con_04 import CHECK
from portero.core.finding import Finding, Outcome, find
from support.connectors import CONNECTOR, known

Build = Callable[..., Any]
PASS, WARN, FAIL = Outcome.PASS, Outcome.WARN, Outcome.FAIL
UNKNOWN, NOT_APPLICABLE = Outcome.UNKNOWN, Outcome.NOT_APPLICABLE


def judged(posture: Build, *connectors: dict[str, object], **fields: Any) -> Finding:
    return find(CHECK, posture({"Get-InboundConnector": connectors}, **fields))


ON_PREMISES = {**CONNECTOR, "ConnectorType": "OnPremises", "TlsSenderCertificateName": "mail.contoso.com"}


@pytest.mark.parametrize(
    ("changed", "outcome"),
    [
        ({}, PASS),
        ({"TlsSenderCertificateName": "<I>CN=CA<S>CN=mail.contoso.com, O=Contoso"}, PASS),
        ({"TlsSenderCertificateName": "*.mimecast.com"}, FAIL),
        ({"TlsSenderCertificateName": "mail.other.example"}, FAIL),
        ({"Comment": None}, WARN),
        ({"Comment": None, "ConnectorSource": "HybridWizard"}, PASS),
        ({"TlsSenderCertificateName": None}, UNKNOWN),
        ({"TlsSenderCertificateName": None, "SenderIPAddresses": []}, FAIL),
        ({"Enabled": False}, NOT_APPLICABLE),
        ({"ConnectorType": "Partner"}, NOT_APPLICABLE),
        ({"ConnectorType": None}, UNKNOWN),
    ],
)
def test_each_connector_has_its_outcome(posture: Build, changed: dict[str, object], outcome: Outcome) -> None:
    assert judged(posture, {**ON_PREMISES, **changed}).outcome is outcome


@pytest.mark.parametrize(("use", "outcome"), [("devices", PASS), ("partner", FAIL), ("guest", FAIL)])
def test_by_address_it_depends_on_whose_the_network_is(posture: Build, use: str, outcome: Outcome) -> None:
    by_address = {**ON_PREMISES, "TlsSenderCertificateName": None}

    assert judged(posture, by_address, configuration=known(use)).outcome is outcome


def test_no_connector_and_no_answer(posture: Build) -> None:
    assert judged(posture).outcome is NOT_APPLICABLE
    assert find(CHECK, posture({})).outcome is UNKNOWN
    bare = {name: value for name, value in ON_PREMISES.items() if name != "TlsSenderCertificateName"}
    assert judged(posture, bare).outcome is UNKNOWN
