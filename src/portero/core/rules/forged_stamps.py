"""It carries Exchange's stamps of trust that Exchange did not make."""

from __future__ import annotations

from portero.core.message.case import Case, Rule
from portero.core.text import Text


def match(case: Case) -> Text | None:
    """Match contradictory or impossible stamps."""
    return case.arrival.boundary.forged[0] if case.arrival.boundary.forged else None


RULE = Rule(
    id="forged-stamps",
    title="forged Exchange stamps",
    level="critical",
    weight=3.0,
    match=match,
    falsepositives=("Mail that was copied between systems by hand.",),
    references=("reference exchange-online 4.1",),
)
