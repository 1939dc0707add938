"""
Spoof intelligence is on in the policy that really applies to each recipient.

Before: somebody's mail is filtered by a policy with spoof intelligence off, although the default policy has it on; judging the
default, or the rule of priority 0, does not show it.

After: for every class of recipients, the policy that applies has EnableSpoofIntelligence true.

Mend: switch it on in the policies named; preset policies cannot be edited and have it on.

Verify: Get-AntiPhishPolicy shows EnableSpoofIntelligence True on them.

May break: legitimate senders that do not authenticate go to junk or quarantine; Get-SpoofIntelligenceInsight lists them first.

Exceptions: by sender, with a dated allow pair (SPOOF-04).

Severity: critical: it is the switch that looks for spoofing.
"""

from __future__ import annotations

from functools import partial

from portero.core.checks.effective import judge_policies, on, stance, unless_off
from portero.core.exchange.powershell import run
from portero.core.exchange.protection import Family
from portero.core.finding import Check, Posture, Severity, Verdict
from portero.core.text import Text

_WANTED = (on("EnableSpoofIntelligence"), unless_off("Enabled"))


def _judge(posture: Posture) -> Verdict:
    return judge_policies(
        posture,
        Family.ANTI_PHISH,
        partial(stance, wants=_WANTED),
        Text("Spoof intelligence is on in every policy that applies to somebody."),
    )


CHECK = Check(
    id="SPOOF-01",
    title=Text("Spoof intelligence is on in the policy that applies to each recipient"),
    severity=Severity.CRITICAL,
    needs=("Get-AntiPhishPolicy",),
    judge=_judge,
    fix=run(["Set-AntiPhishPolicy -Identity 'POLICY' -EnableSpoofIntelligence $true"]),
    undo=run(["Set-AntiPhishPolicy -Identity 'POLICY' -EnableSpoofIntelligence $false"]),
    maps={
        "CIS": "2.1.7",
        "ORCA": "180",
        "Prowler": "defender_antiphishing_policy_configured",
        "NIST": "SI-8",
        "ATT&CK": "T1672, T1656",
    },
)
