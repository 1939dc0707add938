"""
Microsoft's alerts about mail flow are on, and somebody gets them.

Before: an alert on suspicious connectors, forwarding or senders is switched off, or goes to nobody.

After: the nine alerts are there and on, and each names somebody to notify.

Mend: switch them on, and name a mailbox that is watched.

Verify: Get-ProtectionAlert shows Disabled False and NotifyUser.

May break: more alerts.

Exceptions: a SIEM takes the alerts in place of mail.

Severity: medium: they show what goes wrong, and do not stop it.
"""

from __future__ import annotations

from portero.core.checks.alerts import alert_named
from portero.core.checks.origins import of_answers, of_objects
from portero.core.checks.standing import Standing, conclude, unread
from portero.core.exchange.change import setting
from portero.core.exchange.powershell import run
from portero.core.exchange.settings import Absent, flag, texts
from portero.core.finding import Check, Outcome, Posture, Severity, Verdict
from portero.core.text import Text

# Names as Microsoft writes them. Source: controls catalogue LOG-02.
ALERTS = (
    "Suspicious connector activity",
    "Suspicious email sending patterns detected",
    "Suspicious Email Forwarding Activity",
    "Tenant restricted from sending email",
    "Tenant restricted from sending unprovisioned email",
    "Messages have been delayed",
    "User restricted from sending email",
    "Email reported by user as malware or phish",
    "Creation of forwarding/redirect rule",
)


def _judge(posture: Posture) -> Verdict:
    return conclude(
        [_standing(posture, name) for name in ALERTS],
        Text("The alerts about mail flow are on, and somebody gets them."),
        Text("No alert was judged."),
    )


def _standing(posture: Posture, name: str) -> Standing:
    item = alert_named(posture.tenant, name)
    if item is None:
        # Which alerts a tenant has depends on its licences, so a missing one is no fault by itself.
        reason = Text("alert “{alert}” is not among those exported", alert=name)
        return Standing(name, Outcome.WARN, reason, of_answers(posture.tenant, "Get-ProtectionAlert"))
    origins, disabled = of_objects([item]), flag(item, "Disabled")
    if isinstance(disabled, Absent):
        return unread(item, ("Disabled",))
    if disabled:
        reason = Text("alert “{alert}” is switched off", alert=name)
        return Standing(name, Outcome.FAIL, reason, origins, changes=setting(item, {"Disabled": False}))
    told = texts(item, "NotifyUser")
    if told is None:
        return unread(item, ("NotifyUser",))
    if not told or flag(item, "NotificationEnabled") is False:
        reason = Text("alert “{alert}” is told to nobody", alert=name)
        return Standing(name, Outcome.WARN, reason, origins)
    return Standing(name, Outcome.PASS, Text("alert “{alert}” is on", alert=name), origins)


CHECK = Check(
    id="LOG-02",
    title=Text("The alert policies that matter to mail flow are enabled and delivered"),
    severity=Severity.MEDIUM,
    needs=("Get-ProtectionAlert",),
    judge=_judge,
    fix=run(["Set-ProtectionAlert -Identity 'ALERT' -Disabled $false -NotifyUser 'SOC-MAILBOX'"]),
    undo=run(["Set-ProtectionAlert -Identity 'ALERT' -Disabled $true"]),
    maps={
        "SCuBA": "MS.SECURITYSUITE.4.1v1, 4.2v1",
        "SCuBA before 2026": "MS.EXO.16.1v1, 16.2v1, MS.DEFENDER.5.1v1, 5.2v1",
        "Maester": "CISA.MS.EXO.16.1",
        "ORCA": "242",
        "NIST": "SI-4(5), AU-6",
        "ATT&CK": "T1562.006",
    },
)
