"""AUTH-01: the organisation's switch for SMTP AUTH."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from portero.core.checks.auth_01 import CHECK
from portero.core.finding import Outcome, find

Build = Callable[..., Any]


@pytest.mark.parametrize(
    ("properties", "outcome"),
    [
        ({"SmtpClientAuthenticationDisabled": True}, Outcome.PASS),
        ({"SmtpClientAuthenticationDisabled": "True"}, Outcome.PASS),
        ({"SmtpClientAuthenticationDisabled": False}, Outcome.FAIL),
        ({"SmtpClientAuthenticationDisabled": None}, Outcome.UNKNOWN),
        ({}, Outcome.UNKNOWN),
    ],
)
def test_true_false_null_and_absent_are_told_apart(
    posture: Build, properties: dict[str, object], outcome: Outcome
) -> None:
    found = find(CHECK, posture({"Get-TransportConfig": [{"Name": "Transport Settings", **properties}]}))

    assert found.outcome is outcome


def test_null_and_absent_are_said_differently(posture: Build) -> None:
    null = find(CHECK, posture({"Get-TransportConfig": [{"SmtpClientAuthenticationDisabled": None}]}))
    absent = find(CHECK, posture({"Get-TransportConfig": [{"Name": "x"}]}))

    assert str(null.because) != str(absent.because)


def test_the_way_back_opens_the_switch_again(posture: Build) -> None:
    found = find(CHECK, posture({"Get-TransportConfig": [{"SmtpClientAuthenticationDisabled": False}]}))

    assert "Disabled $true" in str(found.fix)
    assert "Disabled $false" in str(found.undo)


def test_an_empty_answer_and_no_answer_are_unknown(posture: Build) -> None:
    assert find(CHECK, posture({"Get-TransportConfig": []})).outcome is Outcome.UNKNOWN
    assert find(CHECK, posture({})).outcome is Outcome.UNKNOWN
