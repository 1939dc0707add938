"""Its author's domain is a known brand's own and is authenticated."""

from __future__ import annotations

from portero.core.message.case import Case, Rule
from portero.core.message.web import any_brand_owns, free_mail
from portero.core.text import Text


def match(case: Case) -> Text | None:
    """Match authenticated mail of a brand on our list; where anybody gets a mailbox, its domain says nothing of the author."""
    if free_mail(case.author):
        return None
    if case.arrival.authenticated and any_brand_owns(case.arrival.author_domain):
        return Text("It is authenticated for {domain}.", domain=case.home)
    return None


RULE = Rule(
    id="brand-owned",
    title="an authenticated brand",
    level="informational",
    weight=-1.8,
    match=match,
    falsepositives=("Lures sent through a brand's own services: invoices, shared files.",),
)
