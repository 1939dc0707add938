"""
A rule of our own against mail that claims our domains from outside cannot be talked round, or is not needed any more.

Before: the rule looks at the visible From alone, or asks whether the sender is outside the organisation, which Exchange reads as "not one
of our domains", or lets pass whoever writes a certain sender or header.

After: Reject Direct Send is on and no such rule is left; or the rule looks at header and envelope and excepts only what cannot be forged:
DMARC passes, addresses, connectors.

Mend: put the rule into audit mode while Reject Direct Send proves itself, then disable it.

Verify: Get-TransportRule shows its mode; its report over two weeks shows what it would have caught.

May break: services that mail as us with a signature; the report in audit mode shows them.

Exceptions: none.

Severity: medium: a rule that can be talked round is worse than it looks, for everybody believes in it.
"""

from __future__ import annotations

from portero.core.address import a_label, is_at_or_below
from portero.core.checks.origins import of_objects
from portero.core.checks.standing import Standing, judge_objects, unread
from portero.core.checks.transport_rules import ACTIONS, OWN_HEADERS, by_origin, live, protects
from portero.core.evidence import ConfigObject
from portero.core.exchange.change import setting
from portero.core.exchange.powershell import identity, run
from portero.core.exchange.settings import Absent, prop, texts
from portero.core.finding import Check, Outcome, Posture, Severity, Verdict
from portero.core.text import Text

# Exceptions that whoever writes a mail can meet.
_FORGEABLE = (
    "ExceptIfFrom",
    "ExceptIfSenderDomainIs",
    "ExceptIfFromAddressContainsWords",
    "ExceptIfFromAddressMatchesPatterns",
)
_SENDERS = ("SenderDomainIs", "From", "FromAddressContainsWords", "FromAddressMatchesPatterns")


def _judge(posture: Posture) -> Verdict:
    passed = Text("No home-made rule against spoofing can be talked round.")
    verdict = judge_objects(posture, "Get-TransportRule", _standing, passed)
    if verdict.outcome is Outcome.NOT_APPLICABLE and posture.settings.reject_direct_send is True:
        because = Text("No home-made rule against spoofing is left, and Reject Direct Send is on.")
        return Verdict(Outcome.PASS, because, verdict.origins)
    return verdict


def _standing(posture: Posture, rule: ConfigObject) -> Standing:
    name, origins = identity(rule), of_objects([rule])
    concerned = live(rule) is not False and _names_us(rule, posture)
    silent = tuple(name for name in ACTIONS if isinstance(prop(rule, name), Absent))
    if concerned and not protects(rule) and silent:
        return unread(rule, silent)
    if live(rule) is not False and protects(rule) and all(texts(rule, field) is None for field in _SENDERS):
        return unread(rule, _SENDERS)
    if not concerned or not protects(rule):
        reason = Text("rule “{rule}” is none against spoofing of our domains", rule=name)
        return Standing(name, Outcome.NOT_APPLICABLE, reason, origins)
    if live(rule) is None:
        return unread(rule, ("State", "Mode"))
    audit = setting(rule, {"Mode": "AuditAndNotify"})
    gaps = [field for field in _FORGEABLE if texts(rule, field)]
    bare = [header for header in _excepted_headers(rule) if header.strip().lower() not in OWN_HEADERS]
    if gaps or bare:
        reason = Text(
            "rule “{rule}” lets pass whoever meets {exceptions}", rule=name, exceptions=(*gaps, *bare)
        )
        return Standing(name, Outcome.FAIL, reason, origins, changes=audit)
    if str(prop(rule, "FromScope")).lower() == "notinorganization" and not by_origin(rule):
        reason = Text("rule “{rule}” knows mail from outside by FromScope alone", rule=name)
        return Standing(name, Outcome.WARN, reason, origins, changes=audit)
    if str(prop(rule, "SenderAddressLocation")).lower() != "headerorenvelope":
        reason = Text("rule “{rule}” does not look at header and envelope both", rule=name)
        wider = setting(rule, {"SenderAddressLocation": "HeaderOrEnvelope"})
        return Standing(name, Outcome.WARN, reason, origins, changes=wider)
    return Standing(name, Outcome.PASS, Text("rule “{rule}” is well built", rule=name), origins)


def _excepted_headers(rule: ConfigObject) -> list[str]:
    names = (prop(rule, f"ExceptIfHeader{kind}MessageHeader") for kind in ("Contains", "Matches"))
    return [name for name in names if isinstance(name, str) and name.strip()]


def _names_us(rule: ConfigObject, posture: Posture) -> bool:
    named = [text.lower() for field in _SENDERS for text in texts(rule, field) or ()]
    ours = [held.name for held in posture.settings.accepted_domains]
    return any(
        is_at_or_below(a_label(text.rpartition("@")[2]), mine) or mine in text.replace("\\", "")
        for text in named
        for mine in ours
    )


CHECK = Check(
    id="RULE-03",
    title=Text("A home-made anti-spoof rule is well built or gone"),
    severity=Severity.MEDIUM,
    needs=("Get-TransportRule", "domains"),
    judge=_judge,
    fix=run(["Set-TransportRule -Identity 'RULE' -Mode AuditAndNotify"]),
    undo=run(["Set-TransportRule -Identity 'RULE' -Mode Enforce"]),
    maps={"CIPP": "ColleagueImpersonationAlert", "NIST": "SI-8", "ATT&CK": "T1672, T1656"},
)
