"""It leads to, or comes from, a suffix where names cost next to nothing."""

from __future__ import annotations

from portero.core.message.case import Case, Rule
from portero.core.message.web import CHEAP, any_brand_owns
from portero.core.text import Text


def match(case: Case) -> Text | None:
    """Match suffixes with many times the average abuse."""
    if case.reply or case.mail.first("list-id"):
        return None
    for domain in (case.arrival.author_domain, *(each.host for each in case.away[:40])):
        if domain.rpartition(".")[2] in CHEAP and not any_brand_owns(domain):
            return Text("{domain} ends in a suffix where names cost next to nothing.", domain=domain)
    return None


RULE = Rule(
    id="link-cheap-suffix",
    title="cheap domain",
    level="low",
    weight=0.6,
    match=match,
    falsepositives=("Young firms.",),
)
