"""
Exchange honours the DMARC policy of senders, ours included, in the policy that applies to each recipient.

Before: HonorDmarcPolicy is false; mail that fails DMARC for a domain with p=reject is filtered by guesswork instead of refused.

After: it is true, with Reject for p=reject and Quarantine for p=quarantine, for every class of recipients. It turns DNS-09 into a
refusal of anonymous mail with our visible From.

Mend: set the three values in the policies named.

Verify: Get-AntiPhishPolicy shows HonorDmarcPolicy True, DmarcRejectAction Reject, DmarcQuarantineAction Quarantine.

May break: forwarded mail and mailing lists of strict domains; look first at delivered mail that fails DMARC, over 30 days. Where the
MX is a gateway and enhanced filtering is off (CON-09) it has little effect.

Exceptions: trusted ARC sealers (SPOOF-09).

Severity: high: it turns DNS-09 into a refusal of anonymous mail with our visible From.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from portero.core.checks.effective import judge_policies, on, one_of, stance, unless_off
from portero.core.exchange.powershell import run
from portero.core.exchange.protection import Family
from portero.core.finding import Check, Outcome, Posture, Severity, Verdict
from portero.core.text import Text

_WANTED = (
    on("HonorDmarcPolicy"),
    unless_off("Enabled"),
    one_of("DmarcRejectAction", "Reject", otherwise=Outcome.WARN),
    one_of("DmarcQuarantineAction", "Quarantine", otherwise=Outcome.WARN),
)


def _judge(posture: Posture) -> Verdict:
    verdict = judge_policies(
        posture,
        Family.ANTI_PHISH,
        partial(stance, wants=_WANTED),
        Text("The DMARC policy of senders is honoured for everyone."),
    )
    filtering = any(
        held.enabled is not False and (held.skip_last_ip or held.skip_ips)
        for held in posture.settings.connectors
    )
    if verdict.outcome is Outcome.PASS and posture.settings.mx_at_microsoft is False and not filtering:
        because = Text(
            "The DMARC policy of senders is honoured for everyone, yet the MX is at a gateway without enhanced filtering "
            "(CON-09), so Exchange Online rarely enforces it."
        )
        return replace(verdict, because=because)
    return verdict


CHECK = Check(
    id="SPOOF-02",
    title=Text("DMARC policies of senders, ours included, are honoured"),
    severity=Severity.HIGH,
    needs=("Get-AntiPhishPolicy",),
    judge=_judge,
    fix=run(
        [
            "Set-AntiPhishPolicy -Identity 'POLICY' -HonorDmarcPolicy $true -DmarcRejectAction Reject -DmarcQuarantineAction Quarantine"
        ]
    ),
    undo=run(
        ["Set-AntiPhishPolicy -Identity 'POLICY' -HonorDmarcPolicy PREVIOUS -DmarcRejectAction PREVIOUS"]
    ),
    maps={"CIS": "2.1.7", "ORCA": "244", "NIST": "SI-8", "ATT&CK": "T1672"},
)
