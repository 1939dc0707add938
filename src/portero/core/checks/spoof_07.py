"""
What Exchange learns from each mailbox about its correspondents leads to an action, and phishing is judged severely enough.

Before: mailbox intelligence is off or only watches, or the threshold stands at its lowest.

After: both switches are on, the action is MoveToJmf (Standard) or Quarantine (Strict), the threshold is 3 (Standard) or 4 (Strict).

Mend: set the values in the policies named, first for a pilot group.

Verify: Get-AntiPhishPolicy shows the four values.

May break: mail of people who write rarely may be taken for impersonation.

Exceptions: none.

Severity: medium: it adds judgement where authentication says nothing.
"""

from __future__ import annotations

from functools import partial

from portero.core.checks.effective import (
    Want,
    at_least,
    defender,
    judge_policies,
    on,
    one_of,
    stance,
    without_defender,
)
from portero.core.exchange.powershell import run
from portero.core.exchange.protection import Family
from portero.core.finding import Check, Outcome, Posture, Severity, Verdict
from portero.core.text import Text
from portero.core.thresholds import Thresholds


def _judge(posture: Posture) -> Verdict:
    if defender(posture) is False:
        return without_defender()
    return judge_policies(
        posture,
        Family.ANTI_PHISH,
        partial(stance, wants=_wants(posture.limits)),
        Text("Mailbox intelligence acts and the phishing threshold is high enough, for everyone."),
    )


def _wants(limits: Thresholds) -> tuple[Want, ...]:
    actions = ("Quarantine", "Delete") if limits.strict_actions else ("MoveToJmf", "Quarantine", "Delete")
    return (
        on("EnableMailboxIntelligence"),
        on("EnableMailboxIntelligenceProtection"),
        one_of("MailboxIntelligenceProtectionAction", *actions, otherwise=Outcome.WARN),
        Want("PhishThresholdLevel", lambda value: value != 1, limits.threshold_level),
        at_least("PhishThresholdLevel", limits.threshold_level, Outcome.WARN),
    )


CHECK = Check(
    id="SPOOF-07",
    title=Text("Mailbox intelligence acts, threshold is at least 3"),
    severity=Severity.MEDIUM,
    needs=("Get-AntiPhishPolicy",),
    judge=_judge,
    fix=run(
        [
            "Set-AntiPhishPolicy -Identity 'POLICY' -EnableMailboxIntelligence $true -EnableMailboxIntelligenceProtection $true -MailboxIntelligenceProtectionAction 'MoveToJmf' -PhishThresholdLevel 3"
        ]
    ),
    undo=run(
        [
            "Set-AntiPhishPolicy -Identity 'POLICY' -EnableMailboxIntelligenceProtection $false -MailboxIntelligenceProtectionAction 'NoAction' -PhishThresholdLevel 1"
        ]
    ),
    maps={
        "CIS": "2.1.7",
        "ORCA": "115, 116, 220, 221",
        "Maester": "CISA.MS.EXO.11.3",
        "NIST": "SI-8",
        "ATT&CK": "T1656, T1566",
    },
)
