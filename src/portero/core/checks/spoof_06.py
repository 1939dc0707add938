"""
Look-alikes of our domains and of people whose names are worth copying are quarantined.

Before: a name one letter away from ours, or a chief executive's name before a free mailbox, is delivered with at most a tip.

After: own domains and the people named in portero.toml are protected in every policy that applies, with action Quarantine.

Mend: switch both on; name people as "Name;address".

Verify: Get-AntiPhishPolicy shows the switches, the people and the actions.

May break: personal mailboxes of the people named; look at detections of user impersonation over 30 days.

Exceptions: named third parties as excluded senders, reviewed by SPOOF-08.

Severity: medium: it stops look-alikes, not mail under our exact name, and so complements DS-04.
"""

from __future__ import annotations

from functools import partial

from portero.core.checks.effective import (
    Stance,
    Want,
    defender,
    judge_policies,
    on,
    one_of,
    stance,
    without_defender,
)
from portero.core.evidence import ConfigObject
from portero.core.exchange.change import putting_in
from portero.core.exchange.powershell import run
from portero.core.exchange.protection import Family, is_preset
from portero.core.exchange.settings import texts
from portero.core.finding import Check, Outcome, Posture, Severity, Verdict
from portero.core.text import Text

_USELESS = {"noaction", "bccmessage"}


def _wants(switch: str, action: str) -> tuple[Want, ...]:
    return (
        on(switch),
        Want(action, lambda value: value not in _USELESS, "Quarantine"),
        one_of(action, "Quarantine", "Delete", otherwise=Outcome.WARN),
    )


_DOMAINS = _wants("EnableOrganizationDomainsProtection", "TargetedDomainProtectionAction")
_PEOPLE = _wants("EnableTargetedUserProtection", "TargetedUserProtectionAction")


def _judge(posture: Posture) -> Verdict:
    if defender(posture) is False:
        return without_defender()
    return judge_policies(
        posture,
        Family.ANTI_PHISH,
        partial(_stance, posture.configuration.people),
        Text("Own domains and the people named are protected against look-alikes, for everyone."),
    )


def _stance(people: tuple[str, ...], policy: ConfigObject) -> Stance:
    if not people:
        domains = stance(policy, _DOMAINS)
        what = Text("whom to protect was not given, as people under [checks] in portero.toml")
        return domains if domains.outcome is Outcome.FAIL else Stance(Outcome.UNKNOWN, (*domains.what, what))
    switches = stance(policy, (*_DOMAINS, *_PEOPLE))
    held = texts(policy, "TargetedUsersToProtect")
    if held is None:
        absent = Text("{name} was not exported", name="TargetedUsersToProtect")
        return (
            switches
            if switches.outcome is Outcome.FAIL
            else Stance(Outcome.UNKNOWN, (*switches.what, absent))
        )
    covered = {entry.rpartition(";")[2].strip().lower() for entry in held}
    lacking = tuple(each for each in people if each.rpartition(";")[2].strip().lower() not in covered)
    if lacking:
        what = Text("{people} are not protected", people=lacking)
        added = () if is_preset(policy) else putting_in(policy, "TargetedUsersToProtect", lacking)
        return Stance(Outcome.FAIL, (*switches.what, what), (*switches.changes, *added))
    return switches


CHECK = Check(
    id="SPOOF-06",
    title=Text("User and own-domain impersonation protection is active"),
    severity=Severity.MEDIUM,
    needs=("Get-AntiPhishPolicy",),
    judge=_judge,
    fix=run(
        [
            "Set-AntiPhishPolicy -Identity 'POLICY' -EnableOrganizationDomainsProtection $true -TargetedDomainProtectionAction 'Quarantine'"
        ]
    ),
    undo=run(
        [
            "Set-AntiPhishPolicy -Identity 'POLICY' -EnableOrganizationDomainsProtection $false -TargetedDomainProtectionAction 'NoAction'"
        ]
    ),
    maps={
        "SCuBA": "MS.SECURITYSUITE.2.1v1, 2.2v1, 2.3v1",
        "SCuBA before 2026": "MS.DEFENDER.2.1v1 to 2.3v1, MS.EXO.11.1v1",
        "CIS": "2.1.7",
        "ORCA": "222, 223, 119, 224",
        "NIST": "SI-8",
        "ATT&CK": "T1656",
    },
)
