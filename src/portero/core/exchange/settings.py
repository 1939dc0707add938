"""The tenant's settings that decide how Exchange Online treats a message, read from exported objects."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from portero.core.address import NetworkMap, a_label, is_at_or_below, parse_network, parse_range
from portero.core.dns import Dns
from portero.core.evidence import ConfigAnswer, ConfigObject, Origin
from portero.core.exchange.smtp_auth import REPORT, SIGN_INS, clients, protocols


class Absent:
    """The export does not hold the property: nothing is known, which is neither null nor false."""

    def __repr__(self) -> str:
        return "ABSENT"

    def __bool__(self) -> bool:
        return False


ABSENT = Absent()


class Tenant:
    """Exported configuration objects by cmdlet; a cmdlet that was never exported answers None, not an empty list."""

    def __init__(self, objects: Iterable[ConfigObject] = (), answers: Iterable[ConfigAnswer] = ()) -> None:
        self._objects: dict[str, list[ConfigObject]] = {}
        self._answers: dict[str, ConfigAnswer] = {}
        for answer in answers:
            held = self._answers.get(answer.cmdlet)
            self._answers[answer.cmdlet] = answer if held is None or held.complete else held
        for item in objects:
            self._objects.setdefault(item.cmdlet, []).append(item)
            self._answers.setdefault(item.cmdlet, ConfigAnswer(item.cmdlet, item.origin))

    @property
    def recorded(self) -> tuple[tuple[ConfigObject, ...], tuple[ConfigAnswer, ...]]:
        """Give what makes the same tenant again."""
        objects = tuple(item for items in self._objects.values() for item in items)
        return objects, tuple(self._answers.values())

    def objects(self, cmdlet: str) -> tuple[ConfigObject, ...] | None:
        """Give what a cmdlet returned, without repetitions of the same object; None when nobody exported it."""
        if cmdlet not in self._answers:
            return None
        unique: dict[str, ConfigObject] = {}
        for item in self._objects.get(cmdlet, ()):
            identity = (
                item.properties.get("Guid") or item.properties.get("Identity") or item.properties.get("Name")
            )
            unique[str(identity or item.properties.get("DomainName") or item.origin)] = item
        return tuple(unique.values())

    def single(self, cmdlet: str) -> ConfigObject | None:
        """
        Give the object of a cmdlet that returns one per tenant; None when nobody exported it or it came empty.

        None also where exports of several organisations lie together: which of them it would be of, nobody knows.
        """
        found = self.objects(cmdlet)
        return found[-1] if found and not any(_of_another(each, found[-1]) for each in found) else None

    def organisations(self) -> tuple[str, ...]:
        """Name the organisations whose configurations lie together, at least two; none where it is one, as it should be."""
        held = self.objects("Get-OrganizationConfig") or ()
        initial = [
            item for item in self.objects("Get-AcceptedDomain") or () if flag(item, "InitialDomain") is True
        ]
        for found, name in ((held, "Name"), (initial, "DomainName")):
            if any(_of_another(each, found[-1]) for each in found):
                return tuple(dict.fromkeys(str(each.properties.get(name) or each.origin) for each in found))
        return ()

    def complete(self, cmdlet: str) -> bool:
        """Tell whether the cmdlet was exported and not known to be cut."""
        answer = self._answers.get(cmdlet)
        return answer is not None and answer.complete

    def origin(self, cmdlet: str) -> Origin | None:
        """Give the document that holds a cmdlet's answer."""
        answer = self._answers.get(cmdlet)
        return answer.origin if answer else None

    def cmdlets(self) -> frozenset[str]:
        """Name the cmdlets whose answers are here."""
        return frozenset(self._answers)


def _of_another(one: ConfigObject, other: ConfigObject) -> bool:
    """Tell whether two objects, of which an organisation has one, are two's: by the first that both are known by."""
    for name in ("Guid", "Identity", "Name", "DomainName"):
        mine, theirs = one.properties.get(name), other.properties.get(name)
        if mine and theirs:
            return str(mine).lower() != str(theirs).lower()
    return False


