"""It comes from outside and its author's domain fails composite authentication."""

from __future__ import annotations

from portero.core.message.case import Case, Rule
from portero.core.text import Text


def match(case: Case) -> Text | None:
    """Match failing composite authentication or DMARC of mail that does not claim to be ours."""
    held = case.arrival
    if (
        held.claims_us
        or held.boundary.entry is None
        or case.passed_on
        or held.list_domain
        or held.anonymous is False
    ):
        return None
    compauth = held.stamps.compauth
    if (compauth is not None and compauth.result == "fail") or held.dmarc == "fail":
        if not held.author_domain:
            return Text("Nothing proves who sent it.")
        return Text("Nothing proves that {domain} sent it.", domain=held.author_domain)
    return None


RULE = Rule(
    id="stranger-unproved",
    title="an outside author without proof",
    level="low",
    weight=0.6,
    match=match,
    falsepositives=("Small senders and lists without records.",),
    references=("reference exchange-online 4.2",),
)
