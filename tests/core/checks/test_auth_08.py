"""AUTH-08: unusual sign-ins by SMTP."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from portero.core.checks.auth_08 import CHECK
from portero.core.finding import Outcome, find
from portero.core.register import Configuration, Detection

Build = Callable[..., Any]
PASS, WARN, FAIL = Outcome.PASS, Outcome.WARN, Outcome.FAIL
UNKNOWN, NOT_APPLICABLE = Outcome.UNKNOWN, Outcome.NOT_APPLICABLE


def ran(check: str, **ago: int) -> Configuration:
    when = datetime(2026, 11, 24, 10, tzinfo=UTC) - timedelta(**ago)
    return Configuration(detections=(Detection(check, "the SIEM", when),))


@pytest.mark.parametrize(
    ("configuration", "outcome"),
    [
        (ran("AUTH-08", hours=3), PASS),
        (ran("AUTH-08", days=2), FAIL),
        (ran("LOG-03", hours=3), UNKNOWN),
        (Configuration(), UNKNOWN),
    ],
)
def test_the_last_run_decides(posture: Build, configuration: Configuration, outcome: Outcome) -> None:
    assert find(CHECK, posture({}, configuration=configuration)).outcome is outcome
