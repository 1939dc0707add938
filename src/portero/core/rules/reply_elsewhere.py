"""An answer would go to a stranger's free mailbox instead of to its author."""

from __future__ import annotations

from portero.core.message.case import Case, Rule
from portero.core.text import Text


def match(case: Case) -> Text | None:
    """Match Reply-To at a free service that is not the author's."""
    if case.reply_to_stranger and not case.reply and not case.mail.first("list-id"):
        return Text("Answers go to {address}, not to its author.", address=case.reply_to)
    return None


RULE = Rule(
    id="reply-elsewhere",
    title="answers go elsewhere",
    level="medium",
    weight=0.7,
    match=match,
    falsepositives=("People who read their mail elsewhere.",),
)
