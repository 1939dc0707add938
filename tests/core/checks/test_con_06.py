"""CON-06: promotion of headers from the other side."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from portero.core.checks.con_06 import CHECK
from portero.core.finding import Finding, Outcome, find

Build = Callable[..., Any]
HYBRID: dict[str, object] = {
    "Name": "Inbound from hybrid",
    "Enabled": True,
    "ConnectorType": "OnPremises",
    "ConnectorSource": "HybridWizard",
    "CloudServicesMailEnabled": True,
    "TlsSenderCertificateName": "<I>CN=Some CA, O=Some<S>CN=mail.contoso.com, O=Contoso",
}
OUTBOUND: dict[str, object] = {
    "Name": "To hybrid",
    "Enabled": True,
    "ConnectorSource": "HybridWizard",
    "CloudServicesMailEnabled": True,
}


def judged(
    posture: Build, *inbound: dict[str, object], outbound: tuple[dict[str, object], ...] = ()
) -> Finding:
    return find(CHECK, posture({"Get-InboundConnector": inbound, "Get-OutboundConnector": outbound}))


def test_the_hybrid_wizards_connectors_with_our_certificate_pass(posture: Build) -> None:
    assert judged(posture, HYBRID, outbound=(OUTBOUND,)).outcome is Outcome.PASS


@pytest.mark.parametrize(
    "change", [{"ConnectorSource": "AdminUI"}, {"TlsSenderCertificateName": "*.vendor.example"}]
)
def test_made_by_hand_or_with_somebody_elses_certificate_fails(
    posture: Build, change: dict[str, object]
) -> None:
    found = judged(posture, {**HYBRID, **change})

    assert found.outcome is Outcome.FAIL
    assert "Set-InboundConnector -Identity 'Inbound from hybrid' -CloudServicesMailEnabled $false" in str(
        found.fix
    )
    assert "-CloudServicesMailEnabled $true" in str(found.undo)


def test_an_outbound_connector_is_mended_with_its_own_cmdlet(posture: Build) -> None:
    found = judged(posture, outbound=({**OUTBOUND, "ConnectorSource": "Default"},))

    assert found.outcome is Outcome.FAIL
    assert "Set-OutboundConnector -Identity 'To hybrid'" in str(found.fix)


def test_off_passes_and_so_does_null(posture: Build) -> None:
    by_hand = {**HYBRID, "ConnectorSource": "AdminUI"}
    off = (
        {**by_hand, "CloudServicesMailEnabled": False},
        {**by_hand, "Name": "b", "CloudServicesMailEnabled": None},
    )

    assert judged(posture, *off).outcome is Outcome.PASS


@pytest.mark.parametrize(
    "lacking", ["CloudServicesMailEnabled", "ConnectorSource", "TlsSenderCertificateName"]
)
def test_absent_is_unknown(posture: Build, lacking: str) -> None:
    partial = {name: value for name, value in HYBRID.items() if name != lacking}

    assert judged(posture, partial).outcome is Outcome.UNKNOWN


def test_without_outbound_connectors_it_cannot_pass(posture: Build) -> None:
    assert find(CHECK, posture({"Get-InboundConnector": [HYBRID]})).outcome is Outcome.UNKNOWN
