"""A link hides its host behind something that looks like another before an @."""

from __future__ import annotations

from portero.core.message.case import Case, Rule
from portero.core.text import Text


def match(case: Case) -> Text | None:
    """Match user information in web links."""
    for each in case.away:
        user = each.split.username
        if user and "." in user:
            return Text("A link begins with {shown} and leads to {host}.", shown=user, host=each.host)
    return None


RULE = Rule(
    id="link-with-login",
    title="link disguised with @",
    level="high",
    weight=2.0,
    match=match,
    falsepositives=("Links to test servers that carry their own login.",),
)
