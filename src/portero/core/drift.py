"""How a tenant's configuration changed between two exports, in terms of mail, and who changed it where the log tells."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from portero.core.address import IPNetwork, lies_in, parse_network, parse_range
from portero.core.evidence import ConfigObject, Origin
from portero.core.exchange.audit_log import LogEntry, trust_changes
from portero.core.exchange.change import noun_of
from portero.core.exchange.powershell import identity
from portero.core.exchange.settings import Tenant
from portero.core.sender import Judgement, Sender
from portero.core.text import Text, count

# Cmdlets whose answers decide over mail; mailboxes and reports change daily and are none of them.
_WATCHED = (
    "Get-AcceptedDomain", "Get-AntiPhishPolicy", "Get-AntiPhishRule", "Get-ArcConfig", "Get-AuthenticationPolicy",
    "Get-ATPProtectionPolicyRule", "Get-DkimSigningConfig", "Get-EOPProtectionPolicyRule", "Get-ExternalInOutlook",
    "Get-HostedConnectionFilterPolicy", "Get-HostedContentFilterPolicy", "Get-HostedContentFilterRule",
    "Get-HostedOutboundSpamFilterPolicy", "Get-InboundConnector", "Get-MalwareFilterPolicy", "Get-OrganizationConfig",
    "Get-OutboundConnector", "Get-QuarantinePolicy", "Get-RemoteDomain", "Get-SafeAttachmentPolicy", "Get-SafeLinksPolicy",
    "Get-TenantAllowBlockListItems", "Get-TenantAllowBlockListSpoofItems", "Get-TransportConfig", "Get-TransportRule",
)  # fmt: skip
# Properties that Exchange changes by itself.
_RESTLESS = frozenset(
    {
        "AdminDisplayName", "DistinguishedName", "ExchangeVersion", "Guid", "Id", "Identity", "ImmutableId", "IsValid",
        "LastChecked", "LastModifiedBy", "LastUsedDate", "LastValidationTimestamp", "ObjectState", "OrganizationId",
        "OriginatingServer", "WhenChanged", "WhenChangedUTC", "WhenCreated", "WhenCreatedUTC",
    }
)  # fmt: skip
_ADDRESSES = ("SenderIPAddresses", "IPAllowList", "EFSkipIPs", "SenderIpRanges")
_SHOWN = 100


@dataclass(frozen=True, slots=True)
class Drift:
    """
    One difference.

    what:    a clause without a full stop.
    who, day: of the newest change of this object in the audit log, or None where the log does not tell.
    """

    cmdlet: str
    name: str
    field: str | None
    what: Text
    who: str | None
    day: str | None
    origins: tuple[Origin, ...]

    @property
    def sentence(self) -> Text:
        """Give the clause with who did it, as far as the audit log tells."""
        if self.who is None:
            return self.what
        return Text("{what} ({who}, {day})", what=self.what, who=self.who, day=self.day)


def drift(before: Tenant, after: Tenant, senders: Iterable[Sender] = ()) -> tuple[Drift, ...]:
    """
    Compare two exports; what either lacks is not compared, for its absence is no change.

    senders:  the inventory, to say who sits in ranges that a connector admits now.
    """
    log = trust_changes(after)
    abusive = [
        parse_network(text)
        for sender in senders
        if sender.judgement is Judgement.ABUSE
        for text in sender.client_networks
    ]
    found: list[Drift] = []
    for cmdlet in _WATCHED:
        if not (before.complete(cmdlet) and after.complete(cmdlet)):
            continue
        old, new = _by_name(before, cmdlet), _by_name(after, cmdlet)
        for name in dict.fromkeys((*old, *new)):
            found += _object(cmdlet, name, old.get(name), new.get(name), log, abusive)
    return tuple(found)


def _by_name(tenant: Tenant, cmdlet: str) -> dict[str, ConfigObject]:
    return {_key(item): item for item in tenant.objects(cmdlet) or ()}


def _key(item: ConfigObject) -> str:
    """Tell an object by its name, or by what it says where it has none."""
    pair = item.properties.get("SpoofedUser"), item.properties.get("SendingInfrastructure")
    if any(pair):
        return " ".join(str(part or "?") for part in pair)
    return str(item.properties.get("Value") or identity(item))


def _object(
    cmdlet: str,
    name: str,
    old: ConfigObject | None,
    new: ConfigObject | None,
    log: tuple[LogEntry, ...],
    abusive: list[IPNetwork],
) -> Iterator[Drift]:
    noun = noun_of(cmdlet)
    entry = next((each for each in log if _about(each, noun, name)), None)
    origins = tuple(item.origin for item in (old, new) if item is not None)

    def made(property_: str | None, what: Text) -> Drift:
        return Drift(
            cmdlet, name, property_, what, entry.who if entry else None, entry.day if entry else None, origins
        )

    if old is None:
        yield made(None, Text("{noun} “{name}” is new", noun=noun, name=name))
        # What a new object lets in is said as if it had let in nothing before.
        yield from (
            made(field, what)
            for field, what in _admitted(noun, name, {}, new.properties if new else {}, abusive)
        )
        return
    if new is None:
        yield made(None, Text("{noun} “{name}” is gone", noun=noun, name=name))
        return
    before, after = old.properties, new.properties
    yield from (made(field, what) for field, what in _admitted(noun, name, before, after, abusive))
    for field in sorted(before.keys() & after.keys() - _RESTLESS):
        if field in _ADDRESSES or _same(before[field], after[field]):
            continue
        what = Text(
            "{property} of {noun} “{name}” went from {before} to {after}",
            property=field,
            noun=noun,
            name=name,
            before=_said(before[field]),
            after=_said(after[field]),
        )
        if field == "RejectDirectSend":
            what = (
                Text("Reject Direct Send was switched on")
                if after[field] is True
                else Text("Reject Direct Send was switched off: anybody may deliver in our name again")
            )
        yield made(field, what)


def _about(entry: LogEntry, noun: str, name: str) -> bool:
    held = (entry.object, entry.parameters.get("Identity", ""), entry.parameters.get("Name", ""))
    same_noun = entry.cmdlet.partition("-")[2].casefold() == noun.casefold()
    return same_noun and (
        noun in {"OrganizationConfig", "TransportConfig"}
        or any(text.replace("\\", "/").rpartition("/")[2].casefold() == name.casefold() for text in held)
    )


def _admitted(
    noun: str, name: str, before: Mapping[str, object], after: Mapping[str, object], abusive: list[IPNetwork]
) -> Iterator[tuple[str, Text]]:
    for field in _ADDRESSES:
        if field not in after:
            continue
        old, new = _entries(before.get(field)), _entries(after[field])
        for entry in (each for each in new if each not in old):
            networks = _networks(entry)
            number = sum(network.num_addresses for network in networks)
            inside = sum(any(lies_in(each, network) for network in networks) for each in abusive)
            yield (
                field,
                count(
                    "{noun} “{name}” now admits {range}, {n} address, {abusive} of them seen abusing",
                    "{noun} “{name}” now admits {range}, {n} addresses, {abusive} of them seen abusing",
                    number,
                    noun=noun,
                    name=name,
                    range=entry,
                    abusive=inside,
                ),
            )
        for entry in (each for each in old if each not in new):
            yield field, Text("{noun} “{name}” no longer admits {range}", noun=noun, name=name, range=entry)


def _networks(entry: str) -> list[IPNetwork]:
    try:
        return parse_range(entry)
    except ValueError:
        return []


def _entries(value: object) -> tuple[str, ...]:
    if value is None or value == "":
        return ()
    return tuple(map(str, value)) if isinstance(value, list | tuple) else (str(value),)


def _same(before: object, after: object) -> bool:
    """Null and the empty list are one to Exchange; null and false are not, for one was never set."""
    if isinstance(before, list | tuple) or isinstance(after, list | tuple):
        return sorted(_entries(before)) == sorted(_entries(after))
    return before == after or (
        before in {None, ""} and after in {None, ""} if _plain(before, after) else False
    )


def _plain(*values: object) -> bool:
    return all(value is None or isinstance(value, str) for value in values)


def _said(value: object) -> str:
    text = (
        ", ".join(map(str, value))
        if isinstance(value, list | tuple)
        else "null"
        if value is None
        else str(value)
    )
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
