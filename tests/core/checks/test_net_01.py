"""NET-01: port 25 to the internet."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from portero.core.checks.net_01 import CHECK
from portero.core.finding import Outcome, find
from portero.core.sender import DecidedBy, Judgement, Kind, Path

Build = Callable[..., Any]


def test_an_unregistered_device_that_delivered_by_direct_send_did_open_the_port(
    posture: Build, sender: Build
) -> None:
    found = find(CHECK, posture(senders=(sender(),)))

    assert found.outcome is Outcome.FAIL
    assert "scanner@contoso.com" in str(found.because)


@pytest.mark.parametrize(
    "change",
    [
        {"decided_by": DecidedBy.REGISTER},
        {"judgement": Judgement.ABUSE},
        {"kind": Kind.SERVICE},
        {"path": Path.AUTHENTICATED},
        {"last_seen": datetime(2026, 10, 1, tzinfo=UTC)},
        {"last_seen": None},
    ],
)
def test_everything_else_leaves_it_unknown_with_the_evidence_that_would_answer(
    posture: Build, sender: Build, change: dict[str, object]
) -> None:
    found = find(CHECK, posture(senders=(sender(**change),)))

    assert found.outcome is Outcome.UNKNOWN
    assert "firewall" in str(found.because)
