"""CON-09: enhanced filtering."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from portero.core.checks.con_09 import CHECK
from portero.core.finding import Finding, Outcome, find

Build = Callable[..., Any]
PASS, WARN, FAIL = Outcome.PASS, Outcome.WARN, Outcome.FAIL
UNKNOWN, NOT_APPLICABLE = Outcome.UNKNOWN, Outcome.NOT_APPLICABLE

CONNECTOR: dict[str, object] = {
    "Name": "From gateway", "Enabled": True, "ConnectorType": "Partner", "SenderDomains": ["smtp:*;1"],
    "EFSkipLastIP": True, "EFSkipIPs": [], "EFUsers": [], "EFTestMode": False,
}  # fmt: skip
GATEWAY = {"mx_at_microsoft": False}


def judged(posture: Build, *connectors: dict[str, object], **fields: Any) -> Finding:
    return find(CHECK, posture({"Get-InboundConnector": connectors}, **{"settings": GATEWAY, **fields}))


@pytest.mark.parametrize(
    ("changed", "outcome"),
    [
        ({}, PASS),
        ({"EFSkipLastIP": False, "EFSkipIPs": ["198.51.100.0/24"]}, PASS),
        ({"EFSkipLastIP": False}, FAIL),
        ({"EFSkipLastIP": None}, FAIL),
        ({"EFUsers": ["pilot@contoso.com"]}, FAIL),
        ({"EFTestMode": True}, FAIL),
        ({"EFSkipIPs": ["198.51.0.0/16"]}, WARN),
        ({"SenderDomains": ["smtp:partner.example;1"]}, FAIL),
        ({"Enabled": False}, FAIL),
    ],
)
def test_each_connector_has_its_outcome(posture: Build, changed: dict[str, object], outcome: Outcome) -> None:
    assert judged(posture, {**CONNECTOR, **changed}).outcome is outcome


def test_absent_values_are_unknown(posture: Build) -> None:
    for name in ("EFSkipLastIP", "EFSkipIPs", "EFUsers"):
        assert (
            judged(posture, {key: value for key, value in CONNECTOR.items() if key != name}).outcome
            is UNKNOWN
        )
    assert find(CHECK, posture({}, settings=GATEWAY)).outcome is UNKNOWN


def test_it_concerns_only_mail_through_a_gateway(posture: Build) -> None:
    assert judged(posture, CONNECTOR, settings={"mx_at_microsoft": True}).outcome is NOT_APPLICABLE
    assert judged(posture, CONNECTOR, settings={"mx_at_microsoft": None}).outcome is UNKNOWN


def test_the_way_back_restores_users_and_test_mode(posture: Build) -> None:
    found = judged(posture, {**CONNECTOR, "EFUsers": ["pilot@contoso.com"]})

    assert "-EFUsers $null" in str(found.fix)
    assert "-EFUsers @('pilot@contoso.com')" in str(found.undo)
