"""CON-05: mail of a connector treated as internal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from portero.core.checks.con_05 import CHECK
from portero.core.finding import Finding, Outcome, Severity, find

Build = Callable[..., Any]
TRUSTING = {"Name": "Old relay", "Enabled": True, "TreatMessagesAsInternal": True}


def judged(posture: Build, *connectors: dict[str, object]) -> Finding:
    return find(CHECK, posture({"Get-InboundConnector": connectors}))


def test_true_fails_and_names_the_connector_in_fix_and_undo(posture: Build) -> None:
    found = judged(posture, TRUSTING)

    assert (found.outcome, found.severity) == (Outcome.FAIL, Severity.CRITICAL)
    assert "'Old relay' -TreatMessagesAsInternal $false" in str(found.fix)
    assert "'Old relay' -TreatMessagesAsInternal $true" in str(found.undo)


def test_false_and_null_pass(posture: Build) -> None:
    never = {**TRUSTING, "Name": "b", "TreatMessagesAsInternal": None}

    assert judged(posture, {**TRUSTING, "TreatMessagesAsInternal": False}, never).outcome is Outcome.PASS


def test_a_disabled_connector_passes(posture: Build) -> None:
    assert judged(posture, {**TRUSTING, "Enabled": False}).outcome is Outcome.PASS


def test_absent_is_unknown(posture: Build) -> None:
    assert judged(posture, {"Name": "x", "Enabled": True}).outcome is Outcome.UNKNOWN
    assert judged(posture, {"Name": "x", "TreatMessagesAsInternal": True}).outcome is Outcome.UNKNOWN


def test_a_csv_export_writes_its_values_as_texts(posture: Build) -> None:
    assert (
        judged(posture, {"Name": "x", "Enabled": "True", "TreatMessagesAsInternal": "True"}).outcome
        is Outcome.FAIL
    )
