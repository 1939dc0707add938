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

from functools import partial

from portero.core.checks.origins import of_objects
from portero.core.checks.standing import Standing, judge_objects, unread
from portero.core.checks.transport_rules import by_origin, live, marks
from portero.core.evidence import ConfigObject
from portero.core.exchange.change import Change, making
from portero.core.exchange.powershell import identity
from portero.core.exchange.settings import Absent, prop
from portero.core.finding import Check, Outcome, Posture, Severity, Verdict
from portero.core.text import Text

# What a rule marks with. Source: Set-TransportRule.
_MARKS = (
    "PrependSubject",
    "ApplyHtmlDisclaimerText",
    "ApplyHtmlDisclaimerLocation",
    "ApplyHtmlDisclaimerFallbackAction",
)


def _judge(posture: Posture) -> Verdict:
    if posture.settings.reject_direct_send is True:
        return Verdict(
            Outcome.NOT_APPLICABLE,
            Text("Reject Direct Send is on: unauthenticated mail as us does not arrive."),
        )
    rules = posture.tenant.objects("Get-TransportRule") or ()
    beside = [rule for rule in rules if live(rule) is True and marks(rule) and by_origin(rule)]
    return judge_objects(
        posture,
        "Get-TransportRule",
        partial(_standing, beside=beside),
        Text("Rules that mark external mail go by its origin."),
        Verdict(
            Outcome.NOT_APPLICABLE, Text("No rule marks external mail; UX-01 judges Outlook's own mark.")
        ),
    )


def _standing(posture: Posture, rule: ConfigObject, beside: list[ConfigObject]) -> Standing:
    """
    Judge one rule.

    beside:  rules in force that mark by the origin, so that others need not.
    """
    name, origins = identity(rule), of_objects([rule])
    if live(rule) is not False and all(isinstance(prop(rule, mark), Absent) for mark in _MARKS[:2]):
        return unread(rule, _MARKS[:2])
    if not marks(rule) or live(rule) is False:
        return Standing(name, Outcome.NOT_APPLICABLE, Text("rule “{rule}” marks nothing", rule=name), origins)
    if live(rule) is None:
        return unread(rule, ("State", "Mode"))
    if by_origin(rule):
        return Standing(name, Outcome.PASS, Text("rule “{rule}” goes by the origin", rule=name), origins)
    if isinstance(prop(rule, "FromScope"), Absent):
        return unread(rule, ("FromScope",))
    if str(prop(rule, "FromScope")).lower() == "notinorganization":
        if beside:
            reason = Text(
                "beside rule “{rule}” others go by the origin: {others}",
                rule=name,
                others=tuple(map(identity, beside)),
            )
            return Standing(name, Outcome.PASS, reason, (*origins, *of_objects(beside)))
        reason = Text("rule “{rule}” marks by FromScope alone, and no test of it was made", rule=name)
        return Standing(name, Outcome.WARN, reason, origins, changes=_another(posture, rule))
    return Standing(
        name, Outcome.NOT_APPLICABLE, Text("rule “{rule}” is not about external mail", rule=name), origins
    )


def _another(posture: Posture, rule: ConfigObject) -> tuple[Change, ...]:
    """Make a rule beside it that puts the same mark on anonymous mail in our name."""
    shown = {name: held for name in _MARKS if isinstance(held := prop(rule, name), str) and held}
    if not shown or not posture.settings.accepted_domains:
        return ()
    return making(
        "TransportRule",
        f"{identity(rule)} (anonymous)"[:64],
        {
            "SenderDomainIs": [held.name for held in posture.settings.accepted_domains],
            "SenderAddressLocation": "HeaderOrEnvelope",
            "HeaderContainsMessageHeader": "X-MS-Exchange-Organization-AuthAs",
            "HeaderContainsWords": "Anonymous",
            **shown,
            "Mode": "Enforce",
        },
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
