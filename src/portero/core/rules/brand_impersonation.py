"""Its display name is a brand's and its domain is not."""

from __future__ import annotations

from portero.core.message.case import Case, Rule
from portero.core.message.web import brand_in, owns
from portero.core.text import Text


def match(case: Case) -> Text | None:
    """Match a brand as display name over a domain that is not the brand's."""
    held = case.arrival
    brand = brand_in(held.author.name)
    if brand is None or not held.author_domain or owns(brand, held.author_domain) or case.domain_is_ours:
        return None
    if case.reply or held.list_domain or case.mail.first("list-id"):
        return None
    return Text(
        "It calls itself {brand} and comes from {domain}.", brand=held.author.name, domain=held.author_domain
    )


RULE = Rule(
    id="brand-impersonation",
    title="a brand's name over another domain",
    level="high",
    weight=2.2,
    match=match,
    falsepositives=("Agencies that send for a brand from their own domain.",),
)
