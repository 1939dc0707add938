"""CON-10: connectors that nobody uses."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from portero.core.checks.con_10 import CHECK
from portero.core.evidence import Coverage
from portero.core.finding import Finding, Outcome, find
from support.connectors import CONNECTOR

Build = Callable[..., Any]
PASS, WARN, FAIL = Outcome.PASS, Outcome.WARN, Outcome.FAIL
UNKNOWN, NOT_APPLICABLE = Outcome.UNKNOWN, Outcome.NOT_APPLICABLE

LONG = (
    Coverage(
        "trace.csv",
        "message-trace-extended",
        9,
        datetime(2026, 8, 1, tzinfo=UTC),
        datetime(2026, 11, 24, tzinfo=UTC),
    ),
)


def judged(posture: Build, *connectors: dict[str, object], out: object = (), **fields: Any) -> Finding:
    objects = {"Get-InboundConnector": connectors, "Get-OutboundConnector": out}
    return find(CHECK, posture(objects, **{"coverage": LONG, **fields}))


def carrying(sender: Build) -> Any:
    return (sender(connector="devices"),)


def test_a_connector_that_carries_mail_and_has_an_owner_passes(posture: Build, sender: Build) -> None:
    assert judged(posture, CONNECTOR, senders=carrying(sender)).outcome is PASS


def test_one_that_carried_nothing_warns_only_where_the_evidence_reaches_back(
    posture: Build, month: Any
) -> None:
    found = judged(posture, CONNECTOR)

    assert found.outcome is WARN
    assert found.controls == ("remove-connector=Devices",)
    assert "-Enabled $false" in str(found.fix)
    assert "-Enabled $true" in str(found.undo)
    assert judged(posture, CONNECTOR, coverage=month).outcome is UNKNOWN


def test_one_without_an_owner_warns(posture: Build, sender: Build) -> None:
    assert judged(posture, {**CONNECTOR, "Comment": None}, senders=carrying(sender)).outcome is WARN
    wizard = {**CONNECTOR, "Comment": None, "ConnectorSource": "HybridWizard"}
    assert judged(posture, wizard, senders=carrying(sender)).outcome is PASS


@pytest.mark.parametrize(
    ("changed", "outcome"),
    [
        ({"Enabled": False}, NOT_APPLICABLE),
        ({"Enabled": False, "WhenChangedUTC": "2026-01-01T00:00:00Z"}, WARN),
        ({"Enabled": False, "WhenChangedUTC": "/Date(1767225600000)/"}, WARN),
        ({"Enabled": False, "WhenChangedUTC": "2026-11-01T00:00:00Z"}, NOT_APPLICABLE),
    ],
)
def test_one_that_is_off_should_go_after_half_a_year(
    posture: Build, changed: dict[str, object], outcome: Outcome
) -> None:
    assert judged(posture, {**CONNECTOR, **changed}).outcome is outcome


def test_what_an_outbound_connector_carried_is_unknown(posture: Build) -> None:
    out = {"Name": "Out", "Enabled": True, "Comment": "it@contoso.com"}

    assert judged(posture, out=[out]).outcome is UNKNOWN
    assert judged(posture).outcome is NOT_APPLICABLE


def test_absent_values_and_answers_are_unknown(posture: Build) -> None:
    for name in ("Enabled", "Comment"):
        bare = {key: value for key, value in CONNECTOR.items() if key != name}
        assert judged(posture, bare).outcome is UNKNOWN
    assert find(CHECK, posture({}, coverage=LONG)).outcome is UNKNOWN
