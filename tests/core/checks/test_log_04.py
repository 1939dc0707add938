"""LOG-04: changes to what mail is trusted."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from portero.core.checks.log_04 import CHECK
from portero.core.finding import Finding, Outcome, find
from portero.core.register import Configuration, Detection

Build = Callable[..., Any]
PASS, WARN, FAIL = Outcome.PASS, Outcome.WARN, Outcome.FAIL
UNKNOWN, NOT_APPLICABLE = Outcome.UNKNOWN, Outcome.NOT_APPLICABLE


def ran(check: str, **ago: int) -> Configuration:
    when = datetime(2026, 11, 24, 10, tzinfo=UTC) - timedelta(**ago)
    return Configuration(detections=(Detection(check, "the SIEM", when),))


RECORD = {
    "Identity": "r1", "CreationDate": "2026-11-20T10:00:00Z",
    "AuditData": '{"Id": "r1", "CreationTime": "2026-11-20T10:00:00", "Operation": "New-InboundConnector", '
    '"UserId": "admin@contoso.com", "ObjectId": "Relay", "Parameters": [{"Name": "Name", "Value": "Relay"}]}',
}  # fmt: skip


def judged(posture: Build, configuration: Configuration, *records: dict[str, object]) -> Finding:
    return find(CHECK, posture({"Search-UnifiedAuditLog": records}, configuration=configuration))


@pytest.mark.parametrize(
    ("configuration", "records", "outcome"),
    [
        (ran("LOG-04", hours=3), [], PASS),
        (ran("LOG-04", hours=3), [RECORD], WARN),
        (ran("LOG-04", days=3), [RECORD], FAIL),
        (Configuration(), [RECORD], UNKNOWN),
        (Configuration(), [], UNKNOWN),
    ],
)
def test_watching_and_changes_decide(
    posture: Build, configuration: Configuration, records: Any, outcome: Outcome
) -> None:
    assert judged(posture, configuration, *records).outcome is outcome


def test_who_changed_what_is_said_once(posture: Build) -> None:
    found = judged(posture, ran("LOG-04", hours=3), RECORD, {**RECORD, "Identity": "r2"})

    assert "New-InboundConnector by admin@contoso.com on 2026-11-20" in str(found.because)
    assert str(found.because).startswith("1 change")


def test_what_is_no_change_of_trust_does_not_count(posture: Build) -> None:
    other = {**RECORD, "AuditData": RECORD["AuditData"].replace("New-InboundConnector", "Set-Mailbox")}
    broken = {**RECORD, "Identity": "r3", "AuditData": "{"}

    assert judged(posture, ran("LOG-04", hours=3), other, broken).outcome is PASS
