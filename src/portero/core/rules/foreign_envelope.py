"""Its From is the organisation's, its envelope sender is a stranger's, and nothing ties the two together."""

from __future__ import annotations

from portero.core.message.case import Case, Rule
from portero.core.sender import Path
from portero.core.text import Text


def match(case: Case) -> Text | None:
    """Match unauthenticated mail with an own From over a foreign envelope, lists and notices left out."""
    held = case.arrival
    if (
        held.path is not Path.FOREIGN_ENVELOPE
        or not case.unauthenticated_own
        or held.signed_once
        or case.automatic
    ):
        return None
    return Text(
        "Its From is the organisation's, yet its envelope sender {address} is not.",
        address=held.mail_from or "<>",
    )


RULE = Rule(
    id="foreign-envelope",
    title="own From over a stranger's envelope",
    level="high",
    weight=0.9,
    match=match,
    falsepositives=("Services that send for the organisation without its DKIM.",),
    references=("reference exchange-online 2.3",),
)
