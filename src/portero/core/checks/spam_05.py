"""
What Exchange takes for phishing waits in a quarantine that its reader cannot open alone, for long enough to look at it.

Before: phishing goes to junk, or is delivered with a header or a marked subject, or its reader may release it.

After: both verdicts go to quarantine, the one of high confidence under a quarantine policy without release, and stay for 30 days.

Mend: set the two actions, the retention and the quarantine policy.

Verify: Get-HostedContentFilterPolicy shows Quarantine twice and the days; Get-QuarantinePolicy shows no release.

May break: more requests to release; the counts of the quarantine show how many.

Exceptions: none.

Severity: high: it is the last place where spoofed mail can be stopped without its reader's judgement.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from portero.core.checks.effective import Stance, judge_policies, stance
from portero.core.checks.levels import phish_actions
from portero.core.checks.standing import unsaid
from portero.core.evidence import ConfigObject
from portero.core.exchange.powershell import identity, run
from portero.core.exchange.protection import Family
from portero.core.exchange.settings import ABSENT, prop
from portero.core.finding import Check, Outcome, Posture, Severity, Verdict
from portero.core.text import Text

_TAG = "HighConfidencePhishQuarantineTag"
# Microsoft's own quarantine policies: the first lets nobody but administrators release, the others let readers.
_CLOSED, _OPEN = (
    "adminonlyaccesspolicy",
    ("defaultfullaccesspolicy", "defaultfullaccesswithnotificationpolicy"),
)


def _judge(posture: Posture) -> Verdict:
    return judge_policies(
        posture,
        Family.ANTI_SPAM,
        partial(_stance, posture),
        Text("Phishing goes to a quarantine that readers cannot open alone, for everyone."),
    )


def _stance(posture: Posture, policy: ConfigObject) -> Stance:
    found = stance(policy, phish_actions(posture.limits))
    if found.outcome in {Outcome.FAIL, Outcome.UNKNOWN}:
        return found
    if prop(policy, _TAG) in (None, "", ABSENT):
        return Stance(Outcome.UNKNOWN, (*found.what, *unsaid(policy, (_TAG,))))
    release = _released(posture, policy)
    if release is None:
        what = Text("whether readers may release what {name} holds was not exported", name=_TAG)
        return Stance(Outcome.UNKNOWN, (*found.what, what))
    if release:
        what = Text("{name} is {value}", name=_TAG, value=str(prop(policy, _TAG)))
        return Stance(Outcome.WARN, (*found.what, what), found.changes)
    return found


def _released(posture: Posture, policy: ConfigObject) -> bool | None:
    """Tell whether the quarantine policy for high-confidence phishing lets readers release; None if not known."""
    name = str(prop(policy, _TAG)).strip().lower()
    if name == _CLOSED or name in _OPEN:
        return name != _CLOSED
    held = next(
        (
            each
            for each in posture.tenant.objects("Get-QuarantinePolicy") or ()
            if identity(each).lower() == name
        ),
        None,
    )
    rights = None if held is None else prop(held, "EndUserQuarantinePermissions")
    if isinstance(rights, Mapping):
        value = rights.get("PermissionToRelease")
        return value if isinstance(value, bool) else None
    words = str(rights).replace(" ", "").lower()
    if "permissiontorelease:" in words:
        return "permissiontorelease:true" in words
    return None


CHECK = Check(
    id="SPAM-05",
    title=Text("Phishing verdicts go to quarantine that users cannot open alone"),
    severity=Severity.HIGH,
    needs=("Get-HostedContentFilterPolicy",),
    judge=_judge,
    fix=run(
        [
            "Set-HostedContentFilterPolicy -Identity 'POLICY' -PhishSpamAction 'Quarantine' -HighConfidencePhishAction 'Quarantine' -QuarantineRetentionPeriod 30"
        ]
    ),
    undo=run(
        [
            "Set-HostedContentFilterPolicy -Identity 'POLICY' -PhishSpamAction 'PREVIOUS' -HighConfidencePhishAction 'PREVIOUS'"
        ]
    ),
    maps={
        "SCuBA": "MS.SECURITYSUITE.6.1v1",
        "SCuBA before 2026": "MS.EXO.14.1v2, MS.EXO.14.2v1",
        "ORCA": "104, 142, 106",
        "NIST": "SI-8",
        "ATT&CK": "T1566",
    },
)
