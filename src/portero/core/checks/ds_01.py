"""
Reject Direct Send is on, so that nobody without credentials or a connector can mail as one of our domains.

Before: RejectDirectSend is false, or null because nobody ever set it; anyone on the internet can hand Exchange Online
mail for our mailboxes whose envelope sender (MAIL FROM) is one of our own domains.

After: RejectDirectSend is true; such mail is refused with 550 5.7.68 unless an inbound connector matches its address or
certificate.

Mend: first give every legitimate sender another way in (DS-02, DS-03), then switch it on; it takes about half an hour.

Verify: Get-OrganizationConfig shows RejectDirectSend as True, and a test from an address that matches no connector is
answered 550 5.7.68.

May break: everything DS-02 lists as refused: scanners, monitoring, applications, services that use the bare domain as
envelope sender, forwarders that do not rewrite it. Refused mail never reaches the message trace: measure before.

Exceptions: none inside the switch, which holds for the whole tenant; a connector by address or certificate is the only one.

Severity: high while DMARC of any sending domain is weaker than quarantine or abuse uses the door; medium otherwise.
"""

from __future__ import annotations

from portero.core.checks.origins import of_answers, of_objects
from portero.core.exchange.change import setting
from portero.core.exchange.powershell import run
from portero.core.exchange.settings import Absent, flag
from portero.core.finding import Check, Outcome, Posture, Severity, Verdict
from portero.core.mail.dmarc import effective_policy
from portero.core.mail.dmarc_record import Policy
from portero.core.sender import Judgement, Path
from portero.core.text import Text

_ON = "Set-OrganizationConfig -RejectDirectSend $true"
_OFF = "Set-OrganizationConfig -RejectDirectSend $false"


def _judge(posture: Posture) -> Verdict:
    item = posture.tenant.single("Get-OrganizationConfig")
    if item is None:
        return Verdict(
            Outcome.UNKNOWN,
            Text("Get-OrganizationConfig came back empty, so the switch was not seen."),
            of_answers(posture.tenant, "Get-OrganizationConfig"),
        )
    value, origins = flag(item, "RejectDirectSend"), of_objects([item])
    if isinstance(value, Absent):
        return Verdict(
            Outcome.UNKNOWN,
            Text(
                "The export of Get-OrganizationConfig lacks RejectDirectSend. Export it whole: "
                "Get-OrganizationConfig | ConvertTo-Json."
            ),
            origins,
        )
    severity = _severity(posture)
    if value:
        return Verdict(Outcome.PASS, Text("RejectDirectSend is true."), origins, severity)
    because = (
        Text("RejectDirectSend was never set (null), which behaves as off.")
        if value is None
        else Text("RejectDirectSend is false.")
    )
    return Verdict(
        Outcome.FAIL,
        because,
        origins,
        severity,
        changes=setting(item, {"RejectDirectSend": True}),
        controls=("reject-direct-send",),
    )


def _severity(posture: Posture) -> Severity:
    """Source: controls catalogue DS-01: high while DMARC is weaker than quarantine or abuse uses the door."""
    abused = any(
        sender.judgement is Judgement.ABUSE and sender.path is Path.DIRECT_SEND for sender in posture.senders
    )
    domains = [held.name for held in posture.settings.accepted_domains]
    enforced = bool(domains) and all(_enforced(posture, domain) for domain in domains)
    return Severity.MEDIUM if enforced and not abused else Severity.HIGH


def _enforced(posture: Posture, domain: str) -> bool:
    """
    Tell whether a domain surely publishes p=quarantine or p=reject, itself or through a domain above.

    Anything less than certain leaves the severity high.
    """
    found = effective_policy(posture.dns, domain)
    strong = found.exact is not None and found.exact is not Policy.NONE
    return strong and not found.testing and found.percent == 100


CHECK = Check(
    id="DS-01",
    title=Text("Reject Direct Send is on"),
    severity=Severity.HIGH,
    needs=("Get-OrganizationConfig",),
    judge=_judge,
    fix=run([_ON]),
    undo=run([_OFF]),
    maps={
        "CIS": "6.5.5",
        "Maester": "MT.1062",
        "Prowler": "exchange_organization_reject_direct_send_enabled",
        "CIPP": "EXODirectSend",
        "NIST": "SC-7, SI-8",
        "ATT&CK": "T1672, T1656, T1566",
    },
)
