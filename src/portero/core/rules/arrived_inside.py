"""It was sent from inside: by a mailbox or with credentials, as Exchange Online's own lines show.

A taken-over mailbox sends from inside too, so this does not outweigh a lure that steals passwords.
"""

from __future__ import annotations

from portero.core.message.case import Case, Rule
from portero.core.sender import Path
from portero.core.text import Text


def match(case: Case) -> Text | None:
    """Match mail that a mailbox or a client with credentials handed in."""
    held = case.arrival
    if held.path in {Path.INTERNAL, Path.AUTHENTICATED} and not held.boundary.forged:
        return held.why
    return None


RULE = Rule(
    id="arrived-inside",
    title="sent from inside",
    level="informational",
    weight=-3.5,
    match=match,
    falsepositives=("A mailbox that somebody took over.",),
    references=("reference exchange-online 4.9",),
)
