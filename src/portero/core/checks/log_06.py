"""
After Reject Direct Send is on, every registered sender still delivers, and silence is noticed.

Before: refused mail leaves no trace in Exchange; a payroll run fails, and somebody finds out a month later.

After: every registered sender was seen within its usual interval, and the firewall shows no host inside that keeps trying port 25.

Mend: give the silent sender another way in; go back if it is critical.

Verify: the next audit sees it again.

May break: nothing: it only looks.

Exceptions: seasonal senders.

Severity: high during the first month.
"""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

from portero.core.checks.origins import of_senders
from portero.core.checks.schedule import judge_schedule
from portero.core.checks.standing import Standing, conclude
from portero.core.exchange.powershell import run
from portero.core.finding import Check, Outcome, Posture, Severity, Verdict
from portero.core.sender import DecidedBy, Sender
from portero.core.text import Text

# A sender is silent when it has been quiet for this many of its usual intervals.
_INTERVALS = 3


def _judge(posture: Posture) -> Verdict:
    if posture.settings.reject_direct_send is None:
        return Verdict(Outcome.UNKNOWN, Text("Whether Reject Direct Send is on was not exported (DS-01)."))
    if not posture.settings.reject_direct_send:
        return Verdict(Outcome.NOT_APPLICABLE, Text("Reject Direct Send is not on yet."))
    registered = [
        sender
        for sender in posture.senders
        if sender.legitimate and sender.decided_by is not DecidedBy.EVIDENCE
    ]
    if not registered:
        return Verdict(Outcome.UNKNOWN, Text("No sender is registered, so nobody knows whom to miss."))
    verdict = conclude(
        [_standing(posture, sender) for sender in registered],
        Text("Every registered sender still delivers."),
        Text("No sender was judged."),
    )
    if verdict.outcome is not Outcome.PASS:
        return verdict
    unseen = Text(
        "Every registered sender still delivers; whether hosts inside keep trying port 25 takes the firewall's log."
    )
    return judge_schedule(posture, "LOG-06", Verdict(Outcome.UNKNOWN, unseen, verdict.origins))


def _standing(posture: Posture, sender: Sender) -> Standing:
    name, origins, days = str(sender.label), of_senders([sender]), sorted(sender.facts.days)
    if sender.last_seen is None or len(days) < 2:
        reason = Text("how often {sender} mails is not known", sender=sender.label)
        return Standing(name, Outcome.UNKNOWN, reason, origins)
    gaps = sorted((later - earlier).days for earlier, later in pairwise(days))
    usual = max(1, gaps[len(gaps) // 2])
    if posture.now - sender.last_seen > timedelta(days=_INTERVALS * usual):
        reason = Text(
            "{sender} mails every {days} days and was last seen on {day}",
            sender=sender.label,
            days=usual,
            day=sender.last_seen.date().isoformat(),
        )
        return Standing(name, Outcome.FAIL, reason, origins)
    return Standing(name, Outcome.PASS, Text("{sender} still delivers", sender=sender.label), origins)


CHECK = Check(
    id="LOG-06",
    title=Text("After the switch, refusals are observed where they can be"),
    severity=Severity.HIGH,
    needs=("Get-OrganizationConfig", "mail"),
    judge=_judge,
    fix=Text(
        "Ask the owner of each silent sender; give it another way in, or go back as DS-01 says if it is critical."
    ),
    undo=run(["Set-OrganizationConfig -RejectDirectSend $false"]),
    maps={"NIST": "SI-4, CP-2", "ATT&CK": "none"},
)
