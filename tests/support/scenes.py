"""Tenants and zones in which each control fails, and those that no command mends, with the reason."""

from __future__ import annotations

import copy
from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from portero.core.address import parse_network
from portero.core.checks import checks
from portero.core.dns import DnsStatus
from portero.core.evidence import Coverage
from portero.core.exchange.change import noun_of
from portero.core.finding import Finding, find
from portero.core.flow import Facts, Flow, FlowKey
from portero.core.register import Configuration, KnownNetwork
from portero.core.sender import DecidedBy
from support.powershell_model import State

Build = Callable[..., Any]
CHECKS = {check.id: check for check in checks()}
END = datetime(2026, 11, 24, tzinfo=UTC)
LONG = (Coverage("trace.csv", "message-trace-extended", 9, END - timedelta(days=120), END),)
HQ = Configuration(
    networks=(KnownNetwork("HQ", (parse_network("203.0.113.0/24"),), "devices"),),
    people=("Ana Ruiz;ana@contoso.com",),
)

PHISH = {
    "Name": "Sales' policy", "IsDefault": True, "Enabled": True, "EnableSpoofIntelligence": False,
    "HonorDmarcPolicy": False, "DmarcRejectAction": "Quarantine", "DmarcQuarantineAction": "MoveToJmf",
    "AuthenticationFailAction": "NoAction", "EnableMailboxIntelligence": False,
    "EnableMailboxIntelligenceProtection": False, "MailboxIntelligenceProtectionAction": "NoAction",
    "PhishThresholdLevel": 1, "ExcludedDomains": ["contoso.com", "partner.example"], "ExcludedSenders": ["a@contoso.com"],
    "ExcludedSubDomains": [], "EnableOrganizationDomainsProtection": False, "TargetedDomainProtectionAction": "NoAction",
    "EnableTargetedUserProtection": False, "TargetedUserProtectionAction": "NoAction",
    "TargetedUsersToProtect": ["Luis Gil;luis@contoso.com"], "EnableUnauthenticatedSender": False,
    "EnableViaTag": False, "EnableFirstContactSafetyTips": False, "EnableSimilarUsersSafetyTips": False,
    "EnableSimilarDomainsSafetyTips": False, "EnableUnusualCharactersSafetyTips": False,
}  # fmt: skip
SPAM = {
    "Name": "Default", "IsDefault": True, "AllowedSenderDomains": ["contoso.com", "partner.example"],
    "AllowedSenders": ["scanner@contoso.com", "news@partner.example"], "SpamAction": "NoAction",
    "HighConfidenceSpamAction": "MoveToJmf", "BulkSpamAction": "NoAction", "BulkThreshold": 9,
    "MarkAsSpamBulkMail": "Off", "PhishSpamAction": "Redirect", "HighConfidencePhishAction": "Redirect",
    "HighConfidencePhishQuarantineTag": "AdminOnlyAccessPolicy", "QuarantineRetentionPeriod": 15,
    "IntraOrgFilterState": "Disabled", "PhishZapEnabled": False, "SpamZapEnabled": False,
}  # fmt: skip
MALWARE = {
    "Name": "Default",
    "IsDefault": True,
    "ZapEnabled": False,
    "EnableFileFilter": True,
    "FileTypes": ["exe"],
}
CONNECTOR = {
    "Name": "Old 'relay'", "Enabled": True, "ConnectorType": "Partner", "SenderDomains": ["smtp:*;1"],
    "SenderIPAddresses": ["203.0.113.10"], "TlsSenderCertificateName": None, "RequireTls": True,
    "ConnectorSource": "AdminUI", "Comment": "it@contoso.com", "TreatMessagesAsInternal": False,
    "CloudServicesMailEnabled": False, "TrustedOrganizations": [], "EFSkipLastIP": False, "EFSkipIPs": [],
    "EFUsers": [], "EFTestMode": False,
}  # fmt: skip
RULE = {
    "Name": "Let them in", "State": "Enabled", "Mode": "Enforce", "Priority": 0, "SetSCL": None,
    "SenderDomainIs": ["contoso.com"], "SetHeaderName": None,
}  # fmt: skip
ORGANISATION = {
    "Name": "contoso",
    "RejectDirectSend": False,
    "AuditDisabled": True,
    "DefaultAuthenticationPolicy": None,
}
OUTBOUND = {
    "Name": "Default", "IsDefault": True, "AutoForwardingMode": "On", "RecipientLimitExternalPerHour": 0,
    "RecipientLimitInternalPerHour": 0, "RecipientLimitPerDay": 0, "ActionWhenThresholdReached": "Alert",
}  # fmt: skip
SAFE_LINKS = {
    "Name": "Ours", "IsBuiltInProtection": True, "EnableSafeLinksForEmail": False, "EnableForInternalSenders": False,
    "ScanUrls": False, "DeliverMessageAfterScan": False, "AllowClickThrough": True, "TrackClicks": False,
}  # fmt: skip
ALERT = {
    "Name": "Suspicious connector activity",
    "Disabled": True,
    "NotificationEnabled": True,
    "NotifyUser": ["soc@contoso.com"],
}
# A key of 2048 bits, whose numbers are zeros but for what its encoding needs.
KEY = (
    "v=DKIM1; k=rsa; p="
    + b64encode(
        bytes.fromhex("3082010a0282010100") + b"\x80" + bytes(254) + b"\x01" + bytes.fromhex("0203010001")
    ).decode()
)
INBOUND, RULES = "Get-InboundConnector", "Get-TransportRule"

