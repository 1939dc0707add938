"""
What Microsoft forgets after 90 days is kept, so that yearly senders show.

Before: nobody keeps traces; what sends once a year is seen for the first time when it breaks.

After: the evidence reaches back 90 days at least, and what is kept of senders 13 months.

Mend: collect every day and keep it.

Verify: the first day of the evidence is old enough.

May break: traces are personal data: keep counts, and follow the organisation's rules.

Exceptions: none.

Severity: medium: yearly senders are invisible otherwise.
"""

from __future__ import annotations

from portero.core.checks.window import days_covered, mail_documents
from portero.core.evidence import Origin
from portero.core.finding import Check, Outcome, Posture, Severity, Verdict
from portero.core.text import Text, count

# Thirteen months: a year and the month in which to notice. Source: controls catalogue LOG-05.
_YEARLY = 395


def _judge(posture: Posture) -> Verdict:
    documents = mail_documents(posture.coverage)
    origins = tuple(Origin(each.document) for each in documents[:20])
    days = days_covered(posture.coverage)
    if not days:
        return Verdict(
            Outcome.UNKNOWN, Text("No mail evidence bears times, so nobody can tell how far it reaches.")
        )
    if days >= _YEARLY:
        return Verdict(Outcome.PASS, Text("The evidence reaches back more than a year."), origins)
    if days >= posture.limits.kept_days:
        return Verdict(
            Outcome.WARN,
            count(
                "The evidence covers {n} day: senders that mail once a year are not in it.",
                "The evidence covers {n} days: senders that mail once a year are not in it.",
                days,
            ),
            origins,
        )
    return Verdict(
        Outcome.WARN,
        count(
            "The evidence covers {n} day, less than Microsoft itself keeps.",
            "The evidence covers {n} days, less than Microsoft itself keeps.",
            days,
        ),
        origins,
    )


CHECK = Check(
    id="LOG-05",
    title=Text("Mail evidence outlives Microsoft's 90 days"),
    severity=Severity.MEDIUM,
    needs=("mail",),
    judge=_judge,
    fix=Text("Collect traces every day and keep them in a store for longer than Microsoft does."),
    undo=Text("Delete what was kept, by the organisation's retention rules."),
    maps={"SCuBA": "MS.SECURITYSUITE.5.2v1 (by analogy)", "NIST": "AU-11", "ATT&CK": "T1070"},
)
