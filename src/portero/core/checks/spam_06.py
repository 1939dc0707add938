"""
Spam and bulk mail meet at least the actions of the chosen level, for every recipient.

Before: actions or the bulk threshold are softer than the profile: spam certain to be spam stays in the junk folder.

After: the five values are those of the profile or stricter in every policy that applies.

Mend: set the values named.

Verify: Get-HostedContentFilterPolicy shows them.

May break: newsletters; the spread of bulk levels in 30 days of mail shows which.

Exceptions: marketing mailboxes.

Severity: low: it is about nuisance more than about deceit.
"""

from __future__ import annotations

from functools import partial

from portero.core.checks.effective import judge_policies, stance
from portero.core.checks.levels import spam_actions
from portero.core.exchange.powershell import run
from portero.core.exchange.protection import Family
from portero.core.finding import Check, Posture, Severity, Verdict
from portero.core.text import Text


def _judge(posture: Posture) -> Verdict:
    return judge_policies(
        posture,
        Family.ANTI_SPAM,
        partial(stance, wants=spam_actions(posture.limits)),
        Text("Spam and bulk mail meet the actions of the profile, for everyone."),
    )


CHECK = Check(
    id="SPAM-06",
    title=Text("Spam and bulk actions match the chosen profile"),
    severity=Severity.LOW,
    needs=("Get-HostedContentFilterPolicy",),
    judge=_judge,
    fix=run(
        [
            "Set-HostedContentFilterPolicy -Identity 'POLICY' -HighConfidenceSpamAction 'Quarantine' -BulkThreshold 6"
        ]
    ),
    undo=run(
        [
            "Set-HostedContentFilterPolicy -Identity 'POLICY' -HighConfidenceSpamAction 'MoveToJmf' -BulkThreshold 7"
        ]
    ),
    maps={
        "SCuBA": "MS.SECURITYSUITE.6.1v1",
        "SCuBA before 2026": "MS.EXO.14.1v2",
        "ORCA": "100, 101, 139 to 141",
        "NIST": "SI-8",
        "ATT&CK": "T1566",
    },
)
