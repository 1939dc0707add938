"""What applying a finding's fix takes: roles, modules, time until it works, and what it does to recorded mail."""

from __future__ import annotations

from collections.abc import Iterable

from portero.core.exchange.change import Change
from portero.core.sender import Judgement
from portero.core.simulation import Simulation
from portero.core.text import Text

# Role by the noun of what is changed; all of them are in the role group Organization Management.
# Source: reference exchange-online 6.0. A noun that is missing here is looked up by the command that `prerequisites` names.
_ROLES = {
    "OrganizationConfig": "Organization Configuration",
    "ExternalInOutlook": "Organization Configuration",
    "AuthenticationPolicy": "Organization Configuration",
    "TransportConfig": "Organization Transport Settings",
    "InboundConnector": "Remote and Accepted Domains",
    "OutboundConnector": "Remote and Accepted Domains",
    "AcceptedDomain": "Remote and Accepted Domains",
    "RemoteDomain": "Remote and Accepted Domains",
    "TransportRule": "Transport Rules",
    "AntiPhishPolicy": "Transport Hygiene",
    "HostedContentFilterPolicy": "Transport Hygiene",
    "HostedConnectionFilterPolicy": "Transport Hygiene",
    "HostedOutboundSpamFilterPolicy": "Transport Hygiene",
    "MalwareFilterPolicy": "Transport Hygiene",
    "SafeLinksPolicy": "Transport Hygiene",
    "SafeAttachmentPolicy": "Transport Hygiene",
    "EOPProtectionPolicyRule": "Transport Hygiene",
    "ATPProtectionPolicyRule": "Transport Hygiene",
    "TenantAllowBlockListItems": "Transport Hygiene",
    "TenantAllowBlockListSpoofItems": "Transport Hygiene",
    "ArcConfig": "Transport Hygiene",
    "DkimSigningConfig": "Transport Hygiene",
    "CASMailbox": "Mail Recipients",
    "MailboxAuditBypassAssociation": "Audit Logs",
    "AdminAuditLogConfig": "Audit Logs",
}
# These are cmdlets of the compliance session. Source: reference exchange-online 5.2; controls catalogue R6.
_GRAPH = {"MgIdentityConditionalAccessPolicy"}
_COMPLIANCE = {"ProtectionAlert", "ExoPhishSimOverrideRule", "ExoSecOpsOverrideRule"}


def roles(changes: Iterable[Change]) -> tuple[str, ...]:
    """Name the roles that may make the changes, as far as the reference knows them."""
    return tuple(dict.fromkeys(_ROLES[each.noun] for each in changes if each.noun in _ROLES))


def prerequisites(changes: Iterable[Change]) -> tuple[Text, ...]:
    """Say what must be there before the commands can run. Source: reference exchange-online 6.0."""
    nouns = tuple(dict.fromkeys(each.noun for each in changes))
    if not nouns:
        return ()
    if set(nouns) <= _GRAPH:
        graph = Text(
            "Connect with Connect-MgGraph -Scopes Policy.Read.All,Policy.ReadWrite.ConditionalAccess, of the module "
            "Microsoft.Graph.Identity.SignIns."
        )
        return graph, _saved(nouns)
    session = (
        Text("Connect with Connect-IPPSSession, of the module ExchangeOnlineManagement 3 or newer.")
        if set(nouns) <= _COMPLIANCE
        else Text("Connect with Connect-ExchangeOnline, of the module ExchangeOnlineManagement 3 or newer.")
    )
    held = Text(
        "Who may do it in this tenant: {commands}",
        commands="\n".join(f"Get-ManagementRole -Cmdlet Set-{noun}" for noun in nouns),
    )
    return session, held, _saved(nouns)


def _saved(nouns: Iterable[str]) -> Text:
    return Text(
        "Save what is there first: {commands}",
        commands="\n".join(f"Get-{noun} | ConvertTo-Json -Depth 6" for noun in nouns),
    )


def propagation(changes: Iterable[Change]) -> tuple[Text, ...]:
    """Say when the changes work. Source: reference exchange-online 6.7."""
    return tuple(dict.fromkeys(_wait(each) for each in changes))


def _wait(change: Change) -> Text:
    if change.noun == "OrganizationConfig" and "RejectDirectSend" in change.do:
        return Text("Takes effect within about 30 minutes.")
    if change.noun == "ExternalInOutlook":
        return Text("Shows in Outlook after 24 to 48 hours.")
    if change.noun == "TransportRule":
        return Text("Takes effect within about 30 minutes.")
    return Text("Microsoft publishes no time for it: plan an hour before judging.")


def effect(simulation: Simulation) -> Text:
    """Say what mending costs in recorded mail: legitimate mails refused, of all, and what nobody can tell."""
    refused = sum(each.refused for each in simulation.senders if each.judgement is Judgement.LEGITIMATE)
    unsettled = sum(each.refused for each in simulation.senders if each.judgement is Judgement.UNDECIDED)
    total = simulation.refused + simulation.kept + simulation.undetermined
    return Text(
        "On recorded mail this would refuse {refused} legitimate mails and {unsettled} about which nobody has decided, "
        "of {total}; {undetermined} are undetermined.",
        refused=refused,
        unsettled=unsettled,
        total=total,
        undetermined=simulation.undetermined,
    )
