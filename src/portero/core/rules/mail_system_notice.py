"""It is a notice of a mail system: a bounce, an absence, a receipt."""

from __future__ import annotations

from portero.core.message.case import Case, Rule
from portero.core.text import Text


def match(case: Case) -> Text | None:
    """Match reports and automatic replies that do not claim to be ours without proof."""
    held = case.arrival
    if (
        case.automatic
        and not case.unauthenticated_own
        and (
            held.mail_from in {"", None}
            or "multipart/report" in (case.mail.first("content-type") or "").lower()
            or not case.content.doors
        )
    ):
        return Text("It is an automatic notice of a mail system.")
    return None


RULE = Rule(
    id="mail-system-notice",
    title="notice of a mail system",
    level="informational",
    weight=-2.0,
    match=match,
    falsepositives=("A bounce of a forged mail carries the lure along.",),
    references=("RFC 3464", "RFC 3834"),
)
