"""
A connector that goes by a certificate which all customers of a provider share stands behind an enforced DMARC policy.

Before: every customer of the platform is attributed to the connector and so exempt from Reject Direct Send, and no DMARC policy of ours
refuses what they write in our name.

After: the certificate is ours or made for us alone; or, at least, DMARC enforces for every domain.

Mend: raise DMARC first (DNS-09); or use addresses or a certificate of our own; or let the platform use a sub-domain as its envelope, and
drop the connector.

Verify: Get-InboundConnector names no shared certificate, or DNS-09 passes for every domain.

May break: dropping the connector refuses mail whose envelope is the bare domain; its mail by P1 domain shows how much.

Exceptions: signature services that bring back our mail with a header and certificate of this tenant.

Severity: high: anybody can become a customer.
"""

from __future__ import annotations

from portero.core.checks.certificates import is_shared
from portero.core.checks.origins import of_objects
from portero.core.checks.standing import Standing, custom_domains, judge_objects, unread
from portero.core.dns import Dns
from portero.core.evidence import ConfigObject
from portero.core.exchange.change import setting
from portero.core.exchange.powershell import identity, run
from portero.core.exchange.settings import Absent, flag, prop
from portero.core.finding import Check, Outcome, Posture, Severity, Verdict
from portero.core.mail.dmarc import effective_policy
from portero.core.mail.dmarc_discovery import Site
from portero.core.mail.dmarc_record import Policy
from portero.core.text import Text


def _judge(posture: Posture) -> Verdict:
    return judge_objects(
        posture,
        "Get-InboundConnector",
        _standing,
        Text("No connector goes by a certificate that customers of a provider share."),
    )


def _standing(posture: Posture, item: ConfigObject) -> Standing:
    name, origins, certificate = identity(item), of_objects([item]), prop(item, "TlsSenderCertificateName")
    on = flag(item, "Enabled")
    if on is False:
        return Standing(name, Outcome.PASS, Text("connector “{name}” is off", name=name), origins)
    if isinstance(certificate, Absent):
        return unread(item, ("TlsSenderCertificateName",))
    if not isinstance(certificate, str) or not certificate.strip() or not is_shared(certificate):
        return Standing(
            name, Outcome.PASS, Text("connector “{name}” names no shared certificate", name=name), origins
        )
    if isinstance(on, Absent):
        return unread(item, ("Enabled",))
    shut = setting(item, {"Enabled": False})
    enforced = {domain: _enforced(posture.dns, domain) for domain in custom_domains(posture)}
    open_ = tuple(domain for domain, held in enforced.items() if held is False)
    if open_:
        reason = Text(
            "connector “{name}” believes every customer behind {certificate}, and DMARC does not enforce for {domains}",
            name=name,
            certificate=certificate,
            domains=open_,
        )
        return Standing(name, Outcome.FAIL, reason, origins, changes=shut)
    if None in enforced.values():
        reason = Text(
            "connector “{name}” believes every customer behind {certificate}, and the DMARC policies are not all known",
            name=name,
            certificate=certificate,
        )
        return Standing(name, Outcome.UNKNOWN, reason, origins)
    reason = Text(
        "connector “{name}” believes every customer behind {certificate}; only DMARC stands before them",
        name=name,
        certificate=certificate,
    )
    return Standing(name, Outcome.WARN, reason, origins, changes=shut)


def _enforced(dns: Dns, domain: str) -> bool | None:
    found = effective_policy(dns, domain)
    if found.own.site in {Site.UNKNOWN, Site.FAILED}:
        return None
    return found.exact is not None and found.exact is not Policy.NONE and not found.testing


CHECK = Check(
    id="CON-08",
    title=Text("A connector trusting a shared provider certificate rests on enforced DMARC"),
    severity=Severity.HIGH,
    needs=("Get-InboundConnector", "dns", "domains"),
    judge=_judge,
    fix=run(["Set-InboundConnector -Identity 'NAME' -Enabled $false"]),
    undo=run(["Set-InboundConnector -Identity 'NAME' -Enabled $true"]),
    maps={"NIST": "SA-9, AC-4", "ATT&CK": "T1199, T1672"},
)
