"""AUTH-07: submission over old TLS."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from portero.core.checks.auth_07 import CHECK
from portero.core.finding import Finding, Outcome, find

Build = Callable[..., Any]
PASS, WARN, FAIL = Outcome.PASS, Outcome.WARN, Outcome.FAIL
UNKNOWN, NOT_APPLICABLE = Outcome.UNKNOWN, Outcome.NOT_APPLICABLE


def judged(posture: Build, **properties: object) -> Finding:
    return find(CHECK, posture({"Get-TransportConfig": [{"Name": "Transport Settings", **properties}]}))


@pytest.mark.parametrize(
    ("value", "outcome"),
    [(False, PASS), (None, PASS), ("False", PASS), (True, FAIL), ("True", FAIL), ("maybe", UNKNOWN)],
)
def test_each_value_has_its_outcome(posture: Build, value: object, outcome: Outcome) -> None:
    assert judged(posture, AllowLegacyTLSClients=value).outcome is outcome


def test_null_and_false_are_said_differently_and_absent_is_unknown(posture: Build) -> None:
    null, off = judged(posture, AllowLegacyTLSClients=None), judged(posture, AllowLegacyTLSClients=False)

    assert str(null.because) != str(off.because)
    assert judged(posture).outcome is UNKNOWN
    assert find(CHECK, posture({"Get-TransportConfig": []})).outcome is UNKNOWN


def test_the_way_back(posture: Build) -> None:
    found = judged(posture, AllowLegacyTLSClients=True)

    assert str(found.fix).endswith("Set-TransportConfig -AllowLegacyTLSClients $false")
    assert str(found.undo).endswith("Set-TransportConfig -AllowLegacyTLSClients $true")
