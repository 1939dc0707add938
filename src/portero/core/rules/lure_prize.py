"""A prize, a survey with a reward, a free gift.

What it talks about means little alone: newsletters talk of it too. It counts where the mail leads away, and more where the subject line says it.
"""

from __future__ import annotations

from portero.core.message.case import Case, Rule
from portero.core.rules.lure import touched
from portero.core.text import Text


def match(case: Case) -> Text | None:
    """Match the subject where the mail leads away."""
    words = touched(case, "prize")
    return Text("It talks of a prize (“{words}”) and leads away.", words=words) if words else None


RULE = Rule(
    id="lure-prize",
    title="lure: a prize",
    level="medium",
    weight=0.8,
    match=match,
    falsepositives=("Real notices of services that lead to another domain than they come from.",),
    references=("reference exchange-online 7.1",),
)
