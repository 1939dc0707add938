"""Exchange itself says that mail in the organisation's own name is forged: compauth fails with 010 or 6xx.

It says so of the organisation's own list posts coming home too; those are seen by their list.
"""

from __future__ import annotations

from portero.core.message.case import Case, Rule
from portero.core.text import Text


def match(case: Case) -> Text | None:
    """Match compauth 010 and 6xx, unless a list passed the mail on."""
    held = case.arrival
    if (
        held.own_domain_failure
        and held.anonymous is not False
        and not case.passed_on
        and not held.signed_once
    ):
        code = held.stamps.compauth.reason if held.stamps.compauth else ""
        return Text(
            "Exchange found the organisation's own name forged (compauth=fail reason={code}).",
            code=code or "",
        )
    return None


RULE = Rule(
    id="own-name-refused",
    title="Exchange calls the own name forged",
    level="high",
    weight=1.2,
    match=match,
    falsepositives=("Own posts to mailing lists that come home.",),
    references=("reference exchange-online 4.2",),
)
