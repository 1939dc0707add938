"""It is bulk mail with manners: it says how to leave, and its author's domain is authenticated or carries the links."""

from __future__ import annotations

from portero.core.message.arrival import organisational
from portero.core.message.case import Case, Rule
from portero.core.text import Text


def match(case: Case) -> Text | None:
    """Match List-Unsubscribe together with an authenticated author or a link home."""
    if case.mail.first("list-unsubscribe") is None or case.unauthenticated_own:
        return None
    home = any(organisational(each.host) == case.home for each in case.content.doors)
    if case.arrival.authenticated and home:
        return Text("It is bulk mail that names its sender and says how to leave.")
    return None


RULE = Rule(
    id="bulk-manners",
    title="bulk mail with manners",
    level="informational",
    weight=-1.2,
    match=match,
    falsepositives=("Spammers copy the header.",),
    references=("RFC 8058",),
)