# A tenant in which each control fails, and the fields of the posture that the check looks at besides.
SCENES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "AUTH-01": ({"Get-TransportConfig": [{"SmtpClientAuthenticationDisabled": False}]}, {}),
    "AUTH-02": (
        {
            "Get-CASMailbox": [{"Name": "scan", "PrimarySmtpAddress": "scan@contoso.com", "SmtpClientAuthenticationDisabled": False}],
            "Get-Mailbox": [{"PrimarySmtpAddress": "scan@contoso.com", "RecipientTypeDetails": "SharedMailbox"}],
        },
        {},
    ),
    "AUTH-03": (
        {"Get-OrganizationConfig": [ORGANISATION], "Get-AuthenticationPolicy": [{"Name": "Loose", "AllowBasicAuthSmtp": False}]},
        {},
    ),
    "AUTH-05": (
        {"Get-MgIdentityConditionalAccessPolicy": [
            {"id": "7", "displayName": "Block legacy", "state": "enabledForReportingButNotEnforced",
             "conditions": {"clientAppTypes": ["exchangeActiveSync", "other"],
                            "users": {"includeUsers": ["All"], "excludeUsers": []}},
             "grantControls": {"builtInControls": ["block"]}},
        ]},
        {},
    ),
    "AUTH-07": ({"Get-TransportConfig": [{"AllowLegacyTLSClients": True}]}, {}),
    "CON-01": (
        {INBOUND: []},
        {"dns": {("contoso.com", "MX"): ["10 mx.gateway.example"]}, "settings": {"gateway_seen": ("198.51.100.7/32",)}},
    ),
    "CON-02": ({INBOUND: [{**CONNECTOR, "SenderIPAddresses": []}]}, {}),
    "CON-03": ({INBOUND: [{**CONNECTOR, "SenderIPAddresses": ["10.0.0.1", "203.0.113.10"]}]}, {}),
    "CON-04": ({INBOUND: [{**CONNECTOR, "ConnectorType": "OnPremises", "TlsSenderCertificateName": "*.mimecast.com"}]}, {}),
    "CON-05": ({INBOUND: [{**CONNECTOR, "TreatMessagesAsInternal": True}]}, {}),
    "CON-06": (
        {INBOUND: [{**CONNECTOR, "CloudServicesMailEnabled": True}],
         "Get-OutboundConnector": [{"Name": "Out", "Enabled": True, "ConnectorSource": "AdminUI", "CloudServicesMailEnabled": True}]},
        {},
    ),
    "CON-07": ({INBOUND: [{**CONNECTOR, "RequireTls": None, "SenderIPAddresses": ["198.51.100.7"]}]}, {}),
    "CON-08": (
        {INBOUND: [{**CONNECTOR, "TlsSenderCertificateName": "*.exclaimer.net"}]},
        {"dns": {("_dmarc.contoso.com", "TXT"): [], ("_dmarc.com", "TXT"): []}},
    ),
    "CON-09": ({INBOUND: [CONNECTOR]}, {"settings": {"mx_at_microsoft": False}}),
    "CON-10": ({INBOUND: [{**CONNECTOR, "Comment": None}], "Get-OutboundConnector": []}, {"coverage": LONG}),
    "CON-11": (
        {INBOUND: [{**CONNECTOR, "SenderDomains": ["smtp:contoso.com;1"], "SenderIPAddresses": ["198.51.100.9"],
                    "RestrictDomainsToIPAddresses": True, "RestrictDomainsToCertificate": False}]},
        {"senders": "scanner"},
    ),
    "CON-12": ({INBOUND: [{**CONNECTOR, "SenderIPAddresses": ["203.0.113.9/29", "203.0.113.77"]}]}, {}),
    "CON-13": ({"Get-OutboundConnector": [{"Name": "Out", "Enabled": True, "SmartHosts": ["x.example"], "Comment": None, "TlsSettings": None}]}, {}),
    "CON-14": ({INBOUND: [{**CONNECTOR, "TrustedOrganizations": ["fabrikam.onmicrosoft.com"]}]}, {"mail_seen": True}),
    "DNS-06": (
        {"Get-DkimSigningConfig": [{"Domain": "contoso.com", "Enabled": False, "Status": "Valid"}]},
        {"settings": {"domains_exported": True}},
    ),
    "DS-01": ({"Get-OrganizationConfig": [ORGANISATION]}, {}),
    "DNS-07": (
        {"Get-DkimSigningConfig": [
            {"Domain": "contoso.com", "Enabled": True, "RotateOnDate": "2019-06-05T00:00:00Z",
             "KeyCreationTime": "2019-06-05T00:00:00Z", "SelectorAfterRotateOnDate": "selector1"},
        ]},
        {"dns": {("selector1._domainkey.contoso.com", "TXT"): [KEY]}},
    ),
    "DS-03": ({INBOUND: []}, {"senders": "owned scanner"}),
    "DS-06": ({"Get-OrganizationConfig": [ORGANISATION]}, {"approved": {"Get-OrganizationConfig": [{**ORGANISATION, "RejectDirectSend": True}]}}),
    "DS-08": ({"Get-OrganizationConfig": [ORGANISATION], RULES: []}, {}),
    "INV-03": (
        {"Get-AcceptedDomain": [{"DomainName": "contoso.com", "SendingFromDomainDisabled": True}]},
        {"senders": "scanner", "coverage": LONG},
    ),
    "LOG-01": (
        {"Get-AdminAuditLogConfig": [{"UnifiedAuditLogIngestionEnabled": False}], "Get-OrganizationConfig": [ORGANISATION],
         "Get-MailboxAuditBypassAssociation": [{"Identity": "ana@contoso.com", "Name": "ana@contoso.com", "AuditBypassEnabled": True}]},
        {},
    ),
    "LOG-02": ({"Get-ProtectionAlert": [ALERT]}, {}),
    "MAL-01": ({"Get-SafeLinksPolicy": [SAFE_LINKS]}, {}),
    "MAL-02": (
        {"Get-MalwareFilterPolicy": [MALWARE],
         "Get-SafeAttachmentPolicy": [{"Name": "Ours", "IsBuiltInProtection": True, "Enable": False, "Action": "Allow"}]},
        {},
    ),
    "OUT-01": (
        {"Get-HostedOutboundSpamFilterPolicy": [OUTBOUND],
         "Get-RemoteDomain": [{"Name": "Default", "DomainName": "*", "AutoForwardEnabled": True}]},
        {},
    ),
    "OUT-02": ({"Get-HostedOutboundSpamFilterPolicy": [OUTBOUND]}, {}),
    "RULE-01": ({RULES: [{**RULE, "SetSCL": -1}]}, {}),
    "RULE-02": ({RULES: [{**RULE, "SetHeaderName": "X-MS-Exchange-Organization-SkipSafeLinksProcessing"}]}, {}),
    "RULE-03": (
        {RULES: [{**RULE, "Quarantine": True, "SenderAddressLocation": "Header", "ExceptIfFrom": ["boss@contoso.com"]}]},
        {},
    ),
    "RULE-04": ({RULES: [{**RULE, "SenderDomainIs": None, "FromScope": "NotInOrganization", "PrependSubject": "[EXT] "}]}, {}),
    "SPAM-01": ({"Get-HostedContentFilterPolicy": [SPAM]}, {}),
    "SPAM-02": ({"Get-HostedContentFilterPolicy": [SPAM]}, {}),
    "SPAM-03": ({"Get-HostedConnectionFilterPolicy": [{"Name": "Default", "IPAllowList": ["203.0.113.10", "192.0.2.1-192.0.2.9"]}]}, {}),
    "SPAM-04": ({"Get-HostedConnectionFilterPolicy": [{"Name": "Default", "EnableSafeList": True}]}, {}),
    "SPAM-05": ({"Get-HostedContentFilterPolicy": [SPAM]}, {}),
    "SPAM-06": ({"Get-HostedContentFilterPolicy": [SPAM]}, {}),
    "SPAM-07": ({"Get-HostedContentFilterPolicy": [SPAM]}, {}),
    "SPAM-08": ({"Get-HostedContentFilterPolicy": [SPAM], "Get-MalwareFilterPolicy": [MALWARE]}, {}),
    "SPAM-09": (
        {"Get-TenantAllowBlockListItems": [
            {"Identity": "1", "Value": "contoso.com", "Action": "Allow", "ListType": "Sender", "RemoveAfter": 45, "ExpirationDate": None},
        ]},
        {},
    ),
    "SPOOF-01": ({"Get-AntiPhishPolicy": [PHISH]}, {}),
    "SPOOF-02": ({"Get-AntiPhishPolicy": [PHISH]}, {}),
    "SPOOF-03": ({"Get-AntiPhishPolicy": [PHISH]}, {}),
    "SPOOF-04": (
        {"Get-TenantAllowBlockListSpoofItems": [
            {"Identity": "5a0e1c1e-0000-4000-8000-000000000001", "SpoofedUser": "*", "SendingInfrastructure": "x.example",
             "SpoofType": "Internal", "Action": "Allow"},
        ]},
        {},
    ),
    "SPOOF-05": (
        {"Get-AntiPhishPolicy": [PHISH], "Get-HostedContentFilterPolicy": [SPAM],
         "Get-EOPProtectionPolicyRule": [
             {"Name": "Standard Preset Security Policy", "State": "Disabled", "Priority": 0, "ExceptIfSentTo": None,
              "ExceptIfSentToMemberOf": None, "ExceptIfRecipientDomainIs": None},
         ]},
        {},
    ),
    "SPOOF-06": ({"Get-AntiPhishPolicy": [PHISH]}, {}),
    "SPOOF-07": ({"Get-AntiPhishPolicy": [PHISH]}, {}),
    "SPOOF-08": ({"Get-AntiPhishPolicy": [PHISH]}, {}),
    "SPOOF-09": ({"Get-ArcConfig": [{"ArcTrustedSealers": "contoso.com,google.com"}]}, {}),
    "SPOOF-10": (
        {"Get-ExoPhishSimOverrideRule": [{"Name": "Sim", "Policy": "PhishSimOverridePolicy", "Domains": ["contoso.com"], "SenderIpRanges": ["203.0.113.0/28"]}]},
        {},
    ),
    "UX-01": ({"Get-ExternalInOutlook": [{"Enabled": False, "AllowList": ["contoso.com", "partner.example"]}]}, {}),
    "UX-02": ({"Get-AntiPhishPolicy": [PHISH]}, {}),
    "UX-03": (
        {"Get-ReportSubmissionPolicy": [{"Name": "DefaultReportSubmissionPolicy", "EnableReportToMicrosoft": False,
                                         "ReportPhishToCustomizedAddress": False, "ReportPhishAddresses": []}]},
        {},
    ),
}  # fmt: skip
ZONE = {("_dmarc.com", "TXT"): [], ("com", "MX"): []}
# Zones in which each control of DNS fails and offers records.
ZONES: dict[str, tuple[dict[tuple[str, str], Any], dict[str, Any]]] = {
    "DNS-01": ({("contoso.com", "TXT"): ["v=spf1 ip4:203.0.113.1 -all", "v=spf1 ip4:203.0.113.2 -all"]}, {}),
    "DNS-02": ({("contoso.com", "TXT"): ["v=spf1 ip4:203.0.113.1 ?all"]}, {}),
    "DNS-04": ({("contoso.com", "TXT"): ["v=spf1 ptr -all"]}, {}),
    "DNS-05": (
        {("contoso.com", "TXT"): ["v=spf1 ip4:203.0.113.10 ip4:198.51.100.9 -all"]},
        {"senders": "scanner", "coverage": LONG},
    ),
    "DNS-08": ({("_dmarc.contoso.com", "TXT"): []}, {}),
    "DNS-09": ({("_dmarc.contoso.com", "TXT"): ["v=DMARC1; p=none; sp=none"]}, {}),
    "DNS-10": ({("_dmarc.contoso.com", "TXT"): ["v=DMARC1; p=none"]}, {}),
    "DNS-11": (
        {
            ("contoso.com", "TXT"): ["v=spf1 ~all"],
            ("_dmarc.contoso.com", "TXT"): [],
            ("contoso.com", "MX"): ["0 ."],
        },
        {"objects": {"Get-AcceptedDomain": [{"DomainName": "contoso.com"}]}},
    ),
    "DNS-12": (
        {("_dmarc.contoso.onmicrosoft.com", "TXT"): ["v=DMARC1; p=none"]},
        {"domains": ("contoso.onmicrosoft.com",), "objects": {"Get-AcceptedDomain": []}},
    ),
    "DNS-14": (
        {
            ("contoso.com", "MX"): ["10 mx.contoso.com"],
            ("_mta-sts.contoso.com", "TXT"): ["v=STSv1; id=1"],
            ("_smtp._tls.contoso.com", "TXT"): [],
        },
        {
            "objects": {
                "Get-AcceptedDomain": [],
                "mta-sts-policy": [
                    {
                        "Domain": "contoso.com",
                        "Text": "version: STSv1\nmode: enforce\nmx: mx.contoso.com\nmax_age: 86400\n",
                    },
                ],
            }
        },
    ),
    "DNS-15": (
        {
            ("contoso.com", "TXT"): ["v=spf1 include:gone.example ip4:203.0.113.1 -all"],
            ("gone.example", "TXT"): DnsStatus.NXDOMAIN,
            ("contoso.com", "MX"): ["10 mx.contoso.com", "20 old.gone.example"],
            ("mx.contoso.com", "A"): ["203.0.113.2"],
            ("old.gone.example", "A"): DnsStatus.NXDOMAIN,
        },
        {},
    ),
    "DNS-13": (
        {("contoso.com", "MX"): ["10 mx.gateway.example", "20 contoso-com.mail.protection.outlook.com"]},
        {},
    ),
}
# Controls that no command and no record mends: people, other products, the network, or a step the plan orders.
BY_HAND = {
    "AUTH-04": "devices are moved one by one",
    "AUTH-06": "roles and named locations in Entra, which a person must choose",
    "AUTH-08": "a detection elsewhere",
    "DNS-03": "which include can go is for a person to say",
    "DS-02": "it only reads",
    "DS-04": "DNS-09 and SPOOF-02 mend it",
    "DS-05": "it only reads",
    "DS-07": "DNS-09 mends it",
    "INV-01": "an entry in portero.toml; the tenant stays as it is",
    "INV-02": "an entry in portero.toml; the tenant stays as it is",
    "INV-04": "the platform's own set-up",
    "INV-05": "a consent in Entra, and a scope that a person must choose",
    "LOG-03": "a detection elsewhere",
    "LOG-04": "a detection elsewhere",
    "LOG-05": "days of collecting, which no command brings back",
    "LOG-06": "somebody asks the sender's owner",
    "LOG-07": "a new export",
    "NET-01": "a rule in the firewall",
    "NET-02": "a rule in the firewall",
    "NET-03": "an address translation in the firewall",
    "NET-04": "the set-up of a server of the organisation",
}


