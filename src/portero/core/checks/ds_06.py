"""
Reject Direct Send stands as it was approved, and nobody has moved it since.

Before: one command reopened the door, and nobody noticed.

After: the value is that of the approved state, and the audit log shows no change of it.

Mend: set it again (DS-01), and ask who changed it.

Verify: the next snapshot equals the approved one.

May break: nothing that DS-01 does not.

Exceptions: approved windows, with an end.

Severity: high: one command reopens everything.
"""

from __future__ import annotations

from portero.core.checks.origins import of_answers, of_objects
from portero.core.exchange.audit_log import changes_of
from portero.core.exchange.change import setting
from portero.core.exchange.powershell import run
from portero.core.exchange.settings import ABSENT, Absent, flag
from portero.core.finding import Check, Outcome, Posture, Severity, Verdict
from portero.core.text import Text

_NAME = "RejectDirectSend"


def _judge(posture: Posture) -> Verdict:
    item = posture.tenant.single("Get-OrganizationConfig")
    value = flag(item, _NAME) if item is not None else ABSENT
    if item is None or isinstance(value, Absent):
        because = Text("The export lacks {name}.", name=_NAME)
        return Verdict(Outcome.UNKNOWN, because, of_answers(posture.tenant, "Get-OrganizationConfig"))
    approved = posture.approved.single("Get-OrganizationConfig") if posture.approved else None
    wanted = flag(approved, _NAME) if approved is not None else ABSENT
    moved = changes_of(posture.tenant, "Set-OrganizationConfig", _NAME)
    if isinstance(wanted, Absent):
        if moved:
            who = Text(
                "{name} was changed by {who} on {day}, and no approved state says whether that was wanted.",
                name=_NAME,
                who=moved[0].who,
                day=moved[0].day,
            )
            return Verdict(Outcome.WARN, who, moved[0].origins)
        return Verdict(
            Outcome.UNKNOWN,
            Text("No approved state was handed over with --baseline to compare with."),
            of_objects([item]),
        )
    if bool(value) is not bool(wanted):
        because = (
            Text(
                "{name} is no longer as approved; {who} changed it on {day}.",
                name=_NAME,
                who=moved[0].who,
                day=moved[0].day,
            )
            if moved
            else Text("{name} is no longer as approved.", name=_NAME)
        )
        back = setting(item, {_NAME: bool(wanted)})
        return Verdict(Outcome.FAIL, because, of_objects([item]), changes=back)
    if posture.tenant.objects("Search-UnifiedAuditLog") is None:
        because = Text(
            "{name} is as approved; without the audit log nobody can tell whether it was away in between.",
            name=_NAME,
        )
        return Verdict(Outcome.WARN, because, of_objects([item]))
    return Verdict(Outcome.PASS, Text("{name} is as approved.", name=_NAME), of_objects([item]))


CHECK = Check(
    id="DS-06",
    title=Text("The setting has not drifted since it was approved"),
    severity=Severity.HIGH,
    needs=("Get-OrganizationConfig",),
    judge=_judge,
    fix=run(["Set-OrganizationConfig -RejectDirectSend $true"]),
    undo=run(["Set-OrganizationConfig -RejectDirectSend $false"]),
    maps={
        "CIPP": "standard drift",
        "Microsoft365DSC": "EXOOrganizationConfig",
        "NIST": "CM-3, CM-6(2)",
        "ATT&CK": "T1562.001",
    },
)
