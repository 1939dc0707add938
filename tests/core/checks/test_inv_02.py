"""INV-02: what the register says of devices."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from portero.core.checks.inv_02 import CHECK
from portero.core.finding import Finding, Outcome, find
from portero.core.flow import Facts, Flow, FlowKey
from portero.core.register import Configuration, RegisterEntry
from portero.core.sender import Path

Build = Callable[..., Any]
PASS, WARN, FAIL = Outcome.PASS, Outcome.WARN, Outcome.FAIL
UNKNOWN, NOT_APPLICABLE = Outcome.UNKNOWN, Outcome.NOT_APPLICABLE

ENTRY = RegisterEntry("Scanner", "legitimate", header_from=("scanner@contoso.com",), owner="it@contoso.com")
FLOW = Flow(FlowKey("203.0.113.10", "contoso.com", "scanner@contoso.com"), Facts())


def judged(posture: Build, entries: Any, senders: Any, coverage: Any) -> Finding:
    return find(
        CHECK,
        posture(
            {},
            configuration=Configuration(register=entries),
            senders=senders,
            coverage=coverage,
            mail_seen=True,
        ),
    )


def test_an_owned_entry_that_was_seen_passes(posture: Build, sender: Build, month: Any) -> None:
    assert judged(posture, (ENTRY,), (sender(flows=(FLOW,)),), month).outcome is PASS


def test_an_entry_without_an_owner_fails(posture: Build, sender: Build, month: Any) -> None:
    assert judged(posture, (replace(ENTRY, owner=None),), (sender(flows=(FLOW,)),), month).outcome is FAIL


def test_an_entry_not_seen_warns_only_where_the_evidence_reaches_back(
    posture: Build, sender: Build, month: Any
) -> None:
    old = sender(flows=(FLOW,), last_seen=datetime(2026, 7, 1, tzinfo=UTC))

    assert judged(posture, (ENTRY,), (old,), month).outcome is WARN
    assert judged(posture, (ENTRY,), (), month).outcome is UNKNOWN


def test_an_unknown_way_in_is_unknown(posture: Build, sender: Build, month: Any) -> None:
    lost = sender(flows=(FLOW,), path=Path.UNDETERMINED)

    assert judged(posture, (ENTRY,), (lost,), month).outcome is UNKNOWN


@pytest.mark.parametrize("entries", [(), (replace(ENTRY, judgement="abuse"),)])
def test_an_empty_register_and_abuse_in_it_do_not_apply(posture: Build, month: Any, entries: Any) -> None:
    assert judged(posture, entries, (), month).outcome is NOT_APPLICABLE


def test_without_mail_it_is_unknown(posture: Build) -> None:
    assert find(CHECK, posture({})).outcome is UNKNOWN
