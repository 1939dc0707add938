"""All its links lead to its author's own domain."""

from __future__ import annotations

from portero.core.message.arrival import organisational
from portero.core.message.case import Case, Rule
from portero.core.message.web import CHEAP, imitates, looks_random
from portero.core.text import Text


def match(case: Case) -> Text | None:
    """Match mail with links of which none leads away from the author's domain."""
    doors = case.content.doors
    home = [each for each in doors if organisational(each.host) == case.home]
    if case.home.rpartition(".")[2] in CHEAP or looks_random(case.home.partition(".")[0]):
        return None
    if (
        home
        and not case.leads_away
        and not case.unauthenticated_own
        and not imitates(case.arrival.author_domain, case.arrival.own)
    ):
        return Text("All its links lead to {domain}, its author's own domain.", domain=case.home)
    return None


RULE = Rule(
    id="links-at-home",
    title="links lead to the author's domain",
    level="informational",
    weight=-0.8,
    match=match,
    falsepositives=("A criminal's own domain links to itself.",),
)
