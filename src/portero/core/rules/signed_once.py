"""The author's domain signed it and a change on the way broke the signature, as lists and gateways do."""

from __future__ import annotations

from portero.core.message.case import Case, Rule
from portero.core.text import Text


def match(case: Case) -> Text | None:
    """Match a DKIM signature of the author's domain that no longer verifies."""
    held = case.arrival
    if held.signed_once and held.author_is_ours and not held.authenticated:
        return Text("The organisation's domain signed it once; a change on the way broke the signature.")
    return None


RULE = Rule(
    id="signed-once",
    title="a broken signature of the author's domain",
    level="informational",
    weight=-1.2,
    match=match,
    falsepositives=("A forger may append an old signature.",),
    references=("RFC 6376 section 1.5",),
)
