"""Its From field names several authors, or none that can be read."""

from __future__ import annotations

from portero.core.message.case import Case, Rule
from portero.core.text import Text


def match(case: Case) -> Text | None:
    """Match several From fields or addresses, and a From without an address."""
    boxes = [each for each in case.mail.mailboxes("from") if each.address]
    fields = case.mail.all("from")
    if fields and (len(fields) > 1 or len(boxes) > 1 or not boxes) and not case.automatic:
        return Text("Its From field does not name one author.")
    return None


RULE = Rule(
    id="two-authors",
    title="a From field that is none",
    level="medium",
    weight=0.8,
    match=match,
    falsepositives=("Broken programs.",),
    references=("RFC 5322 section 3.6.2",),
)
