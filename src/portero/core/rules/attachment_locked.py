"""An attachment is encrypted, so that nobody on the way can look into it."""

from __future__ import annotations

from portero.core.message.case import Case, Rule
from portero.core.text import Text


def match(case: Case) -> Text | None:
    """Match encrypted attachments."""
    for each in case.content.attachments:
        if "encrypted" in each.traits and not case.reply:
            return Text(
                "Attachment {name} is locked, so nothing on the way could look into it.", name=each.name
            )
    return None


RULE = Rule(
    id="attachment-locked",
    title="locked attachment",
    level="low",
    weight=0.7,
    match=match,
    falsepositives=("Payroll and banks send locked documents.",),
)
