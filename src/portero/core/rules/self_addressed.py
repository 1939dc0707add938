"""It is written to somebody in that person's own name, and nothing proves it."""

from __future__ import annotations

from portero.core.message.case import Case, Rule
from portero.core.text import Text


def match(case: Case) -> Text | None:
    """Match unauthenticated own-domain mail whose author is among its recipients."""
    if (
        case.unauthenticated_own
        and case.author
        and case.author in case.recipients
        and not case.arrival.signed_once
    ):
        return Text("It is written to {address} in that same address's name.", address=case.author)
    return None


RULE = Rule(
    id="self-addressed",
    title="From equals To",
    level="high",
    weight=0.9,
    match=match,
    falsepositives=("Scanning to oneself.",),
    references=("reference exchange-online 7.1 Varonis",),
)
