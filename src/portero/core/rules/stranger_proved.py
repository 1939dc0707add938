"""
It comes from outside and its author's domain is authenticated.

That says little: of the phish in a public collection whose composite authentication Microsoft stamped, 3,930 of 5,839 passed.
Of ordinary mail nearly all does, so it speaks a little for a mail.
"""

from __future__ import annotations

from portero.core.message.case import Case, Rule
from portero.core.text import Text


def match(case: Case) -> Text | None:
    """Match authenticated mail that does not claim to be ours."""
    held = case.arrival
    if held.authenticated and not held.claims_us and not held.boundary.forged:
        return Text("Authentication proves that it comes from {domain}.", domain=held.author_domain)
    return None


RULE = Rule(
    id="stranger-proved",
    title="an outside author with proof",
    level="informational",
    weight=-0.4,
    match=match,
    falsepositives=("Criminals authenticate the domains they buy.",),
    references=("reference exchange-online 4.2",),
)
