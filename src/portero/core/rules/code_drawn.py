"""A code is drawn with letters or table cells, so that no scanner of pictures sees it."""

from __future__ import annotations

from portero.core.message.case import Case, Rule
from portero.core.text import Text


def match(case: Case) -> Text | None:
    """Match codes read from text or table cells."""
    if "drawn-code" in case.content.traits:
        return Text("A code is drawn with letters or table cells to escape scanners.")
    return None


RULE = Rule(
    id="code-drawn",
    title="QR code drawn in text",
    level="critical",
    weight=2.5,
    match=match,
    falsepositives=("Programs that print a code to sign in on a terminal.",),
    references=("reference detection, QR drawn in text",),
)
