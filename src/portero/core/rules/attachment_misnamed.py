"""An attachment's name says another kind than its content is."""

from __future__ import annotations

from portero.core.message.case import Case, Rule
from portero.core.text import Text


def match(case: Case) -> Text | None:
    """Match double endings and contents that contradict the name."""
    for each in case.content.attachments:
        if "misnamed" in each.traits and not case.reply:
            return Text("Attachment {name} is not what its name says.", name=each.name)
    return None


RULE = Rule(
    id="attachment-misnamed",
    title="disguised attachment",
    level="high",
    weight=1.6,
    match=match,
    falsepositives=("Programs that name files carelessly.",),
)
