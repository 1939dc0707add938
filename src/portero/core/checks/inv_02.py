"""
Every device and application in the register has an owner and a way in, and is still seen.

Before: entries lack an owner, or name a machine that has been gone for a year; a finding about it reaches nobody.

After: each entry has an owner, its way into Exchange is known, and it was seen in 90 days or is accepted as seasonal.

Mend: complete or delete the entry.

Verify: the next audit finds each entry's sender.

May break: nothing.

Exceptions: seasonal senders, as an exception with an end date.

Severity: medium: it turns a finding into a ticket that somebody can close.
"""

from __future__ import annotations

from datetime import timedelta

from portero.core.checks.origins import of_senders
from portero.core.checks.standing import Standing, conclude
from portero.core.checks.window import days_covered
from portero.core.finding import Check, Outcome, Posture, Severity, Verdict
from portero.core.register import RegisterEntry
from portero.core.sender import Path, Sender
from portero.core.text import Text


def _judge(posture: Posture) -> Verdict:
    entries = posture.configuration.register
    if not entries:
        return Verdict(
            Outcome.NOT_APPLICABLE, Text("The register is empty; INV-01 says who should be in it.")
        )
    return conclude(
        [_standing(posture, entry) for entry in entries],
        Text("Every entry of the register has an owner, a known way in, and was seen."),
        Text("No entry was judged."),
    )


def _standing(posture: Posture, entry: RegisterEntry) -> Standing:
    origins = () if entry.origin is None else (entry.origin,)
    if entry.judgement != "legitimate":
        return Standing(
            entry.label, Outcome.NOT_APPLICABLE, Text("{label} is not ours", label=entry.label), origins
        )
    if not entry.owner:
        reason = Text("{label} has no owner", label=entry.label)
        return Standing(entry.label, Outcome.FAIL, reason, origins)
    seen = [sender for sender in posture.senders if _is(sender, entry)]
    last = max((each.last_seen for each in seen if each.last_seen is not None), default=None)
    days = posture.limits.seasonal_days
    if last is None or posture.now - last > timedelta(days=days):
        if last is None and days_covered(posture.coverage) < days:
            reason = Text("{label} was not seen in the days that the evidence covers", label=entry.label)
            return Standing(entry.label, Outcome.UNKNOWN, reason, origins)
        reason = Text("{label} was not seen in {days} days", label=entry.label, days=days)
        return Standing(entry.label, Outcome.WARN, reason, origins)
    if all(each.path is Path.UNDETERMINED for each in seen):
        reason = Text("how {label} comes in is not known", label=entry.label)
        return Standing(entry.label, Outcome.UNKNOWN, reason, origins)
    reason = Text("{label} is registered and seen", label=entry.label)
    return Standing(entry.label, Outcome.PASS, reason, (*origins, *of_senders(seen)))


def _is(sender: Sender, entry: RegisterEntry) -> bool:
    return any(entry.matches(flow.key) for flow in sender.flows)


CHECK = Check(
    id="INV-02",
    title=Text("Devices and applications are registered with path, authentication and last-seen"),
    severity=Severity.MEDIUM,
    needs=("mail", "domains"),
    judge=_judge,
    fix=Text("Complete each entry under [[sender]] in portero.toml: owner, address, purpose."),
    undo=Text("Nothing to undo: only the register changes."),
    maps={"CIS controls": "1.1, 2.1", "NIST": "CM-8, IA-3", "ATT&CK": "T1199"},
)
