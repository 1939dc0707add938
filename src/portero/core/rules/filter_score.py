"""Microsoft's filter gave it a high spam confidence level."""

from __future__ import annotations

from portero.core.message.case import Case, Rule
from portero.core.text import Text


def match(case: Case) -> Text | None:
    """Match a stamped level of 5 or above where Exchange's own lines stand on top."""
    held = case.arrival
    if held.boundary.trusted and (held.stamps.scl or 0) >= 5 and not case.passed_on:
        return Text(
            "Microsoft's filter gave it a spam level of {level} out of 9.", level=held.stamps.scl or 0
        )
    return None


RULE = Rule(
    id="filter-score",
    title="high spam confidence",
    level="low",
    weight=0.9,
    match=match,
    falsepositives=("Bulk mail that people asked for.",),
    references=("reference exchange-online 4.5",),
)