def judged(
    id_: str, objects: dict[str, Any], posture: Build, sender: Build, fields: dict[str, Any]
) -> Finding:
    given = {"configuration": HQ, **fields}
    wanted = given.get("senders")
    if wanted in ("scanner", "owned scanner"):
        by = DecidedBy.REGISTER if wanted == "owned scanner" else DecidedBy.EVIDENCE
        key = FlowKey(
            client_ip="203.0.113.10", mail_from_domain="contoso.com", connector="", direction="incoming"
        )
        given["senders"] = (sender(flows=(Flow(key, Facts(mails=40)),), decided_by=by),)
    if "approved" in given:
        given["approved"] = posture(given["approved"]).tenant
    return find(CHECKS[id_], posture(objects, **given))


def state_of(objects: dict[str, Any]) -> State:
    return {noun_of(cmdlet): copy.deepcopy(list(items)) for cmdlet, items in objects.items()}


def exported(state: State, objects: dict[str, Any]) -> dict[str, Any]:
    """Export a state again, every cmdlet that was asked before and what has been made beside."""
    return {f"Get-{noun}": items for noun, items in state.items()} | {
        cmdlet: state.get(noun_of(cmdlet), []) for cmdlet in objects
    }


# Controls whose commands show in mail that comes later, or bring what cannot be brought back.
SHOWN_LATER = {
    "DS-03": "the next mail of the sender names the connector",
    "DNS-07": "the new key signs days later",
}
NO_WAY_BACK = {"DNS-07": "a rotation cannot be undone; the key before it stays valid for days"}
