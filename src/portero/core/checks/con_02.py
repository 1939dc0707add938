"""
No enabled inbound connector identifies its sender by the name of a domain alone.

Before: a connector has sender domains and neither an address nor a certificate. Whoever writes that domain as envelope sender
matches it; Reject Direct Send does not count it.

After: every enabled connector names an address or a certificate, and none covers our own domains by accident.

Mend: give it the certificate its sender presents, or its addresses, or switch it off.

Verify: Get-InboundConnector shows SenderIPAddresses or TlsSenderCertificateName on each enabled connector.

May break: a Restrict flag begins to refuse that partner from other addresses; the ConnectorReport shows where it mails from.

Exceptions: connectors that only demand TLS of a partner's domain (RequireTls) are legitimate: accept them with a note.

Severity: medium, and high where the connector also promotes headers, treats mail as internal or is of type OnPremises.
"""

from __future__ import annotations

from portero.core.checks.origins import of_answers, of_objects
from portero.core.evidence import ConfigObject
from portero.core.exchange.change import setting
from portero.core.exchange.powershell import identity, run
from portero.core.exchange.settings import Absent, flag, prop, sender_domain, texts
from portero.core.finding import Check, Outcome, Posture, Severity, Verdict
from portero.core.text import Text


def _judge(posture: Posture) -> Verdict:
    items = posture.tenant.objects("Get-InboundConnector") or ()
    standing = [(item, _standing(item, posture)) for item in items if flag(item, "Enabled") is not False]
    for outcome in (Outcome.FAIL, Outcome.WARN, Outcome.UNKNOWN):
        found = [item for item, stands in standing if stands is outcome]
        if found:
            return _verdict(outcome, found)
    return Verdict(
        Outcome.PASS,
        Text("Every enabled inbound connector names an address or a certificate."),
        of_answers(posture.tenant, "Get-InboundConnector"),
    )


def _standing(item: ConfigObject, posture: Posture) -> Outcome:
    addresses, certificate = texts(item, "SenderIPAddresses"), prop(item, "TlsSenderCertificateName")
    # A connector for another Microsoft 365 organisation is identified by the organisation.
    identified = bool(addresses or certificate or texts(item, "TrustedOrganizations"))
    if not identified:
        if addresses is None or isinstance(certificate, Absent) or isinstance(flag(item, "Enabled"), Absent):
            return Outcome.UNKNOWN
        return Outcome.FAIL
    domains = texts(item, "SenderDomains")
    if domains is None:
        return Outcome.UNKNOWN
    patterns = {sender_domain(text).removeprefix("*.") for text in domains}
    ours = {held.name for held in posture.settings.accepted_domains}
    return Outcome.WARN if patterns & ours else Outcome.PASS


def _verdict(outcome: Outcome, items: list[ConfigObject]) -> Verdict:
    names = tuple(map(identity, items))
    if outcome is Outcome.UNKNOWN:
        return Verdict(
            outcome,
            Text(
                "The export lacks addresses, certificate, domains or state of connectors {names}.",
                names=names,
            ),
            of_objects(items),
        )
    if outcome is Outcome.WARN:
        return Verdict(
            outcome,
            Text(
                "Connectors that cover our own domains, where only their criterion keeps others out: {names}.",
                names=names,
            ),
            of_objects(items),
        )
    grave = any(
        flag(item, "CloudServicesMailEnabled") is True
        or flag(item, "TreatMessagesAsInternal") is True
        or str(prop(item, "ConnectorType")).lower() == "onpremises"
        for item in items
    )
    return Verdict(
        outcome,
        Text(
            "Connectors that know their sender by domain name alone, which anyone can write: {names}.",
            names=names,
        ),
        of_objects(items),
        Severity.HIGH if grave else None,
        changes=tuple(change for item in items for change in setting(item, {"Enabled": False})),
        subjects=names,
        controls=tuple(f"remove-connector={name}" for name in names),
    )


CHECK = Check(
    id="CON-02",
    title=Text("No enabled inbound connector identifies its sender by domain name alone"),
    severity=Severity.MEDIUM,
    needs=("Get-InboundConnector",),
    judge=_judge,
    fix=run(
        [
            "Set-InboundConnector -Identity 'NAME' -TlsSenderCertificateName 'CERTIFICATE' -RestrictDomainsToCertificate $true"
        ]
    ),
    undo=run(
        [
            "Set-InboundConnector -Identity 'NAME' -TlsSenderCertificateName $null -RestrictDomainsToCertificate $false"
        ]
    ),
    maps={"NIST": "AC-4", "ATT&CK": "T1672"},
)
