"""Its author's domain is a known brand's own and is authenticated."""

from __future__ import annotations

from portero.core.message.case import Case, Rule
from portero.core.text import Text


def match(case: Case) -> Text | None:
    """Match authenticated mail of a brand on our list; where anybody gets a mailbox, its domain says nothing of the author."""
    if case.proven_brand:
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
