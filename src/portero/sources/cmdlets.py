"""Which cmdlet an exported object came from, told by properties that only its objects have."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet

# Each cmdlet with alternatives: an object that has all properties of one of them came from it. The first that fits
# wins, so what shares properties stands in order of how much it says. A name after "!" must be missing.
# Source: reference exchange-online 1.3 and 5.2, and the captures named in its section 9.
_FINGERPRINTS: dict[str, tuple[str, ...]] = {
    "Get-QuarantineMessage": ("QuarantineTypes ReceivedTime", "ReleaseStatus PolicyType"),
    "Get-InboundConnector": (
        "SenderDomains ConnectorType",
        "SenderIPAddresses ConnectorType",
        "SenderIPAddresses SenderDomains",
        "RestrictDomainsToIPAddresses",
        "RestrictDomainsToCertificate",
        "TlsSenderCertificateName",
        "EFSkipLastIP",
        "TreatMessagesAsInternal",
    ),
    "Get-OutboundConnector": (
        "RecipientDomains ConnectorType",
        "RouteAllMessagesViaOnPremises",
        "IsTransportRuleScoped",
        "SmartHosts UseMXRecord",
        "SenderRewritingEnabled",
    ),
    "Get-EOPProtectionPolicyRule": ("HostedContentFilterPolicy AntiPhishPolicy",),
    "Get-ATPProtectionPolicyRule": ("SafeAttachmentPolicy SafeLinksPolicy",),
    "Get-HostedContentFilterRule": ("HostedContentFilterPolicy State",),
    "Get-HostedOutboundSpamFilterRule": ("HostedOutboundSpamFilterPolicy State",),
    "Get-AntiPhishRule": ("AntiPhishPolicy State",),
    "Get-SafeLinksRule": ("SafeLinksPolicy State",),
    "Get-SafeAttachmentRule": ("SafeAttachmentPolicy State",),
    "Get-MalwareFilterRule": ("MalwareFilterPolicy State",),
    "Get-TransportRule": (
        "RuleErrorAction",
        "SenderAddressLocation",
        "ExceptIfFromScope",
        "SetSCL",
        "FromScope State",
        "SetHeaderName",
        "StopRuleProcessing",
        "Mode State Priority",
    ),
    "Get-HostedContentFilterPolicy": (
        "HighConfidencePhishAction",
        "MarkAsSpamSpfRecordHardFail",
        "AllowedSenderDomains",
        "PhishZapEnabled",
        "BulkThreshold",
    ),
    "Get-AntiPhishPolicy": (
        "EnableSpoofIntelligence",
        "HonorDmarcPolicy",
        "AuthenticationFailAction",
        "EnableMailboxIntelligence",
        "PhishThresholdLevel",
    ),
    "Get-HostedConnectionFilterPolicy": ("IPAllowList", "IPBlockList", "EnableSafeList"),
    "Get-HostedOutboundSpamFilterPolicy": ("AutoForwardingMode", "RecipientLimitExternalPerHour"),
    "Get-SpoofIntelligenceInsight": (
        "SpoofedUser SendingInfrastructure MessageCount",
        "SpoofedUser SendingInfrastructure LastSeen",
    ),
    "Get-TenantAllowBlockListSpoofItems": ("SpoofedUser SendingInfrastructure",),
    "Get-TenantAllowBlockListItems": (
        "Value ListSubType",
        "Value EntryValueHash",
        "Value Action ExpirationDate",
    ),
    "Get-DkimSigningConfig": (
        "Selector1CNAME",
        "Selector1KeySize",
        "RotateOnDate",
        "SelectorBeforeRotateOnDate",
    ),
    "Get-AcceptedDomain": (
        "DomainName DomainType",
        "DomainType MatchSubDomains",
        "DomainName InitialDomain",
        "DomainName MatchSubDomains",
        "SendingFromDomainDisabled",
    ),
    "Get-RemoteDomain": (
        "DomainName AllowedOOFType",
        "DomainName AutoForwardEnabled",
        "TrustedMailInboundEnabled",
    ),
    "Get-CASMailbox": (
        "SmtpClientAuthenticationDisabled PrimarySmtpAddress",
        "SmtpClientAuthenticationDisabled ImapEnabled",
        "SmtpClientAuthenticationDisabled PopEnabled",
        "SmtpClientAuthenticationDisabled EmailAddresses",
        "ActiveSyncEnabled OWAEnabled",
    ),
    "Get-TransportConfig": (
        "AllowLegacyTLSClients",
        "AnonymousSenderToRecipientRatePerHour",
        "AttributionRejectConsumerMessages",
        "InternalSMTPServers",
        "TLSReceiveDomainSecureList",
        "JournalingReportNdrTo",
        "MaxRecipientEnvelopeLimit",
        "SmtpClientAuthenticationDisabled !Name !DisplayName !Identity !Guid !Id",
    ),
    "Get-OrganizationConfig": (
        "RejectDirectSend",
        "IPListBlocked",
        "MailTipsAllTipsEnabled",
        "OAuth2ClientProfileEnabled",
        "SendFromAliasEnabled",
        "HybridConfigurationStatus",
        "DefaultAuthenticationPolicy",
        "AuditDisabled DisplayName",
    ),
    "Get-MailboxAuditBypassAssociation": ("AuditBypassEnabled !ForwardingSmtpAddress",),
    "Get-AdminAuditLogConfig": ("AdminAuditLogEnabled", "UnifiedAuditLogIngestionEnabled"),
    "Get-ArcConfig": ("ArcTrustedSealers",),
    "Get-Mailbox": (
        "ForwardingSmtpAddress",
        "DeliverToMailboxAndForward",
        "PrimarySmtpAddress RecipientTypeDetails ExchangeGuid",
    ),
    "Get-AuthenticationPolicy": ("AllowBasicAuthSmtp",),
    "Get-MxRecordReport": ("HighestPriorityMailhost", "PointsToService"),
    "Get-ApplicationAccessPolicy": ("AppId AccessRight", "AccessRight ScopeName"),
    "Get-ServicePrincipal": ("AppId ObjectId", "AppId ServiceId"),
    "Get-QuarantinePolicy": (
        "EndUserQuarantinePermissions",
        "EndUserQuarantinePermissionsValue",
        "ESNEnabled",
    ),
    "Get-SafeLinksPolicy": ("EnableSafeLinksForEmail", "DoNotRewriteUrls"),
    "Get-SafeAttachmentPolicy": ("Redirect RedirectAddress", "Enable Redirect ActionOnError"),
    "Get-MalwareFilterPolicy": ("EnableFileFilter", "ZapEnabled FileTypes"),
    "Get-AtpPolicyForO365": ("EnableATPForSPOTeamsODB", "EnableSafeDocs"),
    "Get-TeamsProtectionPolicy": ("ZapEnabled MalwareQuarantineTag HighConfidencePhishQuarantineTag",),
    "Get-ProtectionAlert": ("LogicalOperationName", "NotifyUser Severity"),
    "Get-OrganizationRelationship": ("FreeBusyAccessEnabled",),
    "Get-IntraOrganizationConnector": ("TargetAddressDomains DiscoveryEndpoint",),
    "Get-SharingPolicy": ("Domains Enabled Default",),
    "Get-ExternalInOutlook": ("Enabled AllowList",),
    "Get-ReportSubmissionPolicy": ("EnableReportToMicrosoft", "ReportPhishToCustomizedAddress"),
    "Get-ExoPhishSimOverrideRule": (
        "SenderIpRanges Domains Policy",
        "SenderIpRanges Domains State !FromScope",
    ),
    "Get-MgIdentityConditionalAccessPolicy": ("conditions grantControls", "Conditions GrantControls"),
    "Get-MgServicePrincipalAppRoleAssignment": ("appRoleId principalId", "AppRoleId PrincipalId"),
    "Get-DistributionGroup": ("MemberJoinRestriction MemberDepartRestriction",),
    "Get-DistributionGroupMember": ("Group PrimarySmtpAddress RecipientType",),
    "Get-RoleGroupMember": (
        "RecipientType RecipientTypeDetails PrimarySmtpAddress !ExchangeGuid !EmailAddresses",
    ),
    "Search-UnifiedAuditLog": ("AuditData RecordType",),
    "Get-ReceiveConnector": ("PermissionGroups Bindings", "PermissionGroups RemoteIPRanges"),
    "smtp-probe": ("host mail_from reply",),
}
# Told apart from another cmdlet by a value rather than by a property; recognised by name in files and wrappers too.
_BY_VALUE = ("Get-CASMailboxPlan", "Get-ATPBuiltInProtectionRule")
_RULES = [
    (
        cmdlet,
        frozenset(word for word in alternative.split() if not word.startswith("!")),
        frozenset(word[1:] for word in alternative.split() if word.startswith("!")),
    )
    for cmdlet, alternatives in _FINGERPRINTS.items()
    for alternative in alternatives
]
_NAMES = {cmdlet.lower(): cmdlet for cmdlet in (*_FINGERPRINTS, *_BY_VALUE)}
_NAMES |= {name.replace("get-", "get-exo"): cmdlet for name, cmdlet in _NAMES.items() if "mailbox" in name}
# Properties of servers and tables that share names with the above and are none of them.
_FOREIGN = (
    frozenset({"AddressSpaces"}),  # Get-SendConnector
    frozenset({"NetworkMessageId", "SenderFromAddress"}),  # hunting tables
    frozenset({"CreationTime", "RecordType", "Workload"}),  # the unified audit log
)


def cmdlet_by_properties(names: AbstractSet[str]) -> str | None:
    """Give the cmdlet whose objects have these properties, or None."""
    if any(foreign <= names for foreign in _FOREIGN):
        return None
    return next((cmdlet for cmdlet, with_, without in _RULES if with_ <= names and not without & names), None)


def cmdlet_of(item: Mapping[str, object]) -> str | None:
    """Give the cmdlet that an object came from, or None."""
    cmdlet = cmdlet_by_properties(item.keys())
    name = str(item.get("Name") or item.get("Identity") or item.get("DisplayName") or "")
    if cmdlet == "Get-CASMailbox" and name.startswith("ExchangeOnline") and "PrimarySmtpAddress" not in item:
        return "Get-CASMailboxPlan"
    if cmdlet == "Get-ATPProtectionPolicyRule" and name.startswith("ATP Built-In Protection"):
        return "Get-ATPBuiltInProtectionRule"
    return cmdlet


def cmdlet_named(text: str) -> str | None:
    """Give the cmdlet that a text names, with or without ``Get-``, in the singular or plural of the noun; or None."""
    word = text.strip().lower()
    for candidate in (word, f"get-{word}", word.removesuffix("s"), f"get-{word.removesuffix('s')}"):
        if candidate in _NAMES:
            return _NAMES[candidate]
    return None


def names_a_cmdlet(keys: Iterable[str]) -> bool:
    """Tell whether one of the keys is a cmdlet's full name, as in files that hold several answers."""
    return any(key.lower().startswith("get-") and cmdlet_named(key) for key in keys)