def prop(item: ConfigObject | Mapping[str, object], name: str) -> object:
    """Give a property, None when it is there without a value, ABSENT when the export lacks it."""
    properties = item.properties if isinstance(item, ConfigObject) else item
    return properties.get(name, ABSENT)


def flag(item: ConfigObject, name: str) -> bool | Absent | None:
    """Give a Boolean property; texts ``True`` and ``False`` of CSV exports count. Anything else is ABSENT."""
    value = prop(item, name)
    if isinstance(value, bool) or value is None or isinstance(value, Absent):
        return value
    if isinstance(value, str) and value.strip().lower() in {"true", "false", "$true", "$false"}:
        return value.strip().lower().endswith("true")
    if isinstance(value, str) and not value.strip():
        return None
    return ABSENT


def texts(item: ConfigObject, name: str) -> tuple[str, ...] | None:
    """Give a list property as texts; a bare value is a list of one, null an empty list, absent None."""
    value = prop(item, name)
    if isinstance(value, Absent):
        return None
    if value is None or value == "":
        return ()
    if isinstance(value, list | tuple):
        return tuple(str(entry) for entry in value if entry is not None and str(entry) != "")
    return (str(value),)


@dataclass(frozen=True, slots=True)
class AcceptedDomain:
    """
    A domain of the tenant.

    match_subdomains:  MatchSubDomains, or None where it is not known.
    shared:            whether it is of a relay type: some or all of its mailboxes are in another system.
    Source: Set-AcceptedDomain -DomainType.
    """

    name: str
    match_subdomains: bool | None = None
    shared: bool = False
    default: bool = False
    initial: bool = False
    origin: Origin | None = None


@dataclass(frozen=True, slots=True)
class InboundConnector:
    """
    An inbound connector; None in a flag means that the export does not say.

    sender_domains:  patterns as A-labels: ``*``, ``contoso.com``, ``*.contoso.com``.
    addresses:       SenderIPAddresses as CIDR texts.
    certificate:     TlsSenderCertificateName.
    presumed:        True for a connector of a simulated control, which is taken to match as its control says.
    Source: New-InboundConnector; reference exchange-online 1.3.
    """

    name: str
    type: str
    enabled: bool | None = True
    sender_domains: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    certificate: str | None = None
    restrict_to_addresses: bool | None = False
    restrict_to_certificate: bool | None = False
    require_tls: bool | None = False
    cloud_services_mail: bool | None = False
    treat_as_internal: bool | None = False
    associated_domains: tuple[str, ...] = ()
    source: str | None = None
    skip_last_ip: bool | None = False
    skip_ips: tuple[str, ...] = ()
    presumed: bool = False
    origin: Origin | None = None

    @property
    def partner(self) -> bool:
        """Tell whether it is of type Partner."""
        return self.type.lower() == "partner"

    @property
    def identifies(self) -> bool:
        """Tell whether it names addresses or a certificate at all, rather than sender domains alone."""
        return bool(self.addresses or self.certificate)

    @property
    def restricts(self) -> bool:
        """Tell whether mail of the domains it covers must come from its addresses or with its certificate."""
        return bool(
            (self.restrict_to_addresses and self.addresses)
            or (self.restrict_to_certificate and self.certificate)
        )

    @property
    def unreadable(self) -> bool:
        """Tell whether the export lacks a Restrict flag, or a simulated lock has nothing to restrict to."""
        return self.restrict_to_addresses is None or self.restrict_to_certificate is None

    def covers(self, domain: str) -> bool:
        """Tell whether SenderDomains cover a P1 domain. Source: New-InboundConnector -SenderDomains."""
        return any(
            pattern == "*"
            or (domain.endswith(pattern[1:]) if pattern.startswith("*.") else domain == pattern)
            for pattern in self.sender_domains
        )


@dataclass(frozen=True, slots=True)
class MailRule:
    """
    A mail flow rule on anonymous mail in the own name that a simulated control makes.

    enforced:    whether it quarantines; in audit mode it only reports.
    exceptions:  last hops that it leaves alone, CIDR texts.
    """

    enforced: bool
    exceptions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SpoofPair:
    """
    A spoof pair of the Tenant Allow/Block List that a simulated control makes.

    sender:          a From address, or ``*``.
    infrastructure:  a domain of reverse names or signatures, or an IPv4 /24 as CIDR text.
    """

    sender: str
    infrastructure: str
    allow: bool


