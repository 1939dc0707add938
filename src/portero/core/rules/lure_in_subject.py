"""The subject line or the author's name already speaks of a lure's subject."""

from __future__ import annotations

from portero.core.message.case import Case, Rule
from portero.core.rules.lure import touched
from portero.core.text import Text

_SUBJECTS = (
    "voicemail", "fax", "payroll", "document", "password", "second-factor", "held-mail", "mailbox-full", "account", "payment",
    "parcel", "refund", "prize", "money", "intimate",
)  # fmt: skip


def match(case: Case) -> Text | None:
    """Match a lure's subject in what a mailbox's list shows, in mail that leads away."""
    for subject in _SUBJECTS:
        if subject in case.met_early and touched(case, subject):
            words = case.met_early[subject][0]
            return Text("What a mailbox shows of it first is already the lure (“{words}”).", words=words)
    return None


RULE = Rule(
    id="lure-in-subject",
    title="lure in the subject line",
    level="low",
    weight=0.7,
    match=match,
    falsepositives=("Notices that say the same of a real event.",),
)
