"""
Only registered senders may open the submission ports to the internet.

Before: any host may submit with any stolen password on 587, 465 or 2525, to any provider.

After: the firewall lets registered senders reach the submission endpoints and nobody else.

Mend: allow, then deny; begin with logging alone.

Verify: the firewall's log shows no other host for 30 days.

May break: applications with mail settings of their own; the log shows which.

Exceptions: test services of developers.

Severity: medium: it takes a password besides.
"""

from __future__ import annotations

from portero.core.checks.origins import of_senders
from portero.core.checks.schedule import judge_schedule
from portero.core.finding import Check, Outcome, Posture, Severity, Verdict
from portero.core.sender import DecidedBy, Kind, Path
from portero.core.text import Text


def _judge(posture: Posture) -> Verdict:
    """Judge what mail evidence can show: a device or application that submits and that nobody registered."""
    loose = [
        sender
        for sender in posture.senders
        if sender.path is Path.AUTHENTICATED
        and sender.kind in {Kind.DEVICE, Kind.APPLICATION}
        and sender.decided_by is DecidedBy.EVIDENCE
    ]
    if loose:
        return Verdict(
            Outcome.WARN,
            Text(
                "These submit with a password, and nobody registered them: {senders}.",
                senders=tuple(each.label for each in loose),
            ),
            of_senders(loose),
            subjects=tuple(str(each.label) for each in loose),
        )
    unseen = Text("What may open the submission ports shows in the firewall's rules and log, not in mail.")
    return judge_schedule(posture, "NET-02", Verdict(Outcome.UNKNOWN, unseen))


CHECK = Check(
    id="NET-02",
    title=Text("Submission ports are limited too"),
    severity=Severity.MEDIUM,
    needs=("mail",),
    judge=_judge,
    fix=Text(
        "In the firewall: allow smtp.office365.com on 587 from registered senders only, deny 465, 587 and 2525 to anything else."
    ),
    undo=Text("Remove the deny rule and keep the log."),
    maps={"NIST": "SC-7(5)", "ATT&CK": "T1071.003, T1048"},
)