@dataclass(frozen=True)
class Settings:
    """
    What decides over a message. None always means that the evidence does not say.

    accepted_domains:     the tenant's domains; empty when neither the exports nor the configuration name any.
    domains_exported:     whether Get-AcceptedDomain was exported, so the list is whole.
    inbound_connectors:   None when Get-InboundConnector was not exported.
    added, removed:       connectors that simulated controls add, and names (lower case) of those they switch off.
    reject_direct_send:   null counts as off (never configured); None when the property was not exported.
    smtp_auth_disabled:   the organisation's SmtpClientAuthenticationDisabled.
    smtp_auth_mailboxes:  by mailbox: SmtpClientAuthenticationDisabled, None = inherits; only mailboxes that were exported.
    smtp_auth_protocols:  by mailbox: ``basic`` or ``oauth``, where a report shows it.
    smtp_auth_clients:    by mailbox that a report or sign-ins show to use SMTP AUTH: its client addresses, each with
                          ``basic``, ``oauth`` or None; no addresses where only the report showed it.
    smtp_auth_off_for:    mailboxes for which a simulated control closes SMTP AUTH; empty for all; None for no control.
    smtp_basic_off:       whether the Basic form of SMTP AUTH is closed.
    mail_rule, spoof_pairs: what simulated controls make of both kinds.
    spoof_action:         what every anti-phishing policy does with mail that fails authentication, ``Quarantine`` or
                          ``MoveToJmf``; None where they differ or were not exported.
    dns:                  the recorded answers by which published records are judged.
    policies:             DMARC policy by domain that a simulated control publishes.
    spf_records:          SPF record by domain that a simulated control publishes.
    spf_without:          terms by domain that a simulated control takes out of the published SPF record.
    dkim:                 by domain, whether a simulated control makes the signatures in its name verify, or fail.
    moves:                networks whose mail a simulated control has come from another address, with that address.
    allowed_addresses:    the IPAllowList of the connection filters: networks whose mail is not filtered.
    gateway_networks:     where mail comes from when it enters through the organisation's gateway.
    gateway_connectors:   names, in lower case, of connectors that other people's mail of no known address comes by.
    gateway_seen:         those of them from which other people's mail was seen to arrive: connectors say nothing here.
    """

    accepted_domains: tuple[AcceptedDomain, ...] = ()
    domains_exported: bool = False
    inbound_connectors: tuple[InboundConnector, ...] | None = None
    added: tuple[InboundConnector, ...] = ()
    removed: frozenset[str] = frozenset()
    reject_direct_send: bool | None = None
    smtp_auth_disabled: bool | None = None
    smtp_auth_mailboxes: Mapping[str, bool | None] = field(default_factory=dict)
    smtp_auth_protocols: Mapping[str, str] = field(default_factory=dict)
    smtp_auth_clients: Mapping[str, Mapping[str, str | None]] = field(default_factory=dict)
    smtp_auth_off_for: frozenset[str] | None = None
    smtp_basic_off: bool = False
    policies: Mapping[str, str] = field(default_factory=dict)
    spf_records: Mapping[str, str] = field(default_factory=dict)
    spf_without: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    dkim: Mapping[str, bool] = field(default_factory=dict)
    moves: tuple[tuple[str, str], ...] = ()
    mail_rule: MailRule | None = None
    spoof_pairs: tuple[SpoofPair, ...] = ()
    spoof_action: str | None = None
    dns: Dns = field(default_factory=Dns, compare=False)
    allowed_addresses: tuple[str, ...] = ()
    gateway_networks: tuple[str, ...] = ()
    gateway_connectors: tuple[str, ...] = ()
    gateway_seen: tuple[str, ...] = ()
    mx_at_microsoft: bool | None = None

    def accepted(self, domain: str) -> bool | None:
        """
        Tell whether a P1 domain counts as accepted.

        None where nobody knows: below an accepted domain with MatchSubDomains, of which Microsoft does not say
        whether RejectDirectSend follows it, or below one whose MatchSubDomains was not exported.
        Source: reference exchange-online 2.2 and 2.4; controls catalogue R1 step 6.
        """
        if domain not in self._accepted:
            self._accepted[domain] = self._counts_as_accepted(domain)
        return self._accepted[domain]

    @cached_property
    def _accepted(self) -> dict[str, bool | None]:
        """Keep the answers: every replay asks of the same few domains for every flow."""
        return {}

    def _counts_as_accepted(self, domain: str) -> bool | None:
        below = [held for held in self.accepted_domains if is_at_or_below(domain, held.name)]
        if any(held.name == domain for held in below):
            return True
        if any(held.match_subdomains is not False for held in below):
            return None
        return False

    def names_us(self, domain: str | None) -> bool:
        """Tell whether a domain is ours or below ours, so that mail under it claims to be the organisation's."""
        if not domain:
            return False
        if domain not in self._ours:
            self._ours[domain] = any(is_at_or_below(domain, held.name) for held in self.accepted_domains)
        return self._ours[domain]

    @cached_property
    def _ours(self) -> dict[str, bool]:
        return {}

    @cached_property
    def connectors(self) -> tuple[InboundConnector, ...]:
        """Give the inbound connectors in force, exported and simulated; those that are off included."""
        exported = tuple(
            replace(held, enabled=False) if held.name.lower() in self.removed else held
            for held in self.inbound_connectors or ()
        )
        return exported + self.added

    @cached_property
    def by_address(self) -> NetworkMap[InboundConnector]:
        """Index the connectors that are on by the addresses they list."""
        return NetworkMap(
            (parse_network(text), held)
            for held in self.connectors
            if held.enabled is not False
            for text in held.addresses
        )

    @cached_property
    def locks(self) -> tuple[InboundConnector, ...]:
        """Give the Partner connectors that are on and restrict, or may restrict, what they cover."""
        return tuple(
            held
            for held in self.connectors
            if held.enabled is not False and held.partner and (held.unreadable or held.restricts)
        )

    @cached_property
    def _by_name(self) -> Mapping[str, InboundConnector]:
        return {held.name.lower(): held for held in reversed(self.connectors)}

    def connector(self, name: str) -> InboundConnector | None:
        """Find an inbound connector by name, as Exchange compares names: without regard to case."""
        return self._by_name.get(name.lower())

    def with_connector(self, connector: InboundConnector) -> Settings:
        """Give settings with one more connector, which replaces an added one of the same name."""
        kept = tuple(held for held in self.added if held.name.lower() != connector.name.lower())
        return replace(self, added=(*kept, connector))


