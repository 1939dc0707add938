"""
Attachments of types that run at a click are blocked, and unknown ones are tried out before they are delivered.

Before: the filter for common types is off or knows only programs, while lures of Direct Send come as svg, htm or img; or Safe Attachments
only watches.

After: the filter is on with programs and those types; where licensed, Safe Attachments blocks or delivers without the attachment first.

Mend: switch the filter on and add the types; set the action.

Verify: Get-MalwareFilterPolicy and Get-SafeAttachmentPolicy show them.

May break: scanners that send unusual types, people who draw (svg); attachment types in 30 days of mail show who.

Exceptions: a policy of its own for one group.

Severity: medium: it catches the load, not the lie.
"""

from __future__ import annotations

from functools import partial

from portero.core.checks.effective import Stance, Want, on, one_of, policy_standings, stance
from portero.core.checks.standing import conclude
from portero.core.evidence import ConfigObject
from portero.core.exchange.change import putting_in
from portero.core.exchange.powershell import run
from portero.core.exchange.protection import Family, is_preset
from portero.core.exchange.settings import texts
from portero.core.finding import Check, Outcome, Posture, Severity, Verdict
from portero.core.text import Text

# Types that every filter must hold, and those that lures of Direct Send come as. Source: controls catalogue MAL-02.
_PROGRAMS = ("exe", "cmd", "vbe")
_LURES = ("svg", "htm", "html", "iso", "img", "lnk", "one")
_SANDBOX: tuple[Want, ...] = (on("Enable"), one_of("Action", "Block", "DynamicDelivery"))


def _judge(posture: Posture) -> Verdict:
    filters = policy_standings(posture, Family.MALWARE, _filter)
    if not filters:
        return Verdict(Outcome.UNKNOWN, Text("{cmdlet} came back empty.", cmdlet="Get-MalwareFilterPolicy"))
    # Without a licence there is no such policy, and the filter for types is all there can be.
    sandbox = policy_standings(posture, Family.SAFE_ATTACHMENTS, partial(_sandbox))
    return conclude(
        [*filters, *sandbox],
        Text("Attachment types that run at a click are blocked, for everyone."),
        Text("It concerns no policy that applies to somebody."),
    )


def _filter(policy: ConfigObject) -> Stance:
    switch = stance(policy, (on("EnableFileFilter"),))
    types = texts(policy, "FileTypes")
    if switch.outcome is not Outcome.PASS:
        return switch
    if types is None:
        return Stance(Outcome.UNKNOWN, (Text("{name} was not exported", name="FileTypes"),))
    held = {text.strip().lower().removeprefix(".") for text in types}
    programs = tuple(name for name in _PROGRAMS if name not in held)
    lures = tuple(name for name in _LURES if name not in held)
    if not programs and not lures:
        return Stance(Outcome.PASS)
    what = Text("these types are not blocked: {types}", types=(*programs, *lures))
    added = () if is_preset(policy) else putting_in(policy, "FileTypes", (*programs, *lures))
    return Stance(Outcome.FAIL if programs else Outcome.WARN, (what,), added)


def _sandbox(policy: ConfigObject) -> Stance:
    return stance(policy, _SANDBOX)


CHECK = Check(
    id="MAL-02",
    title=Text("Attachment protection blocks unknown malware and click-to-run types"),
    severity=Severity.MEDIUM,
    needs=("Get-MalwareFilterPolicy",),
    judge=_judge,
    fix=run(
        [
            "Set-MalwareFilterPolicy -Identity 'POLICY' -EnableFileFilter $true -FileTypes @{Add='svg'}",
            "Set-SafeAttachmentPolicy -Identity 'POLICY' -Action Block -Enable $true",
        ]
    ),
    undo=run(
        [
            "Set-MalwareFilterPolicy -Identity 'POLICY' -EnableFileFilter $false -FileTypes @{Remove='svg'}",
            "Set-SafeAttachmentPolicy -Identity 'POLICY' -Enable $false",
        ]
    ),
    maps={
        "SCuBA": "MS.SECURITYSUITE.1.1v1, 1.3v1",
        "SCuBA before 2026": "MS.EXO.9.1v2 to 9.3v2, MS.EXO.10.1v1",
        "CIS": "2.1.2, 2.1.4, 2.1.11",
        "ORCA": "124, 205",
        "Prowler": "defender_malware_policy_common_attachments_filter_enabled",
        "NIST": "SI-3",
        "ATT&CK": "T1566.001",
    },
)
