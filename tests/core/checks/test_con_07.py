"""CON-07: TLS on connectors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from portero.core.checks.con_07 import CHECK
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
        ({"RequireTls": False}, FAIL),
        ({"RequireTls": None}, FAIL),
        ({"Enabled": False, "RequireTls": False}, NOT_APPLICABLE),
        ({"ConnectorType": "OnPremises"}, NOT_APPLICABLE),
    ],
)
def test_each_connector_has_its_outcome(posture: Build, changed: dict[str, object], outcome: Outcome) -> None:
    assert judged(posture, {**CONNECTOR, **changed}).outcome is outcome


def test_a_connector_of_devices_alone_warns(posture: Build) -> None:
    plain = {**CONNECTOR, "RequireTls": False}

    assert judged(posture, plain, configuration=known("devices")).outcome is WARN
    assert judged(posture, plain, configuration=known("users")).outcome is FAIL


def test_absent_is_unknown_and_none_does_not_apply(posture: Build) -> None:
    bare = {name: value for name, value in CONNECTOR.items() if name != "RequireTls"}

    assert judged(posture, bare).outcome is UNKNOWN
    assert judged(posture).outcome is NOT_APPLICABLE
    assert find(CHECK, posture({})).outcome is UNKNOWN


def test_the_way_back(posture: Build) -> None:
    found = judged(posture, {**CONNECTOR, "RequireTls": False})

    assert "-Identity 'Devices' -RequireTls $true" in str(found.fix)
    assert "-Identity 'Devices' -RequireTls $false" in str(found.undo)