def sender_domain(text: str) -> str:
    """
    Read an item of SenderDomains: ``smtp:contoso.com;1``, ``*.contoso.com``, ``*``; gives the pattern as A-labels.

    Source: reference exchange-online 1.3, as exports write it.
    """
    pattern = text.strip().removeprefix("smtp:").removeprefix("SMTP:").partition(";")[0].strip()
    if pattern.startswith("*."):
        return "*." + a_label(pattern[2:])
    return pattern if pattern == "*" else a_label(pattern)


def read_connector(item: ConfigObject) -> InboundConnector:
    """Read one object of Get-InboundConnector."""

    def known(name: str) -> bool | None:
        value = flag(item, name)
        # null is "never set", and every one of these defaults to off; absent is not known.
        return None if isinstance(value, Absent) else bool(value)

    certificate = prop(item, "TlsSenderCertificateName")
    enabled = flag(item, "Enabled")
    return InboundConnector(
        name=str(item.properties.get("Name") or item.properties.get("Identity") or ""),
        type=str(item.properties.get("ConnectorType") or ""),
        enabled=None if isinstance(enabled, Absent) else enabled is not False,
        sender_domains=tuple(sender_domain(text) for text in texts(item, "SenderDomains") or ()),
        addresses=tuple(_networks(texts(item, "SenderIPAddresses") or ())),
        certificate=str(certificate) if isinstance(certificate, str) and certificate.strip() else None,
        restrict_to_addresses=known("RestrictDomainsToIPAddresses"),
        restrict_to_certificate=known("RestrictDomainsToCertificate"),
        require_tls=known("RequireTls"),
        cloud_services_mail=known("CloudServicesMailEnabled"),
        treat_as_internal=known("TreatMessagesAsInternal"),
        associated_domains=tuple(a_label(text) for text in texts(item, "AssociatedAcceptedDomains") or ()),
        source=str(item.properties["ConnectorSource"]) if item.properties.get("ConnectorSource") else None,
        skip_last_ip=known("EFSkipLastIP"),
        skip_ips=texts(item, "EFSkipIPs") or (),
        origin=item.origin,
    )


