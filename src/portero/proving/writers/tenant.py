"""The tenant's configuration, one JSON file a cmdlet, as Windows PowerShell or PowerShell 7 writes it.

Source: reference exchange-online 5.1, 5.2; data-formats 7.
"""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta
from uuid import NAMESPACE_DNS, uuid5

from portero.proving.organisation import Connector, Organisation, Session

_CHANGED = re.compile(r"^\d{4}-\d\d-\d\dT")


def configuration(organisation: Organisation) -> dict[str, bytes]:
    """Give bytes by file name; nothing where the axis ``configuration`` says that nobody exported any."""
    chosen = organisation.axes.get("configuration", "full")
    if chosen == "none":
        return {}
    answers: dict[str, list[dict[str, object]]] = {
        "Get-AcceptedDomain": _domains(organisation),
        "Get-OrganizationConfig": [_organisation(organisation)],
        "Get-TransportConfig": [{"SmtpClientAuthenticationDisabled": True, "AllowLegacyTLSClients": None}],
        "Get-CASMailbox": _mailboxes(organisation),
        "Get-AntiPhishPolicy": [_anti_phish(organisation)],
    }
    if chosen != "without-connectors":
        answers["Get-InboundConnector"] = [_connector(organisation, held) for held in organisation.connectors]
    old = organisation.axes.get("configuration_shape") == "windows-powershell"
    return {
        f"{cmdlet}.json": _windows(answer) if old else _seven(answer) for cmdlet, answer in answers.items()
    }


def _seven(answer: list[dict[str, object]]) -> bytes:
    """PowerShell 7 with ``-InputObject @(...)``: UTF-8 without BOM, ISO dates, a list even for one."""
    return (json.dumps(answer, ensure_ascii=False, indent=2) + "\n").replace("\n", "\r\n").encode("utf-8")


def _windows(answer: list[dict[str, object]]) -> bytes:
    """Windows PowerShell by pipe: UTF-16LE with BOM, ``/Date(ms)/``, two blanks after a colon, a list of one unwrapped."""
    dated = [{name: _epoch(value) for name, value in item.items()} for item in answer]
    value: object = dated[0] if len(dated) == 1 else dated
    text = json.dumps(value, ensure_ascii=True, indent=4, separators=(",", ":  ")).replace("\n", "\r\n")
    return ("\ufeff" + text + "\r\n").encode("utf-16-le")


def _epoch(value: object) -> object:
    if isinstance(value, str) and _CHANGED.match(value):
        return f"/Date({round(datetime.fromisoformat(value).timestamp() * 1000)})/"
    return value


def _generic(organisation: Organisation, name: str) -> dict[str, object]:
    changed = (organisation.start - timedelta(days=200)).isoformat()
    return {
        "Name": name,
        "Identity": name,
        "Id": name,
        "Guid": str(uuid5(NAMESPACE_DNS, f"{organisation.name}/{name}")),
        "WhenChangedUTC": changed,
        "WhenCreatedUTC": changed,
        "IsValid": True,
        "ObjectState": "Unchanged",
    }


def _domains(organisation: Organisation) -> list[dict[str, object]]:
    return [
        {
            "DomainName": held.ascii_name,
            "DomainType": "Authoritative",
            "MatchSubDomains": held.match_subdomains,
            "Default": held.default,
            "InitialDomain": held.initial,
            "OutboundOnly": False,
            "SendingFromDomainDisabled": False,
            "SmtpDaneStatus": "Disabled",
            "AuthenticationType": "Managed",
            **_generic(organisation, held.ascii_name),
        }
        for held in organisation.domains
    ]


def _organisation(organisation: Organisation) -> dict[str, object]:
    initial = next(held.name for held in organisation.domains if held.initial)
    return {
        **_generic(organisation, initial),
        "DisplayName": organisation.name.title(),
        "RejectDirectSend": organisation.reject_direct_send,
        "DefaultAuthenticationPolicy": None,
        "OAuth2ClientProfileEnabled": True,
        "SendFromAliasEnabled": False,
        "AuditDisabled": False,
        "HybridConfigurationStatus": "Unknown",
    }


def _mailboxes(organisation: Organisation) -> list[dict[str, object]]:
    submitting = sorted(
        {
            mail.mail_from
            for mail in organisation.mails
            if mail.session in (Session.SMTP_AUTH_BASIC, Session.SMTP_AUTH_OAUTH)
        }
    )
    people = sorted({mail.mail_from for mail in organisation.mails if mail.session is Session.MAILBOX})[:40]
    return [
        {
            **_generic(organisation, address),
            "PrimarySmtpAddress": address,
            "SmtpClientAuthenticationDisabled": False if address in submitting else None,
            "ImapEnabled": True,
            "PopEnabled": True,
        }
        for address in (*submitting, *people)
    ]


def _anti_phish(organisation: Organisation) -> dict[str, object]:
    return {
        **_generic(organisation, "Office365 AntiPhish Default"),
        "Enabled": True,
        "IsDefault": True,
        "RecommendedPolicyType": "Custom",
        "EnableSpoofIntelligence": True,
        "AuthenticationFailAction": "MoveToJmf",
        "HonorDmarcPolicy": organisation.honours_dmarc,
        "DmarcRejectAction": "Reject",
        "DmarcQuarantineAction": "Quarantine",
    }


def _connector(organisation: Organisation, held: Connector) -> dict[str, object]:
    return {
        "Enabled": held.enabled,
        "ConnectorType": held.type,
        "ConnectorSource": "HybridWizard" if held.cloud_services_mail else "AdminUI",
        "Comment": "",
        "SenderIPAddresses": list(held.addresses),
        "SenderDomains": [
            f"smtp:{domain if domain == '*' else domain.encode('idna').decode('ascii')};1"
            for domain in held.sender_domains
        ],
        "TrustedOrganizations": [],
        "AssociatedAcceptedDomains": [],
        "RequireTls": held.certificate is not None,
        "RestrictDomainsToIPAddresses": held.restrict_to_addresses,
        "RestrictDomainsToCertificate": held.restrict_to_certificate,
        "CloudServicesMailEnabled": held.cloud_services_mail,
        "TreatMessagesAsInternal": False,
        "TlsSenderCertificateName": held.certificate,
        "EFTestMode": False,
        "EFSkipLastIP": False,
        "EFSkipIPs": [],
        "EFUsers": [],
        **_generic(organisation, held.name),
    }
