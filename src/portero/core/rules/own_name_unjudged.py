"""Exchange declined to judge mail in the organisation's own name: compauth none with 451 or 905, complex routing."""

from __future__ import annotations

from portero.core.exchange.headers import CompositeReason
from portero.core.message.case import Case, Rule
from portero.core.text import Text


def match(case: Case) -> Text | None:
    """Match compauth 4xx and 9xx of unauthenticated mail in the own name."""
    held = case.arrival.stamps.compauth
    if held is not None and held.meaning is CompositeReason.BYPASSED and case.unauthenticated_own:
        return Text(
            "Exchange did not judge it because of the routing (compauth=none reason={code}).",
            code=held.reason or "",
        )
    return None


RULE = Rule(
    id="own-name-unjudged",
    title="routing kept Exchange from judging",
    level="medium",
    weight=0.6,
    match=match,
    falsepositives=("Any mail in the own name where the MX points to a gateway.",),
    references=("reference exchange-online 4.2",),
)
