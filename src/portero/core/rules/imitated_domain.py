"""Its author's domain, or one it leads to, is made to look like the organisation's or a brand's."""

from __future__ import annotations

from portero.core.message.arrival import under
from portero.core.message.case import Case, Rule
from portero.core.message.web import any_brand_owns, imitates
from portero.core.text import Text


def match(case: Case) -> Text | None:
    """Match look-alike domains of the author and of links."""
    own = case.arrival.own
    for domain in (case.arrival.author_domain, *(each.host for each in case.away[:40])):
        if not domain or under(domain, own):
            continue
        # Who registers a look-alike of ours authenticates it too; of brands there are resellers and admirers.
        imitated = imitates(domain, own, brands=not case.domain_in_use_safely(domain))
        if imitated is not None and not any_brand_owns(domain):
            return Text("{domain} is made to look like {imitated}.", domain=domain, imitated=imitated)
    return None


RULE = Rule(
    id="imitated-domain",
    title="an imitated domain",
    level="high",
    weight=2.2,
    match=match,
    falsepositives=("Fan pages and resellers.",),
    references=("Unicode TS 39",),
)
