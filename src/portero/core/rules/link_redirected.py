"""A well-known site is used to pass the reader on to another."""

from __future__ import annotations

from portero.core.message.case import Case, Rule
from portero.core.message.web import redirects
from portero.core.text import Text


def match(case: Case) -> Text | None:
    """Match redirects outside conversations and lists."""
    found = next((each for each in case.away if redirects(each)), None)
    if found is None or case.reply or case.mail.first("list-id"):
        return None
    return Text("{host} only passes the reader on to another site.", host=found.host)


RULE = Rule(
    id="link-redirected",
    title="open redirect",
    level="low",
    weight=0.7,
    match=match,
    falsepositives=("Click counting of bulk mail.",),
)
