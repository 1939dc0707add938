"""A post by one of the organisation's people comes home from a mailing list.

The list changes the text, so the signature breaks, and compauth fails with 601; the list's own envelope and name show what it is.
"""

from __future__ import annotations

from portero.core.message.case import Case, Rule
from portero.core.text import Text


def match(case: Case) -> Text | None:
    """Match own-domain mail that a list with its own envelope passed on."""
    held = case.arrival
    if held.author_is_ours and case.passed_on:
        return Text(
            "The mailing list at {domain} passed it on with its own envelope, as lists do.",
            domain=held.list_domain or "",
        )
    return None


RULE = Rule(
    id="own-list-post",
    title="own post coming home from a list",
    level="informational",
    weight=-3.0,
    match=match,
    falsepositives=("A list that a stranger runs.",),
    references=("RFC 2919", "reference detection, lists-exo"),
)
