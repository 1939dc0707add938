"""
Mail that fails composite authentication goes where its reader does not find it by chance.

Before: such mail is put into the junk folder, where people look for what they miss and open it; or the policy does nothing at all.

After: AuthenticationFailAction is Quarantine in every policy that applies (Strict), or at least MoveToJmf (Standard).

Mend: set the action in the policies named, after the senders that would vanish have a connector or an SPF entry.

Verify: Get-AntiPhishPolicy shows the action on them.

May break: scans from printers that fail SPF go from junk into quarantine; look for junked mail of our own domains in the trace first.

Exceptions: mend the sender (DS-03, DNS-05) rather than exempt it.

Severity: medium, and high while Reject Direct Send is off, for then junk is where spoofed mail of ours lands and is found.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from portero.core.checks.effective import judge_policies, stance
from portero.core.checks.levels import authentication_failure
from portero.core.exchange.powershell import run
from portero.core.exchange.protection import Family
from portero.core.finding import Check, Posture, Severity, Verdict
from portero.core.text import Text


def _judge(posture: Posture) -> Verdict:
    verdict = judge_policies(
        posture,
        Family.ANTI_PHISH,
        partial(stance, wants=(authentication_failure(posture.limits),)),
        Text("Mail that fails composite authentication goes where the profile asks, for everyone."),
    )
    closed = posture.settings.reject_direct_send is True
    return replace(verdict, severity=Severity.MEDIUM if closed else Severity.HIGH)


CHECK = Check(
    id="SPOOF-03",
    title=Text("Mail failing composite authentication is quarantined"),
    severity=Severity.MEDIUM,
    needs=("Get-AntiPhishPolicy",),
    judge=_judge,
    fix=run(["Set-AntiPhishPolicy -Identity 'POLICY' -AuthenticationFailAction 'Quarantine'"]),
    undo=run(["Set-AntiPhishPolicy -Identity 'POLICY' -AuthenticationFailAction 'MoveToJmf'"]),
    maps={"ORCA": "112", "CIS": "2.1.7 (related)", "NIST": "SI-8", "ATT&CK": "T1672"},
)
