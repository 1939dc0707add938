"""Somebody asks for an errand: gift cards, a payment, a changed account, a private number."""

from __future__ import annotations

from portero.core.message.case import Case, Rule
from portero.core.message.web import free_mail
from portero.core.text import Text


def match(case: Case) -> Text | None:
    """Match errands in an unauthenticated own name or from a free mailbox in a superior's name."""
    words = case.met.get("errand")
    if not words or case.reply:
        return None
    if (
        case.unauthenticated_own
        or (free_mail(case.author) and ("boss" in case.met_early or case.reply_to_stranger))
        or (case.reply_to_stranger and len(words) > 1)
    ):
        return Text("It asks for an errand (“{words}”) and nothing proves who asks.", words=words[0])
    return None


RULE = Rule(
    id="errand",
    title="errand of a stranger",
    level="high",
    weight=1.3,
    match=match,
    falsepositives=("Bosses ask for errands too, from their own mailbox.",),
    references=("reference exchange-online 7.1 Microsoft",),
)
