"""
Links in mail are looked at when they arrive and when they are opened, whoever sent them.

Before: Safe Links leaves out mail that counts as internal, does not wait for its result, or lets readers go on to what it warns of.

After: all of it is on in the policy that applies to each recipient.

Mend: set the values in the policies named.

Verify: Get-SafeLinksPolicy shows them.

May break: links that work once, in internal mail; they are candidates for DoNotRewriteUrls.

Exceptions: named hosts in DoNotRewriteUrls.

Severity: medium: a spoof that was promoted to internal escapes where internal senders are left out. Without Defender for Office 365 it does
not apply.
"""

from __future__ import annotations

from functools import partial

from portero.core.checks.effective import judge_policies, off, on, stance, without_defender
from portero.core.exchange.powershell import run
from portero.core.exchange.protection import Family
from portero.core.finding import Check, Outcome, Posture, Severity, Verdict
from portero.core.text import Text

_WANTED = (
    on("EnableSafeLinksForEmail"),
    on("EnableForInternalSenders"),
    on("ScanUrls", Outcome.WARN),
    on("DeliverMessageAfterScan", Outcome.WARN),
    off("AllowClickThrough", Outcome.WARN),
    on("TrackClicks", Outcome.WARN),
)


def _judge(posture: Posture) -> Verdict:
    return judge_policies(
        posture,
        Family.SAFE_LINKS,
        partial(stance, wants=_WANTED),
        Text("Safe Links covers mail of everyone, internal senders included."),
        without_defender(),
    )


CHECK = Check(
    id="MAL-01",
    title=Text("Safe Links covers mail, including internal senders"),
    severity=Severity.MEDIUM,
    needs=("Get-SafeLinksPolicy",),
    judge=_judge,
    fix=run(
        [
            "Set-SafeLinksPolicy -Identity 'POLICY' -EnableForInternalSenders $true -EnableSafeLinksForEmail $true"
        ]
    ),
    undo=run(
        [
            "Set-SafeLinksPolicy -Identity 'POLICY' -EnableForInternalSenders $false -EnableSafeLinksForEmail $false"
        ]
    ),
    maps={
        "SCuBA": "MS.SECURITYSUITE.7.1v1 to 7.3v1",
        "SCuBA before 2026": "MS.EXO.15.1v1 to 15.3v1",
        "CIS": "2.1.1",
        "ORCA": "105, 113, 156, 179, 236",
        "Prowler": "defender_safelinks_policy_enabled",
        "NIST": "SI-3",
        "ATT&CK": "T1566.002",
    },
)
