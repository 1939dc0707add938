"""
Outlook tells its reader what Exchange knows of a sender.

Before: the question mark for senders that did not authenticate, the via tag or a safety tip is off.

After: all of them are on in every policy that applies.

Mend: switch them on in the policies named.

Verify: Get-AntiPhishPolicy shows them True.

May break: nothing.

Exceptions: none.

Severity: low: they help readers, and stop nothing.
"""

from __future__ import annotations

from functools import partial

from portero.core.checks.effective import Want, defender, judge_policies, on, stance
from portero.core.exchange.powershell import run
from portero.core.exchange.protection import Family
from portero.core.finding import Check, Outcome, Posture, Severity, Verdict
from portero.core.text import Text

_ALWAYS = ("EnableUnauthenticatedSender", "EnableViaTag", "EnableFirstContactSafetyTips")
# These need Defender for Office 365.
_LICENSED = (
    "EnableSimilarUsersSafetyTips",
    "EnableSimilarDomainsSafetyTips",
    "EnableUnusualCharactersSafetyTips",
)


def _judge(posture: Posture) -> Verdict:
    names = _ALWAYS if defender(posture) is False else (*_ALWAYS, *_LICENSED)
    wants: tuple[Want, ...] = tuple(on(name, Outcome.WARN) for name in names)
    return judge_policies(
        posture,
        Family.ANTI_PHISH,
        partial(stance, wants=wants),
        Text("Marks of unauthenticated senders and safety tips are on, for everyone."),
    )


CHECK = Check(
    id="UX-02",
    title=Text("Unauthenticated-sender marks and safety tips are on"),
    severity=Severity.LOW,
    needs=("Get-AntiPhishPolicy",),
    judge=_judge,
    fix=run(
        [
            "Set-AntiPhishPolicy -Identity 'POLICY' -EnableUnauthenticatedSender $true -EnableViaTag $true -EnableFirstContactSafetyTips $true"
        ]
    ),
    undo=run(
        [
            "Set-AntiPhishPolicy -Identity 'POLICY' -EnableUnauthenticatedSender $false -EnableViaTag $false -EnableFirstContactSafetyTips $false"
        ]
    ),
    maps={
        "SCuBA": "MS.SECURITYSUITE.2.4v1",
        "SCuBA before 2026": "MS.EXO.11.2v1",
        "CIS": "2.1.7",
        "ORCA": "111, 119, 123, 143, 224, 241",
        "NIST": "AT-2, SI-8",
        "ATT&CK": "T1656",
    },
)
