"""
What marks mail as coming from outside also marks mail from outside that claims to be ours.

Before: a rule prepends "external" to whatever is not from the organisation; spoofed mail of our own domain is, by Exchange's words, from
the organisation, and stays unmarked.

After: the rule goes by the origin (the header AuthAs with Anonymous), not by the sender's domain alone.

Mend: add a rule on the header, after proving that rules see it in this tenant.

Verify: a test mail from outside under our own domain bears the mark.

May break: scans are marked too, which is right.

Exceptions: none; once Reject Direct Send is on and proven, such mail does not arrive.

Severity: medium: people trust what bears no mark.
"""

from __future__ import annotations

from portero.core.checks.origins import of_objects
from portero.core.checks.standing import Standing, judge_objects, unread
from portero.core.checks.transport_rules import by_origin, live, marks
from portero.core.evidence import ConfigObject
from portero.core.exchange.powershell import identity
from portero.core.exchange.settings import prop
from portero.core.finding import Check, Outcome, Posture, Severity, Verdict
from portero.core.text import Text


def _judge(posture: Posture) -> Verdict:
    if posture.settings.reject_direct_send is True:
        return Verdict(
            Outcome.NOT_APPLICABLE,
            Text("Reject Direct Send is on: unauthenticated mail as us does not arrive."),
        )
    return judge_objects(
        posture,
        "Get-TransportRule",
        _standing,
        Text("Rules that mark external mail go by its origin."),
        Verdict(
            Outcome.NOT_APPLICABLE, Text("No rule marks external mail; UX-01 judges Outlook's own mark.")
        ),
    )


def _standing(_: Posture, rule: ConfigObject) -> Standing:
    name, origins = identity(rule), of_objects([rule])
    if not marks(rule) or live(rule) is False:
        return Standing(name, Outcome.NOT_APPLICABLE, Text("rule “{rule}” marks nothing", rule=name), origins)
    if live(rule) is None:
        return unread(rule, ("State", "Mode"))
    if by_origin(rule):
        return Standing(name, Outcome.PASS, Text("rule “{rule}” goes by the origin", rule=name), origins)
    if str(prop(rule, "FromScope")).lower() == "notinorganization":
        reason = Text("rule “{rule}” marks by FromScope alone, and no test of it was made", rule=name)
        return Standing(name, Outcome.WARN, reason, origins)
    return Standing(
        name, Outcome.NOT_APPLICABLE, Text("rule “{rule}” is not about external mail", rule=name), origins
    )


CHECK = Check(
    id="RULE-04",
    title=Text("Rules that mark external mail also mark unauthenticated own-domain mail"),
    severity=Severity.MEDIUM,
    needs=("Get-TransportRule",),
    judge=_judge,
    fix=Text(
        "Add a second rule, or a condition, on the header X-MS-Exchange-Organization-AuthAs with the value Anonymous."
    ),
    undo=Text("Restore the rule's conditions from the snapshot."),
    maps={
        "SCuBA": "MS.EXO.7.1v1",
        "Maester": "CISA.MS.EXO.7.1",
        "NIST": "SI-8, AT-2",
        "ATT&CK": "T1566, T1672",
    },
)
