"""A link carries the reader's own address, so that the page can show it in a login form."""

from __future__ import annotations

import re

from portero.core.message.case import Case, Rule
from portero.core.message.web import names_reader
from portero.core.text import Text

_LEAVE = re.compile(
    r"unsub|optout|opt-out|preferenc|baja|cancel|abmeld|desinscri|disiscri|subscri", re.IGNORECASE
)


def match(case: Case) -> Text | None:
    """Match a recipient in a link or a code, links to leave left out."""
    for each in (*case.away, *case.content.of_kind("code")):
        if (
            not _LEAVE.search(each.url)
            and not _LEAVE.search(each.words)
            and names_reader(each, case.recipients)
        ):
            return Text("A link to {host} carries the reader's own address.", host=each.host)
    return None


RULE = Rule(
    id="link-names-reader",
    title="the reader's address in a link",
    level="medium",
    weight=1.1,
    match=match,
    falsepositives=("Links to leave a newsletter.",),
    references=("reference exchange-online 7.2 item 10",),
)
