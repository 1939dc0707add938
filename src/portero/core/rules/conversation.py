"""It goes on with a conversation and quotes it."""

from __future__ import annotations

from portero.core.message.case import Case, Rule
from portero.core.text import Text


def match(case: Case) -> Text | None:
    """Match answers that quote what they answer."""
    if case.reply and not case.unauthenticated_own:
        return Text("It answers a conversation and quotes it.")
    return None


RULE = Rule(
    id="conversation",
    title="part of a conversation",
    level="informational",
    weight=-1.8,
    match=match,
    falsepositives=("A thief of mailboxes answers in stolen conversations.",),
)
