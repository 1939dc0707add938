"""Flows built by hand, for tests of what follows the fold."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from portero.core.evidence import Origin
from portero.core.flow import Distinct, Facts, Flow, FlowKey

START = datetime(2026, 9, 1, 8, tzinfo=UTC)


def flow(mails: int = 1, days: int = 1, *, every: int = 1, start: datetime = START, **given: object) -> Flow:
    """Give a flow: key fields by name, the other names are facts; its mail is spread over the days."""
    key = {name: given.pop(name) for name in list(given) if name in FlowKey.__slots__}
    active = [(start + timedelta(days=every * n)).date() for n in range(days)]
    facts: dict[str, object] = {
        "mails": mails,
        "first_seen": start,
        "last_seen": start + timedelta(days=every * (days - 1)),
        "days": {day: max(1, mails // days) for day in active},
        "witnessed": {"message-trace-enhanced": mails},
        "recipients": Distinct((1,)),
        "inside": mails,
        "origins": {"message-trace-enhanced": (Origin("trace.csv", 2),)},
    }
    return Flow(FlowKey(**key), Facts(**{**facts, **given}))  # type: ignore[arg-type]
