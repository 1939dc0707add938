"""CON-14: trust in other tenants."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from portero.core.checks.con_14 import CHECK
from portero.core.finding import Finding, Outcome, find
from portero.core.flow import Facts

Build = Callable[..., Any]
PASS, WARN, FAIL = Outcome.PASS, Outcome.WARN, Outcome.FAIL
UNKNOWN, NOT_APPLICABLE = Outcome.UNKNOWN, Outcome.NOT_APPLICABLE

CONNECTOR: dict[str, object] = {"Name": "Sister", "Enabled": True, "TrustedOrganizations": []}


def judged(posture: Build, *connectors: dict[str, object], **fields: Any) -> Finding:
    return find(CHECK, posture({"Get-InboundConnector": connectors}, mail_seen=True, **fields))


@pytest.mark.parametrize(
    ("changed", "outcome"),
    [
        ({}, PASS),
        ({"TrustedOrganizations": None}, PASS),
        ({"TrustedOrganizations": ["fabrikam.onmicrosoft.com"]}, WARN),
        ({"TrustedOrganizations": ["fabrikam.onmicrosoft.com"], "Enabled": False}, PASS),
    ],
)
def test_each_connector_has_its_outcome(posture: Build, changed: dict[str, object], outcome: Outcome) -> None:
    assert judged(posture, {**CONNECTOR, **changed}).outcome is outcome


def test_mail_as_us_from_microsofts_addresses_warns_for_a_month(posture: Build, sender: Build) -> None:
    facts = Facts(ptr={"mail-db8.outbound.protection.outlook.com": 3})
    look_alike = Facts(ptr={"outbound.protection.outlook.com.evil.example": 3})

    assert judged(posture, senders=(sender(facts=facts),)).outcome is WARN
    assert judged(posture, senders=(sender(facts=look_alike),)).outcome is PASS
    old = sender(facts=facts, last_seen=datetime(2026, 9, 1, tzinfo=UTC))
    assert judged(posture, senders=(old,)).outcome is PASS


def test_absent_is_unknown(posture: Build) -> None:
    assert judged(posture, {"Name": "x", "Enabled": True}).outcome is UNKNOWN
    assert find(CHECK, posture({})).outcome is UNKNOWN


def test_the_way_back(posture: Build) -> None:
    found = judged(posture, {**CONNECTOR, "TrustedOrganizations": ["fabrikam.onmicrosoft.com"]})

    assert "-TrustedOrganizations $null" in str(found.fix)
    assert "-TrustedOrganizations @('fabrikam.onmicrosoft.com')" in str(found.undo)
