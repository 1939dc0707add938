"""
Whoever changes what mail is trusted is noticed.

Before: a connector, a rule or an allow entry appears, and nobody asks why.

After: a detection over the audit log watches New-, Set- and Remove- of connectors, rules, allow entries, anti-phishing policies, sealers and
Reject Direct Send, and ran within a day; nothing differs from the approved state handed over with --baseline; each change has
somebody who knows of it.

Mend: schedule it, and record it under [[detection]] in portero.toml.

Verify: its last run is less than a day ago.

May break: nothing.

Exceptions: windows for changes.

Severity: high: such a change is the attacker's first step and the administrator's last mistake.
"""

from __future__ import annotations

from portero.core.checks.schedule import judge_schedule
from portero.core.drift import drift
from portero.core.exchange.audit_log import trust_changes
from portero.core.finding import Check, Outcome, Posture, Severity, Verdict
from portero.core.text import Text, count

_SHOWN = 5


def _judge(posture: Posture) -> Verdict:
    drifted = drift(posture.approved, posture.tenant, posture.senders) if posture.approved else ()
    if drifted:
        return Verdict(
            Outcome.FAIL,
            count(
                "{n} thing is no longer as approved: {changes}.",
                "{n} things are no longer as approved: {changes}.",
                len(drifted),
                changes=tuple(each.sentence for each in drifted[:_SHOWN]),
            ),
            tuple(dict.fromkeys(origin for each in drifted for origin in each.origins))[:20],
            subjects=tuple(dict.fromkeys(each.name for each in drifted)),
        )
    found = trust_changes(posture.tenant)
    watched = judge_schedule(
        posture,
        "LOG-04",
        Verdict(
            Outcome.UNKNOWN, Text("Whether a detection of changes runs anywhere is not in the evidence.")
        ),
    )
    if not found or watched.outcome is Outcome.FAIL:
        return watched
    shown = tuple(
        Text("{cmdlet} by {who} on {day}", cmdlet=each.cmdlet, who=each.who, day=each.day)
        for each in found[:_SHOWN]
    )
    origins = tuple(origin for each in found[:_SHOWN] for origin in each.origins)
    because = count(
        "{n} change to what mail is trusted is for somebody to confirm: {changes}.",
        "{n} changes to what mail is trusted are for somebody to confirm: {changes}.",
        len(found),
        changes=shown,
    )
    if watched.outcome is Outcome.PASS:
        return Verdict(Outcome.WARN, because, origins)
    return Verdict(Outcome.UNKNOWN, because, origins)


CHECK = Check(
    id="LOG-04",
    title=Text("Changes to mail-flow trust raise an alert"),
    severity=Severity.HIGH,
    needs=(),
    judge=_judge,
    fix=Text(
        "Schedule a detection over the audit log for the cmdlets named on this page; record it under [[detection]] in portero.toml."
    ),
    undo=Text("Disable the detection."),
    maps={"CIPP": "drift", "Microsoft365DSC": "drift", "NIST": "CM-3, AU-6", "ATT&CK": "T1562.001, T1098"},
)
