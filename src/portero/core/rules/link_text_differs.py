"""A link shows one domain and leads to another."""

from __future__ import annotations

from portero.core.message.case import Case, Rule
from portero.core.message.web import claims_another
from portero.core.text import Text


def match(case: Case) -> Text | None:
    """Match links whose visible words name another domain than they lead to."""
    for each in case.away:
        said = claims_another(each)
        if said is not None and not case.reply and not case.mail.first("list-id"):
            return Text("A link shows {shown} and leads to {domain}.", shown=said, domain=each.host)
    return None


RULE = Rule(
    id="link-text-differs",
    title="a link that lies",
    level="high",
    weight=1.5,
    match=match,
    falsepositives=("Click counting of bulk mail: carriers on our list are left out.",),
)
