"""LOG-03: the detection that should run every day."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from portero.core.checks.log_03 import CHECK
from portero.core.finding import Outcome, find
from portero.core.register import Configuration, Detection
from portero.core.sender import DecidedBy, Path

Build = Callable[..., Any]


def test_files_cannot_show_a_schedule_so_it_is_unknown_with_what_one_run_finds(
    posture: Build, sender: Build
) -> None:
    senders = (
        sender(),
        sender(id="s-2", path=Path.FOREIGN_ENVELOPE, mails=2, decided_by=DecidedBy.PERSON),
        sender(id="s-3", path=Path.AUTHENTICATED, mails=100),
    )
    found = find(CHECK, posture(senders=senders))

    assert found.outcome is Outcome.UNKNOWN
    assert "42 anonymous mails in our name from 2 senders, about 1 of which" in str(found.because)
    assert "portero watch" in str(found.because)


@pytest.mark.parametrize(("hours", "outcome"), [(3, Outcome.PASS), (48, Outcome.FAIL)])
def test_a_detection_elsewhere_counts_by_its_last_run(
    posture: Build, sender: Build, hours: int, outcome: Outcome
) -> None:
    last = datetime(2026, 11, 24, 10, tzinfo=UTC) - timedelta(hours=hours)
    elsewhere = Configuration(detections=(Detection("LOG-03", "the SIEM", last),))

    assert find(CHECK, posture(senders=(sender(),), configuration=elsewhere)).outcome is outcome


def test_without_mail_it_is_unknown(posture: Build) -> None:
    assert find(CHECK, posture()).outcome is Outcome.UNKNOWN
