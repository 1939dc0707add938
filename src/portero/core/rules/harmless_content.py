"""Nothing in it can be followed, opened or answered to any harm, and it asks for nothing.

A lure needs a link, a code, an active attachment, a telephone number or an errand.
"""

from __future__ import annotations

from portero.core.message.case import Case, Rule
from portero.core.text import Text


def match(case: Case) -> Text | None:
    """Match mail without anything to follow but the organisation's own pages, and without an errand."""
    held = case.content
    if (
        case.leads_away
        or case.leads_to_strangers
        or case.met.get("errand")
        or held.gaps
        or not case.mail.has_body
    ):
        return None
    if any(each.traits & {"damaged", "encrypted", "not-opened", "misnamed"} for each in held.attachments):
        return None
    if case.reply_to_stranger or len(case.met.get("money", ())) > 1 or len(case.met.get("intimate", ())) > 1:
        return None
    if not held.attachments and len(held.text.split()) < 3:
        return None  # nothing was said that could be judged: the harm may lie where nobody looked
    return Text("Nothing in it leads anywhere, and it asks for nothing.")


RULE = Rule(
    id="harmless-content",
    title="harmless content",
    level="informational",
    weight=-1.0,
    match=match,
    falsepositives=("The first, still harmless mail of a longer fraud.",),
)
