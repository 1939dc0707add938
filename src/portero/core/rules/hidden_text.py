"""It hides a lot of text from its reader that filters see."""

from __future__ import annotations

from portero.core.message.case import Case, Rule
from portero.core.text import Text


def match(case: Case) -> Text | None:
    """Match much hidden text that is no preview line."""
    held = case.content
    if len(held.hidden) > 400 and len(held.hidden) > len(held.text) // 4 and case.away:
        return Text("It hides {n} characters of text from its reader.", n=len(held.hidden))
    return None


RULE = Rule(
    id="hidden-text",
    title="hidden text",
    level="medium",
    weight=0.7,
    match=match,
    falsepositives=("Preview lines of newsletters are hidden too; those are short.",),
)
