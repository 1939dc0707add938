"""All it says is in pictures, and they lead away."""

from __future__ import annotations

from portero.core.message.case import Case, Rule
from portero.core.text import Text


def match(case: Case) -> Text | None:
    """Match bodies of pictures and a link with hardly a word."""
    held = case.content
    if (
        held.pictures
        and case.away
        and len(held.text.split()) < 12
        and "html" in held.traits
        and not case.reply
    ):
        return Text("Hardly a word is text: a picture says it all and leads away.")
    return None


RULE = Rule(
    id="pictures-only",
    title="all in pictures",
    level="medium",
    weight=0.8,
    match=match,
    falsepositives=("Posters of shops.",),
)
