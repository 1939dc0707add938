"""
Mail that counts as internal is still looked at for what is surely phishing.

Before: IntraOrgFilterState is Disabled, or Default in a cloud where that means nothing; mail promoted to internal by a connector is
not filtered at all.

After: the state is HighConfidencePhish or wider; Default is enough in the worldwide cloud.

Mend: set the state in the policies named.

Verify: Get-HostedContentFilterPolicy shows IntraOrgFilterState.

May break: rare false alarms on mail between colleagues.

Exceptions: none.

Severity: medium: it matters where spoofed mail is promoted to internal (CON-04 to CON-06).
"""

from __future__ import annotations

from functools import partial

from portero.core.address import is_at_or_below
from portero.core.checks.effective import Want, judge_policies, stance
from portero.core.exchange.powershell import run
from portero.core.exchange.protection import Family
from portero.core.finding import Check, Posture, Severity, Verdict
from portero.core.text import Text

_FILTERING = {"highconfidencephish", "phish", "highconfidencespam", "spam"}
# In these clouds Default filters nothing. Source: controls catalogue SPAM-07.
_GOVERNMENT = ("onmicrosoft.us", "onmicrosoft.mil")


def _judge(posture: Posture) -> Verdict:
    government = any(
        is_at_or_below(held.name, name) for held in posture.settings.accepted_domains for name in _GOVERNMENT
    )
    good = _FILTERING if government else {*_FILTERING, "default"}
    want = Want("IntraOrgFilterState", lambda value: value in good, "HighConfidencePhish")
    return judge_policies(
        posture,
        Family.ANTI_SPAM,
        partial(stance, wants=(want,)),
        Text("Internal mail is filtered for what is surely phishing, for everyone."),
    )


CHECK = Check(
    id="SPAM-07",
    title=Text("Internal mail is filtered for high-confidence phishing at least"),
    severity=Severity.MEDIUM,
    needs=("Get-HostedContentFilterPolicy",),
    judge=_judge,
    fix=run(["Set-HostedContentFilterPolicy -Identity 'POLICY' -IntraOrgFilterState 'HighConfidencePhish'"]),
    undo=run(["Set-HostedContentFilterPolicy -Identity 'POLICY' -IntraOrgFilterState 'Default'"]),
    maps={"NIST": "SI-8", "ATT&CK": "T1534"},
)
