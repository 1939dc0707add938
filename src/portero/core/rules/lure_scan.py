"""A scan that no device made.

What it talks about means little alone: newsletters talk of it too. It counts where the mail leads away, and more where the subject line says it.
"""

from __future__ import annotations

from portero.core.message.case import Case, Rule
from portero.core.rules.lure import touched
from portero.core.text import Text


def match(case: Case) -> Text | None:
    """Match the subject where the mail leads away."""
    words = touched(case, "scan")
    return Text("It talks of a scanned document (“{words}”) and leads away.", words=words) if words else None


RULE = Rule(
    id="lure-scan",
    title="lure: a scanned document",
    level="medium",
    weight=0.8,
    match=match,
    falsepositives=("Real notices of services that lead to another domain than they come from.",),
    references=("reference exchange-online 7.1",),
)
