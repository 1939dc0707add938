"""It is written in the organisation's own name without proof, touches a lure of the published reports and leads away."""

from __future__ import annotations

from portero.core.message.case import Case, Rule
from portero.core.message.lures import DIRECT_SEND_LURES
from portero.core.text import Text


def match(case: Case) -> Text | None:
    """Match unauthenticated own-domain mail with a published lure that leads away."""
    if not case.unauthenticated_own or not case.leads_away:
        return None
    for subject in DIRECT_SEND_LURES:
        if subject in case.met:
            return Text(
                "In the organisation's own name and without proof it says “{words}” and leads away.",
                words=case.met[subject][0],
            )
    return None


RULE = Rule(
    id="own-name-lure",
    title="Direct Send lure",
    level="critical",
    weight=1.6,
    match=match,
    falsepositives=("Internal campaigns sent by a service without the organisation's DKIM.",),
    references=("reference exchange-online 7.1",),
)
