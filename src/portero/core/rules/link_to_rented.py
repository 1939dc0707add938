"""It leads to a page on a host that anybody can rent by the minute."""

from __future__ import annotations

from portero.core.message.case import Case, Rule
from portero.core.message.web import rented
from portero.core.text import Text


def match(case: Case) -> Text | None:
    """Match links to rented hosts of mail that touches a lure or is not a conversation."""
    found = next((each for each in case.away if rented(each)), None)
    if found is None or case.reply or case.mail.first("list-id"):
        return None
    return Text("It leads to {host}, where anybody gets a page by the minute.", host=found.host)


RULE = Rule(
    id="link-to-rented",
    title="link to a rented page",
    level="medium",
    weight=1.0,
    match=match,
    falsepositives=("Small firms that build their site there; forms and shared files of colleagues.",),
)
