"""
Anonymous mail that claims our domains is looked for on a schedule, and what is found gets an answer.

Before: nobody looks; a campaign in our name is noticed when somebody has clicked.

After: a job lists, at least daily, delivered mail without a connector whose envelope sender or From is ours, by source, and somebody
decides about each new source.

Mend: schedule portero watch, or a custom detection rule over EmailEvents with the test on both sender domains.

Verify: the job's record shows a run within the last 24 hours and a decision for each source.

May break: nothing but a budget: details of messages are limited to 100 calls in five minutes.

Exceptions: sources in the register need no new decision.

Severity: high: it is how abuse of the open door is seen at all.
"""

from __future__ import annotations

from portero.core.checks.origins import of_senders
from portero.core.checks.schedule import judge_schedule
from portero.core.finding import Check, Outcome, Posture, Severity, Verdict
from portero.core.sender import DecidedBy, Path
from portero.core.text import Text

_ANONYMOUS = {Path.DIRECT_SEND, Path.FOREIGN_ENVELOPE}


def _judge(posture: Posture) -> Verdict:
    """
    Say what one run of the detection finds in this evidence.

    One run is no schedule, and a schedule may stand in another product: files can neither prove it nor rule it out.
    """
    found = [sender for sender in posture.senders if sender.path in _ANONYMOUS]
    untriaged = [sender for sender in found if sender.decided_by is DecidedBy.EVIDENCE]
    unsaid = Verdict(
        Outcome.UNKNOWN,
        Text(
            "This evidence holds {mails} anonymous mails in our name from {sources} senders, about {untriaged} of which no "
            "person has decided. Whether such mail is looked for daily is not in it: the record of a scheduled portero watch, "
            "or of a detection rule with its last run, would show that.",
            mails=sum(sender.mails for sender in found),
            sources=len(found),
            untriaged=len(untriaged),
        ),
        of_senders(found),
    )
    return judge_schedule(posture, "LOG-03", unsaid)


CHECK = Check(
    id="LOG-03",
    title=Text("Anonymous mail claiming our domains is detected on a schedule"),
    severity=Severity.HIGH,
    needs=("mail", "domains"),
    judge=_judge,
    fix=Text(
        "Schedule portero watch, or a custom detection rule over EmailEvents that tests both sender domains."
    ),
    undo=Text("Disable the job or the rule."),
    maps={"NIST": "SI-4, AU-6", "ATT&CK": "T1672, T1566"},
)
