"""A letter about money or shame that wants an answer or coins, with no link at all."""

from __future__ import annotations

from portero.core.message.case import Case, Rule
from portero.core.message.web import free_mail
from portero.core.text import Text


def match(case: Case) -> Text | None:
    """Match letters without links that touch easy money or something intimate several times."""
    words = [*case.met.get("money", ()), *case.met.get("intimate", ())]
    if case.reply or case.mail.first("list-id") or case.automatic or case.away:
        return None
    if len(words) >= 4 or (len(words) >= 2 and (case.reply_to_stranger or free_mail(case.author))):
        return Text("It is a letter about {words}.", words=tuple(words[:3]))
    return None


RULE = Rule(
    id="money-letter",
    title="letter about easy money",
    level="medium",
    weight=2.0,
    match=match,
    falsepositives=("News and reports about such letters.",),
)
