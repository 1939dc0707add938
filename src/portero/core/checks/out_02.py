"""
Whoever takes over an account or a device cannot mail thousands from it.

Before: the limits are 0, which means the service's own of 10,000 a day, or reaching one only raises an alert.

After: at most 500 recipients outside and 1,000 inside an hour, 1,000 a day, and reaching a limit blocks the sender.

Mend: set the limits and the action; give known senders of newsletters a policy of their own first.

Verify: Get-HostedOutboundSpamFilterPolicy shows them.

May break: newsletters and applications that mail as a mailbox; the most recipients per mailbox and hour in 30 days of trace show which.

Exceptions: an outbound policy for a named sender, or another service for bulk.

Severity: medium: it bounds the harm, and prevents none.
"""

from __future__ import annotations

from functools import partial

from portero.core.checks.effective import Want, at_most, judge_policies, one_of, stance
from portero.core.exchange.powershell import run
from portero.core.exchange.protection import Family
from portero.core.finding import Check, Outcome, Posture, Severity, Verdict
from portero.core.text import Text
from portero.core.thresholds import Thresholds


def _judge(posture: Posture) -> Verdict:
    return judge_policies(
        posture,
        Family.OUTBOUND,
        partial(stance, wants=_wants(posture.limits)),
        Text("Outbound limits and their action contain a sender taken over, for everyone."),
    )


def _wants(limits: Thresholds) -> tuple[Want, ...]:
    action = "ActionWhenThresholdReached"
    return (
        at_most("RecipientLimitExternalPerHour", limits.external_per_hour),
        at_most("RecipientLimitInternalPerHour", limits.internal_per_hour),
        at_most("RecipientLimitPerDay", limits.per_day),
        Want(action, lambda value: value != "alert", "BlockUser"),
        one_of(action, "BlockUser", otherwise=Outcome.WARN),
    )


CHECK = Check(
    id="OUT-02",
    title=Text("Sending limits contain a taken-over account or device"),
    severity=Severity.MEDIUM,
    needs=("Get-HostedOutboundSpamFilterPolicy",),
    judge=_judge,
    fix=run(
        [
            "Set-HostedOutboundSpamFilterPolicy -Identity Default -RecipientLimitExternalPerHour 500 -RecipientLimitInternalPerHour 1000 -RecipientLimitPerDay 1000 -ActionWhenThresholdReached BlockUser"
        ]
    ),
    undo=run(
        [
            "Set-HostedOutboundSpamFilterPolicy -Identity Default -RecipientLimitExternalPerHour 0 -RecipientLimitInternalPerHour 0 -RecipientLimitPerDay 0 -ActionWhenThresholdReached BlockUserForToday"
        ]
    ),
    maps={
        "CIS": "2.1.6, 2.1.15",
        "ORCA": "103",
        "Prowler": "defender_antispam_outbound_policy_configured",
        "CIPP": "EXOOutboundSpamLimits",
        "NIST": "SI-4, SC-5",
        "ATT&CK": "T1534",
    },
)
