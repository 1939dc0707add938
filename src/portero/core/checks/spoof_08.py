"""
No policy leaves our own domains or addresses out of its protection against impersonation.

Before: an own domain or address stands among the exclusions, often for one application; whoever copies it is not looked at.

After: ExcludedDomains, ExcludedSenders and ExcludedSubDomains name nothing of ours, and what they name has an owner.

Mend: take the entries out, after the application has a connector or a signature.

Verify: Get-AntiPhishPolicy shows the three lists without them.

May break: the application for which the entry was added; its mail by sender shows how much that is.

Exceptions: none for own domains.

Severity: high: the entry switches the protection off for exactly the names an attacker uses.
"""

from __future__ import annotations

from functools import partial

from portero.core.address import a_label, domain_of
from portero.core.checks.effective import Stance, judge_policies
from portero.core.evidence import ConfigObject
from portero.core.exchange.change import Change, taking_out
from portero.core.exchange.powershell import run
from portero.core.exchange.protection import Family
from portero.core.exchange.settings import texts
from portero.core.finding import Check, Outcome, Posture, Severity, Verdict
from portero.core.text import Text

_LISTS = ("ExcludedDomains", "ExcludedSenders", "ExcludedSubDomains")


def _judge(posture: Posture) -> Verdict:
    return judge_policies(
        posture,
        Family.ANTI_PHISH,
        partial(_stance, posture),
        Text("No policy that applies to somebody excludes anybody from its protection."),
    )


def _stance(posture: Posture, policy: ConfigObject) -> Stance:
    held = {name: texts(policy, name) for name in _LISTS}
    ours: list[str] = []
    changes: list[Change] = []
    for name, entries in held.items():
        mine = [entry for entry in entries or () if posture.settings.names_us(_domain(entry))]
        ours += mine
        changes += taking_out(policy, name, mine)
    if ours:
        what = Text("our own names are excluded: {entries}", entries=tuple(ours))
        return Stance(Outcome.FAIL, (what,), tuple(changes))
    absent = tuple(name for name, entries in held.items() if entries is None)
    if absent:
        return Stance(Outcome.UNKNOWN, tuple(Text("{name} was not exported", name=name) for name in absent))
    others = tuple(entry for entries in held.values() for entry in entries or ())
    if others:
        return Stance(Outcome.WARN, (Text("others are excluded: {entries}", entries=others),))
    return Stance(Outcome.PASS)


def _domain(entry: str) -> str:
    return domain_of(entry) if "@" in entry else a_label(entry.removeprefix("*."))


CHECK = Check(
    id="SPOOF-08",
    title=Text("No own domain or address is excluded from anti-phishing"),
    severity=Severity.HIGH,
    needs=("Get-AntiPhishPolicy", "domains"),
    judge=_judge,
    fix=run(["Set-AntiPhishPolicy -Identity 'POLICY' -ExcludedDomains @{Remove='DOMAIN'}"]),
    undo=run(["Set-AntiPhishPolicy -Identity 'POLICY' -ExcludedDomains @{Add='DOMAIN'}"]),
    maps={"ORCA": "228, 229", "NIST": "AC-4", "ATT&CK": "T1562.001, T1672"},
)
