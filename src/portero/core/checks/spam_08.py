"""
Mail that turns out to be bad after it was delivered is taken back from mailboxes.

Before: one of the purges is off; what Microsoft learns an hour later changes nothing for those who have the mail.

After: the purges for phishing, spam and malware are on in every policy that applies.

Mend: switch them on in the policies named.

Verify: Get-HostedContentFilterPolicy and Get-MalwareFilterPolicy show them True.

May break: nothing.

Exceptions: none.

Severity: medium: it repairs what filtering missed.
"""

from __future__ import annotations

from functools import partial

from portero.core.checks.effective import on, policy_standings, stance
from portero.core.checks.standing import conclude
from portero.core.exchange.powershell import run
from portero.core.exchange.protection import Family
from portero.core.finding import Check, Outcome, Posture, Severity, Verdict
from portero.core.text import Text


def _judge(posture: Posture) -> Verdict:
    spam = partial(stance, wants=(on("PhishZapEnabled"), on("SpamZapEnabled")))
    by_family = [
        policy_standings(posture, Family.ANTI_SPAM, spam),
        policy_standings(posture, Family.MALWARE, partial(stance, wants=(on("ZapEnabled"),))),
    ]
    if not all(by_family):
        return Verdict(
            Outcome.UNKNOWN, Text("A family of policies came back empty, of which every tenant has one.")
        )
    return conclude(
        [each for standings in by_family for each in standings],
        Text("Zero-hour purge is on for phishing, spam and malware, for everyone."),
        Text("It concerns no policy that applies to somebody."),
    )


CHECK = Check(
    id="SPAM-08",
    title=Text("Zero-hour purge is on"),
    severity=Severity.MEDIUM,
    needs=("Get-HostedContentFilterPolicy", "Get-MalwareFilterPolicy"),
    judge=_judge,
    fix=run(
        [
            "Set-HostedContentFilterPolicy -Identity 'POLICY' -PhishZapEnabled $true -SpamZapEnabled $true",
            "Set-MalwareFilterPolicy -Identity 'POLICY' -ZapEnabled $true",
        ]
    ),
    undo=run(
        [
            "Set-HostedContentFilterPolicy -Identity 'POLICY' -PhishZapEnabled $false -SpamZapEnabled $false",
            "Set-MalwareFilterPolicy -Identity 'POLICY' -ZapEnabled $false",
        ]
    ),
    maps={
        "SCuBA": "MS.SECURITYSUITE.1.2v1",
        "SCuBA before 2026": "MS.EXO.10.3v1",
        "ORCA": "120.1 to 120.3, 121",
        "NIST": "SI-3",
        "ATT&CK": "T1566",
    },
)
