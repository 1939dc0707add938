"""It is plain text and leads nowhere."""

from __future__ import annotations

from portero.core.message.case import Case, Rule
from portero.core.text import Text


def match(case: Case) -> Text | None:
    """Match text without markup, links away, or attachments that act."""
    held = case.content
    if (
        "html" in held.traits
        or case.leads_away
        or held.attachments
        or not held.text.strip()
        or case.unauthenticated_own
    ):
        return None
    if case.met.get("errand") or case.met.get("money") or case.reply_to_stranger:
        return None
    return Text("It is plain text and leads nowhere.")


RULE = Rule(
    id="plain-words",
    title="plain text without links",
    level="informational",
    weight=-1.0,
    match=match,
    falsepositives=("Frauds that begin with a plain question.",),
)
