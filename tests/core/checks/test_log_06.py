"""LOG-06: silence after the switch."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from portero.core.checks.log_06 import CHECK
from portero.core.finding import Finding, Outcome, find
from portero.core.flow import Facts
from portero.core.register import Configuration, Detection
from portero.core.sender import DecidedBy

Build = Callable[..., Any]
PASS, WARN, FAIL = Outcome.PASS, Outcome.WARN, Outcome.FAIL
UNKNOWN, NOT_APPLICABLE = Outcome.UNKNOWN, Outcome.NOT_APPLICABLE


def ran(check: str, **ago: int) -> Configuration:
    when = datetime(2026, 11, 24, 10, tzinfo=UTC) - timedelta(**ago)
    return Configuration(detections=(Detection(check, "the SIEM", when),))


ON = {"reject_direct_send": True}
WEEKLY = Facts(days={date(2026, 11, day): 2 for day in (1, 8, 15, 22)})


def judged(posture: Build, *senders: Any, settings: Any = ON, **fields: Any) -> Finding:
    objects = {"Get-OrganizationConfig": [{"Name": "contoso", "RejectDirectSend": True}]}
    return find(CHECK, posture(objects, senders=senders, settings=settings, mail_seen=True, **fields))


def known(sender: Build, **fields: Any) -> Any:
    return sender(**{"decided_by": DecidedBy.REGISTER, "facts": WEEKLY, **fields})


def test_a_registered_sender_that_went_silent_fails(posture: Build, sender: Build) -> None:
    silent = known(sender, last_seen=datetime(2026, 10, 25, tzinfo=UTC))

    assert judged(posture, silent).outcome is FAIL


def test_all_delivering_passes_only_with_somebody_watching_the_firewall(
    posture: Build, sender: Build
) -> None:
    assert judged(posture, known(sender)).outcome is UNKNOWN
    assert judged(posture, known(sender), configuration=ran("LOG-06", hours=2)).outcome is PASS


@pytest.mark.parametrize(("switch", "outcome"), [(False, NOT_APPLICABLE), (None, UNKNOWN)])
def test_it_concerns_only_a_closed_door(posture: Build, switch: object, outcome: Outcome) -> None:
    assert judged(posture, settings={"reject_direct_send": switch}).outcome is outcome


def test_nobody_registered_or_too_few_days_is_unknown(posture: Build, sender: Build) -> None:
    assert judged(posture, sender(facts=WEEKLY)).outcome is UNKNOWN
    assert judged(posture, known(sender, facts=Facts())).outcome is UNKNOWN
    assert find(CHECK, posture({})).outcome is UNKNOWN
