"""It threatens to publish something and asks for coins that nobody can trace.

Such letters hold no link; they count by several threats together with the means of payment.
"""

from __future__ import annotations

from portero.core.message.case import Case, Rule
from portero.core.text import Text


def match(case: Case) -> Text | None:
    """Match two threats of the kind beside easy money, outside of lists and conversations."""
    threats = case.met.get("extortion", ())
    if len(threats) < 2 or not case.met.get("money"):
        return None
    if case.reply or case.mail.first("list-id") or case.arrival.list_domain or case.automatic:
        return None
    return Text(
        "It threatens (“{first}”, “{second}”) and asks for money.", first=threats[0], second=threats[1]
    )


RULE = Rule(
    id="extortion",
    title="extortion",
    level="high",
    weight=2.6,
    match=match,
    falsepositives=("Warnings that quote such letters.",),
    references=("FBI IC3, Extortion",),
)
