"""It presses and tells where to click."""

from __future__ import annotations

from portero.core.message.case import Case, Rule
from portero.core.text import Text


def match(case: Case) -> Text | None:
    """Match urgency with a call to act that leads away."""
    if (
        case.met.get("urgency")
        and case.met.get("action")
        and case.leads_away
        and not case.reply
        and not case.mail.first("list-id")
    ):
        return Text("It presses (“{words}”) and tells where to click.", words=case.met["urgency"][0])
    return None


RULE = Rule(
    id="urgent-call",
    title="pressure and a link",
    level="low",
    weight=0.6,
    match=match,
    falsepositives=("Sales that end today.",),
)
