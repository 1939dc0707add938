"""It claims an address of the organisation and SPF, DKIM or DMARC of that domain proves it."""

from __future__ import annotations

from portero.core.message.case import Case, Rule
from portero.core.text import Text


def match(case: Case) -> Text | None:
    """Match anonymous mail whose From is the organisation's and is authenticated."""
    held = case.arrival
    if held.author_is_ours and held.anonymous and held.authenticated:
        return Text(
            "Its address {address} is the organisation's and is authenticated for that domain.",
            address=held.author.address,
        )
    return None


RULE = Rule(
    id="own-name-authenticated",
    title="own name, authenticated",
    level="informational",
    weight=-4.0,
    match=match,
    falsepositives=("A service in the SPF record that serves strangers too.",),
    references=("reference exchange-online 4.9",),
)
