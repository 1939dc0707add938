"""
Every connector that is on carries mail and has an owner.

Before: connectors of finished projects are still on; each is a standing exemption from Reject Direct Send that nobody remembers.

After: each connector that is on carried mail in 90 days and names its owner in the comment; what has been off for half a year is gone.

Mend: switch the connector off, watch for a month, then remove it.

Verify: Get-InboundConnector shows it off; nobody misses mail.

May break: rare flows; the connector report over 90 days and the owner know of them.

Exceptions: paths for emergencies, accepted in portero.toml with an end date.

Severity: medium: each is a door, and none is watched.
"""

from __future__ import annotations

from datetime import timedelta

from portero.core.checks.origins import of_answers, of_objects
from portero.core.checks.standing import Standing, conclude, unread
from portero.core.checks.window import days_covered
from portero.core.evidence import ConfigObject
from portero.core.exchange.change import setting
from portero.core.exchange.dates import moment
from portero.core.exchange.powershell import identity, run
from portero.core.exchange.settings import Absent, flag, prop
from portero.core.finding import Check, Outcome, Posture, Severity, Verdict
from portero.core.text import Text

_INBOUND, _OUTBOUND = "Get-InboundConnector", "Get-OutboundConnector"


def _judge(posture: Posture) -> Verdict:
    items = [item for cmdlet in (_INBOUND, _OUTBOUND) for item in posture.tenant.objects(cmdlet) or ()]
    if not items:
        none = Text("There is no connector.")
        return Verdict(Outcome.NOT_APPLICABLE, none, of_answers(posture.tenant, _INBOUND, _OUTBOUND))
    verdict = conclude(
        [_standing(posture, item) for item in items],
        Text("Every connector that is on carries mail and has an owner."),
        Text("No connector is on."),
    )
    inbound = {identity(item) for item in posture.tenant.objects(_INBOUND) or ()}
    off = tuple(f"remove-connector={name}" for name in verdict.subjects if name in inbound)
    return Verdict(
        verdict.outcome,
        verdict.because,
        verdict.origins,
        changes=verdict.changes,
        subjects=verdict.subjects,
        controls=off,
    )


def _standing(posture: Posture, item: ConfigObject) -> Standing:
    name, origins, on = identity(item), of_objects([item]), flag(item, "Enabled")
    if isinstance(on, Absent):
        return unread(item, ("Enabled",))
    if on is False:
        return _off(posture, item)
    shut = setting(item, {"Enabled": False})
    comment = prop(item, "Comment")
    owned = (isinstance(comment, str) and bool(comment.strip())) or _by_wizard(item)
    if not owned:
        if isinstance(comment, Absent):
            return unread(item, ("Comment",))
        reason = Text("connector “{name}” names no owner in its comment", name=name)
        return Standing(name, Outcome.WARN, reason, origins, changes=shut)
    if item.cmdlet == _OUTBOUND:
        reason = Text(
            "what outbound connector “{name}” carried is in no evidence that can be handed over yet",
            name=name,
        )
        return Standing(name, Outcome.UNKNOWN, reason, origins)
    seen = [
        sender.last_seen
        for sender in posture.senders
        if sender.connector and sender.connector.casefold() == name.casefold() and sender.last_seen
    ]
    window = timedelta(days=posture.limits.dormant_days)
    if seen and posture.now - max(seen) <= window:
        return Standing(name, Outcome.PASS, Text("connector “{name}” carries mail", name=name), origins)
    if days_covered(posture.coverage) < posture.limits.dormant_days:
        reason = Text("connector “{name}” carried nothing in the days that the evidence covers", name=name)
        return Standing(name, Outcome.UNKNOWN, reason, origins)
    reason = Text(
        "connector “{name}” carried nothing in {days} days", name=name, days=posture.limits.dormant_days
    )
    return Standing(name, Outcome.WARN, reason, origins, changes=shut)


def _by_wizard(item: ConfigObject) -> bool:
    return str(prop(item, "ConnectorSource")).lower() == "hybridwizard"


def _off(posture: Posture, item: ConfigObject) -> Standing:
    name, origins = identity(item), of_objects([item])
    changed = moment(prop(item, "WhenChangedUTC")) or moment(prop(item, "WhenChanged"))
    if changed is not None and posture.now - changed > timedelta(days=posture.limits.disabled_days):
        reason = Text(
            "connector “{name}” has been off since {day}", name=name, day=changed.date().isoformat()
        )
        return Standing(name, Outcome.WARN, reason, origins)
    return Standing(name, Outcome.NOT_APPLICABLE, Text("connector “{name}” is off", name=name), origins)


CHECK = Check(
    id="CON-10",
    title=Text("No dormant or forgotten connectors"),
    severity=Severity.MEDIUM,
    needs=("Get-InboundConnector", "Get-OutboundConnector", "mail"),
    judge=_judge,
    fix=run(["Set-InboundConnector -Identity 'NAME' -Enabled $false"]),
    undo=run(["Set-InboundConnector -Identity 'NAME' -Enabled $true"]),
    maps={"CIPP": "issue 6147", "NIST": "CM-7, AC-2(3)", "ATT&CK": "T1199"},
)
