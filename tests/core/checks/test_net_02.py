"""NET-02: submission ports."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from portero.core.checks.net_02 import CHECK
from portero.core.finding import Finding, Outcome, find
from portero.core.register import Configuration, Detection
from portero.core.sender import DecidedBy, Kind, Path

Build = Callable[..., Any]
PASS, WARN, FAIL = Outcome.PASS, Outcome.WARN, Outcome.FAIL
UNKNOWN, NOT_APPLICABLE = Outcome.UNKNOWN, Outcome.NOT_APPLICABLE


def ran(check: str, **ago: int) -> Configuration:
    when = datetime(2026, 11, 24, 10, tzinfo=UTC) - timedelta(**ago)
    return Configuration(detections=(Detection(check, "the SIEM", when),))


def judged(posture: Build, *senders: Any, **fields: Any) -> Finding:
    return find(CHECK, posture({}, senders=senders, mail_seen=True, **fields))


def test_an_unregistered_device_that_submits_warns(posture: Build, sender: Build) -> None:
    assert judged(posture, sender(path=Path.AUTHENTICATED)).outcome is WARN
    assert judged(posture, sender(path=Path.AUTHENTICATED, decided_by=DecidedBy.REGISTER)).outcome is UNKNOWN
    assert judged(posture, sender(path=Path.AUTHENTICATED, kind=Kind.MAILBOX)).outcome is UNKNOWN


@pytest.mark.parametrize(
    ("configuration", "outcome"), [(ran("NET-02", hours=1), PASS), (ran("NET-02", days=2), FAIL)]
)
def test_somebody_watching_the_firewall_decides(posture: Build, configuration: Any, outcome: Outcome) -> None:
    assert judged(posture, configuration=configuration).outcome is outcome


def test_without_mail_it_is_unknown(posture: Build) -> None:
    assert find(CHECK, posture({})).outcome is UNKNOWN
