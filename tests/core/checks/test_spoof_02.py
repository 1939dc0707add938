"""SPOOF-02: the DMARC policy of senders."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from portero.core.checks.spoof_02 import CHECK
from portero.core.finding import Finding, Outcome, find

Build = Callable[..., Any]
HONOURS: dict[str, object] = {
    "Name": "Default",
    "IsDefault": True,
    "Enabled": True,
    "HonorDmarcPolicy": True,
    "DmarcRejectAction": "Reject",
    "DmarcQuarantineAction": "Quarantine",
}


def judged(posture: Build, *policies: dict[str, object], **fields: Any) -> Finding:
    return find(CHECK, posture({"Get-AntiPhishPolicy": policies}, **fields))


def test_honoured_with_both_actions_passes(posture: Build) -> None:
    assert judged(posture, HONOURS).outcome is Outcome.PASS


def test_not_honoured_fails_and_restores_what_was_there(posture: Build) -> None:
    found = judged(posture, {**HONOURS, "HonorDmarcPolicy": False, "DmarcRejectAction": "Quarantine"})

    assert found.outcome is Outcome.FAIL
    assert "-HonorDmarcPolicy $true -DmarcRejectAction 'Reject'" in str(found.fix)
    assert "-HonorDmarcPolicy $false -DmarcRejectAction 'Quarantine'" in str(found.undo)


@pytest.mark.parametrize(
    "softer", [{"DmarcRejectAction": "Quarantine"}, {"DmarcQuarantineAction": "MoveToJmf"}]
)
def test_a_softer_action_warns(posture: Build, softer: dict[str, object]) -> None:
    assert judged(posture, {**HONOURS, **softer}).outcome is Outcome.WARN


@pytest.mark.parametrize("name", ["HonorDmarcPolicy", "DmarcRejectAction", "DmarcQuarantineAction"])
def test_null_and_absent_are_unknown(posture: Build, name: str) -> None:
    assert judged(posture, {**HONOURS, name: None}).outcome is Outcome.UNKNOWN
    assert judged(posture, {k: v for k, v in HONOURS.items() if k != name}).outcome is Outcome.UNKNOWN


def test_behind_a_gateway_without_enhanced_filtering_the_pass_says_how_little_it_does(posture: Build) -> None:
    behind = judged(posture, HONOURS, settings={"mx_at_microsoft": False})

    assert behind.outcome is Outcome.PASS
    assert "CON-09" in str(behind.because)


def test_without_the_cmdlet_it_is_unknown(posture: Build) -> None:
    assert find(CHECK, posture({})).outcome is Outcome.UNKNOWN
