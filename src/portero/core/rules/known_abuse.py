"""The inventory judges the source at this address as abuse."""

from __future__ import annotations

from portero.core.message.case import Case, Rule
from portero.core.sender import Judgement
from portero.core.text import Text


def match(case: Case) -> Text | None:
    """Match the inventory's abusive senders."""
    held = case.arrival
    if held.sender is not None and held.sender.judgement is Judgement.ABUSE:
        return Text("The inventory judges what comes from {address} as abuse.", address=held.client_ip or "")
    return None


RULE = Rule(
    id="known-abuse",
    title="known abuse",
    level="critical",
    weight=3.0,
    match=match,
    falsepositives=("A sender whose judgement in the inventory is wrong.",),
    references=("contract section 4",),
)
