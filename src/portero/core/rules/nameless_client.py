"""The client greeted Exchange with a name that no mail server has: loopback, a default Windows name, a bare address."""

from __future__ import annotations

import re

from portero.core.message.case import Case, Rule
from portero.core.text import Text

_NAMELESS = re.compile(
    r"(?:\[?127\.[0-9.]+\]?|\[?::1\]?|localhost|localhost\.localdomain|win-[a-z0-9]{6,15}|desktop-[a-z0-9]{5,12}|ec2amaz-[a-z0-9]+"
    r"|vmi?\d{3,}|vps\d*|user-?pc|kali|ubuntu|debian)(?:\.local)?\Z",
    re.IGNORECASE,
)


def match(case: Case) -> Text | None:
    """Match unauthenticated own-domain mail from a nameless client."""
    entry = case.arrival.boundary.entry
    helo = entry.helo if entry is not None else ""
    if case.unauthenticated_own and _NAMELESS.match(helo):
        return Text("Its client called itself {name}, as no mail server does.", name=helo)
    return None


RULE = Rule(
    id="nameless-client",
    title="a client without a name",
    level="medium",
    weight=0.9,
    match=match,
    falsepositives=("Cheap devices greet so too.",),
    references=("reference exchange-online 7.2 item 6",),
)
