"""
While the door must stay open, a rule in audit mode counts who uses it.

Before: Reject Direct Send is off, and nothing measures the mail it would refuse.

After: a rule in audit mode finds anonymous mail whose sender domain is ours, in header and envelope; it changes no mail.

Mend: make the rule, after proving that rules see the header AuthAs in this tenant.

Verify: the rule's report names messages.

May break: nothing in audit mode; enforced, it would also hit aligned mail of platforms.

Exceptions: tenants at the limit of 300 rules.

Severity: low: it measures and stops nothing, and never counts as a pass of DS-01.
"""

from __future__ import annotations

from portero.core.address import a_label
from portero.core.checks.origins import of_answers, of_objects
from portero.core.checks.transport_rules import OWN_HEADERS, header_tests
from portero.core.evidence import ConfigObject
from portero.core.exchange.change import making
from portero.core.exchange.powershell import run
from portero.core.exchange.settings import Absent, prop, texts
from portero.core.finding import Check, Outcome, Posture, Severity, Verdict
from portero.core.text import Text

_NAME = "Audit anonymous own-domain"


def _judge(posture: Posture) -> Verdict:
    answers = of_answers(posture.tenant, "Get-TransportRule")
    if posture.settings.reject_direct_send is True:
        return Verdict(
            Outcome.NOT_APPLICABLE, Text("Reject Direct Send is on, so nothing is left to measure."), answers
        )
    if posture.settings.reject_direct_send is None:
        return Verdict(
            Outcome.UNKNOWN, Text("Whether Reject Direct Send is on was not exported (DS-01)."), answers
        )
    rules = posture.tenant.objects("Get-TransportRule") or ()
    measuring = [rule for rule in rules if _audits(rule, posture)]
    if measuring:
        return Verdict(
            Outcome.PASS,
            Text("A rule in audit mode measures anonymous mail in our name."),
            of_objects(measuring),
        )
    unclear = [
        rule
        for rule in rules
        if isinstance(prop(rule, "Mode"), Absent) or isinstance(prop(rule, "State"), Absent)
    ]
    if unclear:
        return Verdict(Outcome.UNKNOWN, Text("The export lacks state or mode of rules."), of_objects(unclear))
    domains = [held.name for held in posture.settings.accepted_domains]
    rule = making(
        "TransportRule",
        _NAME,
        {
            "Mode": "Audit",
            "SenderDomainIs": domains,
            "SenderAddressLocation": "HeaderOrEnvelope",
            "HeaderContainsMessageHeader": "X-MS-Exchange-Organization-AuthAs",
            "HeaderContainsWords": "Anonymous",
            "SetHeaderName": "X-Audit-DirectSend",
            "SetHeaderValue": "1",
        },
    )
    return Verdict(
        Outcome.FAIL,
        Text("Reject Direct Send is off, and no rule measures what it would refuse."),
        answers,
        changes=rule,
    )


def _audits(rule: ConfigObject, posture: Posture) -> bool:
    ours = {held.name for held in posture.settings.accepted_domains}
    return (
        str(prop(rule, "State")).lower() == "enabled"
        and str(prop(rule, "Mode")).lower() in {"audit", "auditandnotify"}
        and str(prop(rule, "SenderAddressLocation")).lower() == "headerorenvelope"
        and ours <= {a_label(text) for text in texts(rule, "SenderDomainIs") or ()}
        and any(
            (header or "").strip().lower() in OWN_HEADERS and words for header, words in header_tests(rule)
        )
    )


CHECK = Check(
    id="DS-08",
    title=Text(
        "Where Reject Direct Send cannot be turned on yet, an audit-mode mail flow rule measures the same traffic"
    ),
    severity=Severity.LOW,
    needs=("Get-TransportRule", "Get-OrganizationConfig", "domains"),
    judge=_judge,
    fix=run(
        [
            "New-TransportRule -Name 'Audit anonymous own-domain' -Mode Audit -SenderDomainIs 'DOMAIN' -SenderAddressLocation HeaderOrEnvelope -HeaderContainsMessageHeader 'X-MS-Exchange-Organization-AuthAs' -HeaderContainsWords 'Anonymous' -SetHeaderName 'X-Audit-DirectSend' -SetHeaderValue '1'"
        ]
    ),
    undo=run(["Remove-TransportRule -Identity 'Audit anonymous own-domain' -Confirm:$false"]),
    maps={"NIST": "SI-4", "ATT&CK": "T1672"},
)
