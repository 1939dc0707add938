"""The lock at the gateway: one list of every address from which mail may still come straight to the tenant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from portero.core.address import exact_network, parse_network
from portero.core.evidence import ConfigObject
from portero.core.exchange.attribution import within
from portero.core.exchange.new_connector import connector_blocks
from portero.core.exchange.settings import InboundConnector, Settings, Tenant
from portero.core.sender import Kind, Sender
from portero.core.ways_in import Way, addresses, listable, meet_neighbours, unasked, way_in

# What the connector is called that the plan makes.
LOCK_NAME = "portero only via gateway"


@dataclass(frozen=True, slots=True)
class Lock:
    """
    A lock to be put in place.

    control:    as the contract writes it.
    ranges:     the gateway's ranges and the addresses of sources that stay direct, CIDR texts.
    direct:     ids of the senders that stay direct.
    guessed:    those of `ranges` that are only the networks of gateway servers that were seen.
    unvouched:  addresses in `ranges` of machines that wait for their owner's word, by sender id.
    standing:   the connector that is such a lock already and is off, by name; `lacking` of `ranges` is not in its list.
    """

    control: str
    ranges: tuple[str, ...]
    direct: tuple[str, ...]
    guessed: tuple[str, ...] = ()
    unvouched: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    standing: str | None = None
    lacking: tuple[str, ...] = ()


def find_lock(senders: Sequence[Sender], settings: Settings) -> Lock | None:
    """
    Draw up the lock; None without a gateway, with a lock already there, or with ranges no connector can hold.

    Sources that stay direct stand in the same list, because Microsoft does not say whether a second Partner connector
    wins over the lock.
    Source: reference exchange-online 1.6; controls catalogue CON-01 and CON-11.
    """
    seen = settings.gateway_networks or tuple(
        exact_network(address)
        for sender in senders
        if sender.kind is Kind.GATEWAY and sender.legitimate
        for address in addresses(sender.flows)
        if listable(address)
    )
    # A lock that is off is one that somebody is proving: its list is believed, and completed by what was seen beside it.
    standing = next((held for held in settings.connectors if held.enabled is False and _is_lock(held)), None)
    listed = standing.addresses if standing else ()
    gateway = (*listed, *(network for network in seen if not _touches(network, listed)))
    if not seen or _locked(settings) or connector_blocks(gateway) is None:
        return None
    neighbours = meet_neighbours(senders)
    direct = {
        sender.id: tuple(
            exact_network(address)
            for address in addresses(sender.flows)
            if listable(address) and not within(address, gateway)
        )
        for sender in senders
        if sender.legitimate and _stays_direct(sender, way_in(sender, sender.flows, neighbours))
    }
    ranges = tuple(dict.fromkeys((*gateway, *sorted({each for held in direct.values() for each in held}))))
    by_id = {sender.id: sender for sender in senders}
    stated = {network for held in settings.connectors for network in held.addresses}
    return Lock(
        "lock-gateway=" + ",".join(ranges),
        ranges,
        tuple(sorted(identity for identity in direct if direct[identity])),
        guessed=tuple(network for network in gateway if network not in stated),
        unvouched={each: held for each, held in sorted(direct.items()) if held and not unasked(by_id[each])},
        standing=standing.name if standing else None,
        lacking=tuple(network for network in ranges if not _touches(network, listed)) if standing else (),
    )


def connector_of(tenant: Tenant, name: str) -> ConfigObject | None:
    """Find the exported inbound connector of that name, as Exchange compares names."""
    held = tenant.objects("Get-InboundConnector") or ()
    return next((item for item in held if str(item.properties.get("Name")).lower() == name.lower()), None)


def _touches(network: str, ranges: Sequence[str]) -> bool:
    held = parse_network(network)
    return any(held.version == other.version and held.overlaps(other) for other in map(parse_network, ranges))


def _stays_direct(sender: Sender, way: Way) -> bool:
    machine = any(flow.key.direction != "originating" for flow in sender.flows)
    return machine and way in {Way.CONNECTOR, Way.HYBRID}


def _locked(settings: Settings) -> bool:
    return any(
        held.enabled is not False
        and (_is_lock(held) or (_for_everybody(held) and held.restrict_to_certificate and held.certificate))
        for held in settings.connectors
    )


def _is_lock(held: InboundConnector) -> bool:
    return _for_everybody(held) and held.restrict_to_addresses is True and bool(held.addresses)


def _for_everybody(held: InboundConnector) -> bool:
    return held.partner and "*" in held.sender_domains
