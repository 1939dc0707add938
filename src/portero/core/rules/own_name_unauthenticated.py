"""It claims an address of the organisation and nothing authenticates it.

Devices that nobody put into SPF do this too; what they send looks harmless, and that is weighed by its own rule.
"""

from __future__ import annotations

from portero.core.message.case import Case, Rule
from portero.core.text import Text


def match(case: Case) -> Text | None:
    """Match anonymous mail in the organisation's own name that fails, or has no, authentication."""
    held = case.arrival
    if not case.unauthenticated_own or held.anonymous is None or held.signed_once:
        return None
    results = held.boundary.results
    if results is None and held.spf not in {"fail", "softfail"}:
        return None
    return Text(
        "It uses the organisation's own address {address} without proof: SPF {spf}, DKIM {dkim}, DMARC {dmarc}.",
        address=held.author.address,
        spf=held.spf or "—",
        dkim=held.dkim or "—",
        dmarc=held.dmarc or "—",
    )


RULE = Rule(
    id="own-name-unauthenticated",
    title="own name, not authenticated",
    level="high",
    weight=2.0,
    match=match,
    falsepositives=("Scanners and programs that are missing from the SPF record.",),
    references=("reference exchange-online 7.2",),
)
