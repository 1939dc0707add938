"""The lock at the gateway: one list of every address from which mail may still come straight to the tenant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from portero.core.address import exact_network
from portero.core.exchange.attribution import within
from portero.core.exchange.new_connector import connector_blocks
from portero.core.exchange.settings import Settings
from portero.core.sender import Kind, Sender
from portero.core.ways_in import Way, addresses, listable, meet_neighbours, way_in


@dataclass(frozen=True, slots=True)
class Lock:
    """
    A lock to be put in place.

    control:  as the contract writes it.
    ranges:   the gateway's ranges and the addresses of sources that stay direct, CIDR texts.
    direct:   ids of the senders that stay direct.
    """

    control: str
    ranges: tuple[str, ...]
    direct: tuple[str, ...]


def find_lock(senders: Sequence[Sender], settings: Settings) -> Lock | None:
    """
    Draw up the lock; None without a gateway, with a lock already there, or with ranges no connector can hold.

    Sources that stay direct stand in the same list, because Microsoft does not say whether a second Partner connector
    wins over the lock.
    Source: reference exchange-online 1.6; controls catalogue CON-01 and CON-11.
    """
    gateway = settings.gateway_networks or tuple(
        exact_network(address)
        for sender in senders
        if sender.kind is Kind.GATEWAY and sender.legitimate
        for address in addresses(sender.flows)
        if listable(address)
    )
    if not gateway or _locked(settings) or connector_blocks(gateway) is None:
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
    return Lock(
        "lock-gateway=" + ",".join(ranges),
        ranges,
        tuple(sorted(identity for identity in direct if direct[identity])),
    )


def _stays_direct(sender: Sender, way: Way) -> bool:
    machine = any(flow.key.direction != "originating" for flow in sender.flows)
    return machine and way in {Way.CONNECTOR, Way.HYBRID}


def _locked(settings: Settings) -> bool:
    return any(
        held.enabled is not False
        and held.partner
        and "*" in held.sender_domains
        and bool(
            (held.restrict_to_addresses and held.addresses)
            or (held.restrict_to_certificate and held.certificate)
        )
        for held in settings.connectors
    )