def _networks(entries: Iterable[str]) -> Iterable[str]:
    for entry in entries:
        try:
            yield from (str(network) for network in parse_range(entry))
        except ValueError:
            continue


def read_settings(tenant: Tenant, accepted_domains: Iterable[str] = ()) -> Settings:
    """
    Read the settings that decide over messages from exported objects.

    accepted_domains:  domains named by configuration, added to those exported; their MatchSubDomains is not known
                       unless the export names them too.
    """
    exported = tenant.objects("Get-AcceptedDomain")
    domains: dict[str, AcceptedDomain] = {}
    for item in exported or ():
        name = a_label(str(item.properties.get("DomainName") or item.properties.get("Name") or ""))
        if name:
            matching = flag(item, "MatchSubDomains")
            domains[name] = AcceptedDomain(
                name=name,
                # null is Exchange's way to write the default, which is off.
                match_subdomains=None if isinstance(matching, Absent) else bool(matching),
                shared=prop(item, "DomainType") in {"InternalRelay", "ExternalRelay"},
                default=flag(item, "Default") is True,
                initial=flag(item, "InitialDomain") is True,
                origin=item.origin,
            )
    for text in accepted_domains:
        domains.setdefault(a_label(text), AcceptedDomain(a_label(text)))

    connectors = tenant.objects("Get-InboundConnector")
    organisation = tenant.single("Get-OrganizationConfig")
    transport = tenant.single("Get-TransportConfig")
    reject = flag(organisation, "RejectDirectSend") if organisation else ABSENT
    disabled = flag(transport, "SmtpClientAuthenticationDisabled") if transport else ABSENT
    mailboxes: dict[str, bool | None] = {}
    for item in tenant.objects("Get-CASMailbox") or ():
        value = flag(item, "SmtpClientAuthenticationDisabled")
        address = item.properties.get("PrimarySmtpAddress")
        if isinstance(address, str) and not isinstance(value, Absent):
            mailboxes[address.strip().lower()] = value
    uses = (*(tenant.objects(REPORT) or ()), *(tenant.objects(SIGN_INS) or ()))
    return Settings(
        accepted_domains=tuple(domains.values()),
        domains_exported=exported is not None,
        inbound_connectors=None if connectors is None else tuple(map(read_connector, connectors)),
        reject_direct_send=None if isinstance(reject, Absent) else bool(reject),
        smtp_auth_disabled=None if isinstance(disabled, Absent) else disabled,
        smtp_auth_mailboxes=mailboxes,
        smtp_auth_protocols=protocols(uses),
        smtp_auth_clients=clients(uses),
        spoof_action=_spoof_action(tenant),
        allowed_addresses=tuple(
            network
            for policy in tenant.objects("Get-HostedConnectionFilterPolicy") or ()
            for network in _networks(texts(policy, "IPAllowList") or ())
        ),
    )


def _spoof_action(tenant: Tenant) -> str | None:
    """Give what all anti-phishing policies do with a spoof. Source: reference exchange-online 5.2, enforcement matrix."""
    policies = tenant.objects("Get-AntiPhishPolicy") or ()
    acting = all(flag(item, "EnableSpoofIntelligence") is True for item in policies)
    actions = {str(prop(item, "AuthenticationFailAction")) for item in policies}
    single = actions.pop() if len(actions) == 1 and acting else None
    return single if single in {"Quarantine", "MoveToJmf"} else None
