"""Its display name is one of the organisation's people and its address is not that person's."""

from __future__ import annotations

from portero.core.message.case import Case, Rule
from portero.core.message.words import plain_words, tokens
from portero.core.text import Text


def match(case: Case) -> Text | None:
    """Match the organisation's people by display name."""
    held = case.arrival
    addresses = case.known.people.get(" ".join(tokens(plain_words(held.author.name))))
    if not addresses or case.author in addresses or case.passed_on or held.anonymous is False:
        return None
    if not held.authenticated or not held.author_is_ours:
        return Text(
            "It calls itself {name}, one of the organisation's people, and comes from {address}.",
            name=held.author.name,
            address=case.author,
        )
    return None


RULE = Rule(
    id="person-impersonation",
    title="a colleague's name over a strange address",
    level="high",
    weight=2.2,
    match=match,
    falsepositives=("A colleague's private address; a namesake.",),
)
