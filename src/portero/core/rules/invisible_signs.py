"""Words in the subject or the name are broken up with invisible signs or disguised letters."""

from __future__ import annotations

import re

from portero.core.message.case import Case, Rule
from portero.core.message.words import has_lookalikes
from portero.core.text import Text

_SIGNS = re.compile("[\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\ufeff]")
_STYLED = re.compile("[\U0001d400-\U0001d7ff]")


def match(case: Case) -> Text | None:
    """Match invisible signs, letters of two scripts in one word, and mathematical letters as plain ones."""
    shown = f"{case.mail.text('subject')} {case.arrival.author.name}"
    if _SIGNS.search(shown) or _STYLED.search(shown) or any(has_lookalikes(word) for word in shown.split()):
        return Text("Letters in its subject or name are disguised so that filters do not read them.")
    return None


RULE = Rule(
    id="invisible-signs",
    title="disguised letters",
    level="high",
    weight=1.6,
    match=match,
    falsepositives=("Names written with emoji or ornamental letters.",),
    references=("Unicode TS 39",),
)
