"""It is an invitation whose text leads away."""

from __future__ import annotations

import re

from portero.core.message.case import Case, Rule
from portero.core.text import Text

_MEETINGS = re.compile(
    r"(?:^|\.)(?:teams\.microsoft\.com|teams\.live\.com|zoom\.us|meet\.google\.com|webex\.com|gotomeeting\.com|aka\.ms|calendar\.google\.com|jit\.si)\Z"
)


def match(case: Case) -> Text | None:
    """Match invitations with links that are no meeting's."""
    if not case.content.calendar:
        return None
    found = next((each for each in case.away if not _MEETINGS.search(each.host)), None)
    return Text("An invitation leads to {host}.", host=found.host) if found else None


RULE = Rule(
    id="invitation",
    title="calendar invitation with a link",
    level="low",
    weight=0.6,
    match=match,
    falsepositives=("Meetings of other services.",),
)
