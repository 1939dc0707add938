"""
No enabled inbound connector treats what it takes as internal mail.

Before: a connector has TreatMessagesAsInternal true; mail through it with a sender of ours is trusted as internal and skips
spam filtering, whoever wrote it.

After: the switch is off on every enabled connector.

Mend: switch it off, one connector at a time.

Verify: Get-InboundConnector shows TreatMessagesAsInternal False.

May break: mail of applications on premises may be filtered from then on; look at what the connector carries first.

Exceptions: a mail system on premises that is not Exchange, bound to a certificate, approved and limited in time.

Severity: critical: mail on that connector under our domain is trusted as internal and skips spam filtering.
"""

from __future__ import annotations

from portero.core.checks.origins import of_answers, of_objects
from portero.core.exchange.change import setting
from portero.core.exchange.powershell import identity, run
from portero.core.exchange.settings import Absent, flag
from portero.core.finding import Check, Outcome, Posture, Severity, Verdict
from portero.core.text import Text


def _judge(posture: Posture) -> Verdict:
    items = [
        item
        for item in posture.tenant.objects("Get-InboundConnector") or ()
        if flag(item, "Enabled") is not False
    ]
    trusting = [item for item in items if flag(item, "TreatMessagesAsInternal") is True]
    surely = [item for item in trusting if not isinstance(flag(item, "Enabled"), Absent)]
    if surely:
        names = tuple(map(identity, surely))
        return Verdict(
            Outcome.FAIL,
            Text("Connectors that treat what they take as internal mail: {names}.", names=names),
            of_objects(surely),
            changes=tuple(
                change for item in surely for change in setting(item, {"TreatMessagesAsInternal": False})
            ),
            subjects=names,
        )
    unclear = [
        *trusting,
        *(item for item in items if isinstance(flag(item, "TreatMessagesAsInternal"), Absent)),
    ]
    if unclear:
        return Verdict(
            Outcome.UNKNOWN,
            Text(
                "The export lacks TreatMessagesAsInternal or Enabled of connectors {names}.",
                names=tuple(map(identity, unclear)),
            ),
            of_objects(unclear),
        )
    return Verdict(
        Outcome.PASS,
        Text("No enabled inbound connector treats its mail as internal."),
        of_answers(posture.tenant, "Get-InboundConnector"),
    )


CHECK = Check(
    id="CON-05",
    title=Text("TreatMessagesAsInternal is off everywhere"),
    severity=Severity.CRITICAL,
    needs=("Get-InboundConnector",),
    judge=_judge,
    fix=run(["Set-InboundConnector -Identity 'NAME' -TreatMessagesAsInternal $false"]),
    undo=run(["Set-InboundConnector -Identity 'NAME' -TreatMessagesAsInternal $true"]),
    maps={"NIST": "AC-4", "ATT&CK": "T1672, T1534"},
)
