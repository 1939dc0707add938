"""It hides where a link leads behind a shortener."""

from __future__ import annotations

from portero.core.message.case import Case, Rule
from portero.core.message.web import shortened
from portero.core.text import Text


def match(case: Case) -> Text | None:
    """Match shorteners outside conversations."""
    found = next((each for each in case.away if shortened(each)), None)
    if found is None or case.reply or case.mail.first("list-id"):
        return None
    return Text("It hides behind {host} where a link leads.", host=found.host)


RULE = Rule(
    id="link-shortened",
    title="shortened link",
    level="low",
    weight=0.7,
    match=match,
    falsepositives=("Newsletters and social media.",),
)
