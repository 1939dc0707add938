"""It is written in the organisation's own name without proof and leads to a stranger's site."""

from __future__ import annotations

from portero.core.message.case import Case, Rule
from portero.core.text import Text


def match(case: Case) -> Text | None:
    """Match unauthenticated own-domain mail with links away."""
    if case.unauthenticated_own and case.leads_away and not case.arrival.signed_once:
        host = case.away[0].host if case.away else ""
        if host:
            return Text("In the organisation's own name it leads to {host}.", host=host)
        return Text("In the organisation's own name it brings an attachment that acts.")
    return None


RULE = Rule(
    id="away-in-own-name",
    title="own name that leads away",
    level="high",
    weight=0.8,
    match=match,
    falsepositives=("Internal newsletters with links to partners.",),
)
