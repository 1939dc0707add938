"""It speaks in a brand's name in its subject, leads away from that brand, and its author is not the brand."""

from __future__ import annotations

from portero.core.message.case import Case, Rule
from portero.core.message.web import brand_in, owns
from portero.core.text import Text


def match(case: Case) -> Text | None:
    """Match a brand in the subject of mail that neither comes from it nor leads to it."""
    brand = brand_in(case.mail.text("subject"), whole=False)
    if brand is None or owns(brand, case.arrival.author_domain) or case.domain_is_ours or case.reply:
        return None
    if not case.away or any(owns(brand, each.host) for each in case.away) or case.mail.first("list-id"):
        return None
    touched = [
        each
        for each in (
            "account",
            "password",
            "payment",
            "parcel",
            "refund",
            "prize",
            "document",
            "urgency",
            "mailbox-full",
        )
        if each in case.met
    ]
    if not touched:
        return None
    return Text(
        "Its subject speaks of {brand}, yet its links lead to {domain}.",
        brand=brand,
        domain=case.away[0].host,
    )


RULE = Rule(
    id="brand-in-text",
    title="a brand's name in the subject, links elsewhere",
    level="medium",
    weight=1.3,
    match=match,
    falsepositives=("Shops and news that write about a brand.",),
)
