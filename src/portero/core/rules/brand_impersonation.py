"""Its display name is a brand's and its domain is not."""

from __future__ import annotations

from portero.core.message.case import Case, Rule
from portero.core.message.web import BRANDS
from portero.core.text import Text


def match(case: Case) -> Text | None:
    """Match a brand as display name over a domain that is not the brand's."""
    held = case.arrival
    if case.borrowed not in BRANDS:
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
