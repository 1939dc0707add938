"""
No mail flow rule lets whoever claims to be a sender skip filtering.

Before: an enabled rule sets the spam level to -1 on nothing but what the sender writes: an address, a domain, a subject, a header.
Whoever writes the same walks into the inbox.

After: no rule does so; rules that skip filtering are bound to an address or to authentication results.

Mend: disable the rule, or add the condition that Authentication-Results holds dmarc=pass.

Verify: Get-TransportRule shows the rule Disabled, or with that condition.

May break: mail that only arrived thanks to the rule. Set it to Audit for two weeks and read Get-MailDetailTransportRuleReport.

Exceptions: rules for a gateway's address, only together with CON-01; enhanced filtering (CON-09) is better. Disabled rules and rules in
audit mode are counted apart.

Severity: critical where a rule takes our own domains, high for others.
"""

from __future__ import annotations

from collections.abc import Iterable

from portero.core.address import a_label, domain_of, is_at_or_below
from portero.core.checks.origins import of_answers, of_objects
from portero.core.checks.standing import unsaid
from portero.core.checks.transport_rules import bound, live, order, protects
from portero.core.evidence import ConfigObject
from portero.core.exchange.change import switching_off
from portero.core.exchange.powershell import identity, run
from portero.core.exchange.settings import Absent, flag, prop, texts
from portero.core.finding import Check, Outcome, Posture, Severity, Verdict
from portero.core.text import Text, count

# Conditions by which a rule chooses senders; a rule with none of them takes mail from anybody, us included.
_SENDER_CONDITIONS = ("SenderDomainIs", "From", "FromAddressContainsWords", "FromAddressMatchesPatterns")


def _judge(posture: Posture) -> Verdict:
    rules = posture.tenant.objects("Get-TransportRule") or ()
    skipping = [rule for rule in rules if _skips(rule, rules) is True]
    active = [rule for rule in skipping if live(rule) is True]
    forgeable = [rule for rule in active if not bound(rule)]
    if forgeable:
        return _verdict(forgeable, posture)
    unclear = [rule for rule in rules if _skips(rule, rules) is not False and live(rule) is not False]
    unclear = [rule for rule in unclear if rule not in active and not bound(rule)]
    if active:
        return Verdict(
            Outcome.WARN,
            Text(
                "Rules by which mail skips filtering, bound to an address or to authentication results: {rules}.",
                rules=tuple(map(identity, active)),
            ),
            of_objects(active),
            changes=tuple(change for rule in active for change in switching_off(rule)),
            subjects=tuple(map(identity, active)),
        )
    if unclear:
        return Verdict(
            Outcome.UNKNOWN,
            Text(
                "Whether rules {rules} let mail skip filtering is not known: {what}.",
                rules=tuple(map(identity, unclear)),
                what=tuple(
                    dict.fromkeys(
                        each for rule in unclear for each in unsaid(rule, ("SetSCL", "State", "Mode"))
                    )
                ),
            ),
            of_objects(unclear),
        )
    resting = len(skipping) - len(active)
    return Verdict(
        Outcome.PASS,
        count(
            "No rule in force lets mail skip filtering; {n} that is off or in audit mode would.",
            "No rule in force lets mail skip filtering; {n} that are off or in audit mode would.",
            resting,
        )
        if resting
        else Text("No rule lets mail skip filtering."),
        of_objects(skipping) or of_answers(posture.tenant, "Get-TransportRule"),
    )


def _skips(rule: ConfigObject, rules: Iterable[ConfigObject]) -> bool | None:
    """Tell whether a rule makes mail skip filtering or the rules that protect; None where the export does not say."""
    level = prop(rule, "SetSCL")
    if str(level).strip() == "-1":
        return True
    if flag(rule, "StopRuleProcessing") is True and not protects(rule):
        later = (other for other in rules if order(other) > order(rule) and live(other) is True)
        return any(map(protects, later))
    return None if isinstance(level, Absent) else False


def _takes_ours(rule: ConfigObject, posture: Posture) -> bool:
    """Tell whether mail that claims one of our domains meets a rule's conditions on the sender."""
    ours = [held.name for held in posture.settings.accepted_domains]
    named = [a_label(text) for text in texts(rule, "SenderDomainIs") or ()]
    named += [domain_of(text) for text in texts(rule, "From") or ()]
    if any(
        is_at_or_below(mine, name) or is_at_or_below(name, mine) for mine in ours for name in named if name
    ):
        return True
    # Patterns are not run: they come from the export, and a hostile one could run for ever.
    loose = [
        text.lower().replace("\\", "")
        for name in ("FromAddressContainsWords", "FromAddressMatchesPatterns")
        for text in texts(rule, name) or ()
    ]
    if any(mine in text or text in f"@{mine}" for mine in ours for text in loose):
        return True
    return not any(texts(rule, name) for name in _SENDER_CONDITIONS)


def _verdict(forgeable: list[ConfigObject], posture: Posture) -> Verdict:
    ours = [rule for rule in forgeable if _takes_ours(rule, posture)]
    names = tuple(map(identity, ours or forgeable))
    because = (
        Text("Rules by which anybody who writes as our domains skips filtering: {rules}.", rules=names)
        if ours
        else Text("Rules by which anybody who writes a certain sender skips filtering: {rules}.", rules=names)
    )
    return Verdict(
        Outcome.FAIL,
        because,
        of_objects(forgeable),
        Severity.CRITICAL if ours else Severity.HIGH,
        changes=tuple(change for rule in forgeable for change in switching_off(rule)),
        subjects=tuple(map(identity, forgeable)),
    )


CHECK = Check(
    id="RULE-01",
    title=Text("No rule lets a sender claim skip filtering"),
    severity=Severity.CRITICAL,
    needs=("Get-TransportRule",),
    judge=_judge,
    fix=run(["Disable-TransportRule -Identity 'RULE'"]),
    undo=run(["Enable-TransportRule -Identity 'RULE'"]),
    maps={
        "CIS": "6.2.2",
        "Maester": "MT.1043",
        "ORCA": "118.2, 118.4",
        "Prowler": "exchange_transport_rules_whitelist_disabled",
        "NIST": "SI-8, AC-4",
        "ATT&CK": "T1562.001, T1672",
    },
)
