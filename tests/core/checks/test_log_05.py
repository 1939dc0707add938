"""LOG-05: how far the evidence reaches back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from portero.core.checks.log_05 import CHECK
from portero.core.evidence import Coverage
from portero.core.finding import Finding, Outcome, find
from portero.core.thresholds import Thresholds

Build = Callable[..., Any]
PASS, WARN, FAIL = Outcome.PASS, Outcome.WARN, Outcome.FAIL
UNKNOWN, NOT_APPLICABLE = Outcome.UNKNOWN, Outcome.NOT_APPLICABLE


def judged(posture: Build, days: int, **fields: Any) -> Finding:
    end = datetime(2026, 11, 24, tzinfo=UTC)
    span = (Coverage("trace.csv", "message-trace-extended", 9, end - timedelta(days=days - 1), end),)
    return find(CHECK, posture({}, coverage=span, mail_seen=True, **fields))


@pytest.mark.parametrize(("days", "outcome"), [(400, PASS), (120, WARN), (30, WARN)])
def test_the_days_decide(posture: Build, days: int, outcome: Outcome) -> None:
    assert judged(posture, days).outcome is outcome


def test_less_than_microsoft_keeps_is_said_and_measured_by_threshold(posture: Build) -> None:
    assert "less than" in str(judged(posture, 30).because)
    assert "less than" not in str(judged(posture, 30, thresholds=Thresholds(kept_days=20)).because)


def test_without_times_or_mail_it_is_unknown(posture: Build) -> None:
    assert find(CHECK, posture({}, mail_seen=True)).outcome is UNKNOWN
    assert find(CHECK, posture({})).outcome is UNKNOWN
