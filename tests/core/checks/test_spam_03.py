"""SPAM-03: addresses let past the filter."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from portero.core.checks.spam_03 import CHECK
from portero.core.finding import Finding, Outcome, Severity, find

Build = Callable[..., Any]


def judged(posture: Build, properties: dict[str, object], **fields: Any) -> Finding:
    return find(
        CHECK, posture({"Get-HostedConnectionFilterPolicy": [{"Name": "Default", **properties}]}, **fields)
    )


@pytest.mark.parametrize("empty", [[], None])
def test_an_empty_list_passes(posture: Build, empty: object) -> None:
    assert judged(posture, {"IPAllowList": empty}).outcome is Outcome.PASS


def test_any_entry_fails_and_is_taken_out_alone(posture: Build) -> None:
    found = judged(posture, {"IPAllowList": ["198.51.100.0/24", "192.0.2.1-192.0.2.9"]})

    assert (found.outcome, found.severity) == (Outcome.FAIL, Severity.HIGH)
    assert "@{Remove='198.51.100.0/24','192.0.2.1-192.0.2.9'}" in str(found.fix)
    assert "@{Add='198.51.100.0/24','192.0.2.1-192.0.2.9'}" in str(found.undo)


@pytest.mark.parametrize("entry", ["203.0.113.10", "203.0.113.8-203.0.113.12", "203.0.113.0/24"])
def test_an_entry_over_one_of_our_own_senders_is_said(posture: Build, sender: Build, entry: str) -> None:
    found = judged(posture, {"IPAllowList": [entry]}, senders=(sender(),))

    assert "our own senders" in str(found.because)


def test_an_entry_that_is_no_address_is_still_an_entry(posture: Build, sender: Build) -> None:
    assert judged(posture, {"IPAllowList": ["office"]}, senders=(sender(),)).outcome is Outcome.FAIL


def test_absent_is_unknown(posture: Build) -> None:
    assert judged(posture, {"IsDefault": True}).outcome is Outcome.UNKNOWN


def test_an_empty_or_missing_answer_is_unknown(posture: Build) -> None:
    assert find(CHECK, posture({"Get-HostedConnectionFilterPolicy": []})).outcome is Outcome.UNKNOWN
    assert find(CHECK, posture({})).outcome is Outcome.UNKNOWN
