"""
Addresses that Microsoft bought a good word for do not skip spam filtering.

Before: EnableSafeList is true, and senders of a list that nobody outside Microsoft sees are never filtered.

After: EnableSafeList is false.

Mend: switch it off.

Verify: Get-HostedConnectionFilterPolicy shows EnableSafeList False.

May break: some bulk senders end up in junk.

Exceptions: none.

Severity: low: the senders on the list are mostly good, and nobody can look.
"""

from __future__ import annotations

from portero.core.checks.effective import off, stance
from portero.core.checks.origins import of_answers, of_objects
from portero.core.checks.standing import Standing, judge_objects
from portero.core.evidence import ConfigObject
from portero.core.exchange.powershell import identity, run
from portero.core.finding import Check, Outcome, Posture, Severity, Verdict
from portero.core.text import Text

_CMDLET = "Get-HostedConnectionFilterPolicy"


def _judge(posture: Posture) -> Verdict:
    return judge_objects(
        posture,
        _CMDLET,
        _standing,
        Text("Microsoft's safe list is off."),
        Verdict(
            Outcome.UNKNOWN,
            Text("{cmdlet} came back empty.", cmdlet=_CMDLET),
            of_answers(posture.tenant, _CMDLET),
        ),
    )


def _standing(_: Posture, item: ConfigObject) -> Standing:
    found, name = stance(item, (off("EnableSafeList"),)), identity(item)
    reason = Text("{name}: {what}", name=name, what=found.what)
    return Standing(name, found.outcome, reason, of_objects([item]), changes=found.changes)


CHECK = Check(
    id="SPAM-04",
    title=Text("Microsoft's own safe list is off"),
    severity=Severity.LOW,
    needs=("Get-HostedConnectionFilterPolicy",),
    judge=_judge,
    fix=run(["Set-HostedConnectionFilterPolicy -Identity 'Default' -EnableSafeList $false"]),
    undo=run(["Set-HostedConnectionFilterPolicy -Identity 'Default' -EnableSafeList $true"]),
    maps={
        "SCuBA": "MS.SECURITYSUITE.8.2v1",
        "SCuBA before 2026": "MS.EXO.12.2v1",
        "CIS": "2.1.13",
        "Prowler": "defender_antispam_connection_filter_policy_safe_list_off",
        "CIPP": "AntiSpamSafeList",
        "NIST": "AC-4",
        "ATT&CK": "T1562.001",
    },
)
