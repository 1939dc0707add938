"""Connectors designed: the smallest set of ranges that admits every machine to keep, and nobody undecided or abusive."""

from __future__ import annotations

import ipaddress
import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from portero.core.address import NetworkMap, exact_network, lies_in, neighbourhood
from portero.core.controls import parse_control
from portero.core.exchange.attribution import EXCHANGE_NETWORKS, within
from portero.core.exchange.new_connector import connector_blocks
from portero.core.exchange.settings import Settings
from portero.core.flow import Flow
from portero.core.register import KnownNetwork
from portero.core.sender import Judgement, Kind, Sender
from portero.core.simulate import Replay
from portero.core.simulation import Effect, SenderEffect
from portero.core.text import Text, count
from portero.core.ways_in import (
    Neighbours,
    Way,
    addresses,
    listable,
    meet_neighbours,
    moving,
    must_keep,
    vouched,
    way_in,
)

# What a connector can list. Source: reference exchange-online 1.3 (SenderIPAddresses).
_WIDEST = 24
# Uses of a network that make it the organisation's own, so that a range may be wider there than what was seen.
_OWN_USES = frozenset({"devices", "applications", "relay"})
# Names that large hosting providers give to addresses which they hand to somebody else tomorrow.
_RENTED = re.compile(
    r"(amazonaws|compute\.internal|cloudapp|azure|googleusercontent|digitalocean|linode|vultr|hetzner|"
    r"your-server|ovh|scaleway|contabo|oraclecloud|alibaba|tencent)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Range:
    """
    One range of a connector.

    network:    IPv4 CIDR text, /24 to /32.
    senders:    ids of the senders to keep for which it is made.
    addresses:  how many addresses it admits; seen is how many of them sent for these senders.
    besides:    ids of other legitimate senders that were seen from it, and would be admitted too.
    place:      the known network that it lies in, or None.
    cautions:   what somebody has to make sure of.
    """

    network: str
    senders: tuple[str, ...]
    addresses: int
    seen: int
    besides: tuple[str, ...] = ()
    place: str | None = None
    cautions: tuple[Text, ...] = ()


@dataclass(frozen=True, slots=True)
class Connector:
    """
    One inbound connector to make.

    type:         ``Partner``, which admits to the organisation alone; or ``OnPremises``, which also relays to anybody.
    certificate:  the name by which it would match better than by address, where the machines can present one.
    control:      what it does, as the contract writes it.
    """

    name: str
    type: str
    ranges: tuple[Range, ...]
    certificate: str | None
    why: Text

    @property
    def control(self) -> str:
        """Give the connector as a control of the contract."""
        return "allow=" + ",".join(each.network for each in self.ranges)

    @property
    def senders(self) -> tuple[str, ...]:
        """Name the senders it is made for."""
        return tuple(sorted({sender for each in self.ranges for sender in each.senders}))


@dataclass(frozen=True, slots=True)
class Unhelped:
    """A sender to keep that no connector can help: why, and what it needs instead."""

    sender: str
    why: Text
    instead: Text


@dataclass(frozen=True, slots=True)
class Design:
    """
    The connectors, and who cannot have one.

    connectors:  Partner before OnPremises, at most one of each.
    mails:       recorded mails that Reject Direct Send would refuse, or leave in doubt, without the connectors and keeps
                 with them, by the replay.
    proving:     ids of the legitimate senders that are in doubt only because nobody saw their envelope sender; they need a
                 connector if it is the organisation's.
    """

    connectors: tuple[Connector, ...] = ()
    unhelped: tuple[Unhelped, ...] = ()
    mails: int = 0
    proving: frozenset[str] = frozenset()

    @property
    def admitted(self) -> frozenset[str]:
        """Name the senders that the connectors admit."""
        return frozenset(sender for each in self.connectors for sender in each.senders)


@dataclass(frozen=True, slots=True)
class _Need:
    """A sender to keep, the flows that Reject Direct Send does not simply keep, and their mails."""

    sender: Sender
    flows: tuple[Flow, ...]
    mails: int


def design(replay: Replay, networks: Sequence[KnownNetwork] = ()) -> Design:
    """
    Design the connectors that let Direct Send be refused.

    networks:  places that the configuration knows.
    A range is an address alone, or a full block of addresses that all have to be admitted; only inside a network of
    the organisation may it be wider than what was seen, and never over an address of anybody who is undecided, abusive
    or no machine of the organisation. What the replay does not keep for certain is not called admitted.
    Source: controls catalogue DS-03; reference exchange-online 1.3 to 1.5, 2.4 and 3.3.
    """
    needs, proving = _needs(replay)
    neighbours = meet_neighbours(replay.senders)
    own = _own_networks(networks)
    ways = {
        each.sender.id: way_in(each.sender, each.flows, neighbours, followed=_within(each, own))
        for each in needs
    }
    held = [each for each in needs if _has_own_addresses(each, ways[each.sender.id], neighbours)]
    while True:
        connectors = _connectors(held, replay, own, neighbours)
        unkept = _unkept(connectors, replay, {each.sender.id for each in held})
        if not unkept:
            break
        held = [each for each in held if each.sender.id not in unkept]
    admitted = {each.sender.id for each in held}
    unhelped = tuple(
        Unhelped(each.sender.id, *_unhelped(each, ways[each.sender.id], neighbours, replay.senders))
        for each in needs
        if each.sender.id not in admitted
    )
    return Design(connectors, unhelped, sum(each.mails for each in held), proving)


_Own = tuple[ipaddress.IPv4Network, KnownNetwork]


def _own_networks(networks: Sequence[KnownNetwork]) -> tuple[_Own, ...]:
    return tuple(
        (network, place)
        for place in networks
        if place.use in _OWN_USES
        for network in place.networks
        if isinstance(network, ipaddress.IPv4Network)
    )


def _within(need: _Need, own: Sequence[_Own]) -> bool:
    """Tell whether all of a sender's addresses lie in networks of the organisation."""
    return all(any(_any_in((address,), network) for network, _ in own) for address in addresses(need.flows))


def _needs(replay: Replay) -> tuple[list[_Need], frozenset[str]]:
    reject = parse_control("reject-direct-send")
    today = {each.sender: each for each in replay.of(()).senders}
    then = {each.sender: each for each in replay.of((reject,)).senders}
    found, proving = [], set()
    for sender, decisions in replay.decisions((reject,)):
        worse = _worse(then[sender.id], today[sender.id]) if must_keep(sender) else 0
        if worse:
            held = [
                (flow, decision)
                for flow, decision in zip(sender.flows, decisions, strict=True)
                if decision.effect is not Effect.KEPT
            ]
            # Refused unless the envelope sender that only a summary saw is foreign after all.
            by_envelope = all(
                decision.effect is Effect.REFUSED and not replay.surely_refused(sender, flow, decision)
                for flow, decision in held
            )
            if by_envelope and sender.legitimate:
                proving.add(sender.id)
            else:
                found.append(_Need(sender, tuple(flow for flow, _ in held), worse))
    return sorted(found, key=lambda each: (-each.sender.mails, each.sender.id)), frozenset(proving)


def _worse(then: SenderEffect, today: SenderEffect) -> int:
    return (then.refused + then.undetermined) - (today.refused + today.undetermined)


def _has_own_addresses(need: _Need, way: Way, neighbours: Neighbours) -> bool:
    """Tell whether a connector by address would admit this sender and nobody who is not to be admitted."""
    if not need.flows or way not in {Way.CONNECTOR, Way.HYBRID}:
        return False
    held = [flow.key.client_ip for flow in need.flows]
    return all(address and listable(address) and address not in neighbours.strangers for address in held)


def _connectors(
    needs: Sequence[_Need], replay: Replay, own: Sequence[_Own], neighbours: Neighbours
) -> tuple[Connector, ...]:
    # An address of a server that relays is in its connector already; a second one for it would only overlap.
    relaying = {address for each in needs if _relays(each.sender) for address in addresses(each.flows)}
    made = []
    for relays in (False, True):
        held = [each for each in needs if (not relaying.isdisjoint(addresses(each.flows))) is relays]
        if not held:
            continue
        ranges = _ranges(held, replay, own, neighbours)
        name = "portero hybrid" if relays else "portero direct sources"
        kind = "OnPremises" if relays else "Partner"
        made.append(Connector(name, kind, ranges, _certificate(held, replay.settings, relays), _WHY[relays]))
    return tuple(made)


def _relays(sender: Sender) -> bool:
    """Tell whether a sender needs the type that relays: an Exchange server, or one seen to reach people outside."""
    return sender.kind is Kind.HYBRID or sender.facts.outside > 0


_WHY = {
    False: Text(
        "Partner: the machines reach people inside alone, and this type lets nobody relay to the internet. Without a "
        "Restrict flag Microsoft's documents disagree on whether it identifies a sender: test before anything is refused."
    ),
    True: Text(
        "OnPremises: these servers also relay to people outside. Whoever sends from its ranges may do so too, so prefer "
        "the certificate."
    ),
}


def _certificate(needs: Sequence[_Need], settings: Settings, relays: bool) -> str | None:
    """Give the name under which servers of the organisation call themselves, as its certificate would have it."""
    if not relays and any(each.sender.kind is Kind.DEVICE for each in needs):
        return None
    names = {flow.key.ehlo or "" for each in needs for flow in each.flows}
    if len(names) == 1 and settings.names_us(next(iter(names))):
        return names.pop()
    return None


class _Spots:
    """IPv4 addresses with who sends from each, asked by block."""

    def __init__(self, held: Iterable[tuple[str, Sender]]) -> None:
        spots = sorted(
            (
                (int(ipaddress.IPv4Address(address)), sender.id, sender)
                for address, sender in held
                if ":" not in address
            ),
            key=lambda each: each[:2],
        )
        self._numbers = [number for number, _, _ in spots]
        self._senders = [sender for _, _, sender in spots]

    def within(self, block: ipaddress.IPv4Network) -> list[Sender]:
        """Give who sends from a block, each once."""
        first, last = int(block.network_address), int(block.broadcast_address)
        held = self._senders[bisect_left(self._numbers, first) : bisect_right(self._numbers, last)]
        return list({each.id: each for each in held}.values())


def _ranges(
    needs: Sequence[_Need], replay: Replay, own: Sequence[_Own], neighbours: Neighbours
) -> tuple[Range, ...]:
    wanted = sorted({ipaddress.IPv4Address(address) for each in needs for address in addresses(each.flows)})
    barred = sorted(int(ipaddress.IPv4Address(each)) for each in neighbours.strangers if ":" not in each)
    places = NetworkMap((network, network) for network, _ in own)
    grouped: dict[ipaddress.IPv4Network | None, list[ipaddress.IPv4Address]] = {}
    for address in wanted:
        grouped.setdefault(next(iter(places.covering(str(address))), None), []).append(address)
    blocks = [
        part
        for block in ipaddress.collapse_addresses(map(ipaddress.IPv4Network, grouped.pop(None, [])))
        for part in (block.subnets(new_prefix=_WIDEST) if block.prefixlen < _WIDEST else [block])
    ]
    for held in grouped.values():
        blocks += _cover(held, barred)
    everybody = _Spots((address, each) for each in replay.senders for address in addresses(each.flows))
    by_id = {each.sender.id: each for each in needs}
    return tuple(
        _range(block, by_id, wanted, everybody, replay.settings, own) for block in sorted(set(blocks))
    )


def _cover(held: Sequence[ipaddress.IPv4Address], barred: Sequence[int]) -> list[ipaddress.IPv4Network]:
    """Cover sorted addresses of one own network by the fewest blocks that hold no barred address."""
    block = ipaddress.IPv4Network(held[0])
    while held[-1] not in block:
        block = block.supernet()
    first, last = int(block.network_address), int(block.broadcast_address)
    if block.prefixlen >= _WIDEST and bisect_left(barred, first) == bisect_right(barred, last):
        return [block]
    low, high = block.subnets()
    lower = [each for each in held if each in low]
    return _cover(lower, barred) + _cover([each for each in held if each in high], barred)


def _range(
    block: ipaddress.IPv4Network,
    needs: Mapping[str, _Need],
    wanted: Sequence[ipaddress.IPv4Address],
    everybody: _Spots,
    settings: Settings,
    own: Sequence[_Own],
) -> Range:
    there = everybody.within(block)
    # A sender to keep may stand in the block by mail that needs no connector; that alone is no reason for the range.
    inside = [
        needs[each.id]
        for each in there
        if each.id in needs and _any_in(addresses(needs[each.id].flows), block)
    ]
    meant = {each.sender.id for each in inside}
    place = next((held.name for network, held in own if lies_in(block, network)), None)
    return Range(
        network=str(block),
        senders=tuple(sorted(meant)),
        addresses=block.num_addresses,
        seen=bisect_right(wanted, block.broadcast_address) - bisect_left(wanted, block.network_address),
        besides=tuple(sorted(each.id for each in there if each.legitimate and each.id not in meant)),
        place=place,
        cautions=tuple(_cautions(block, inside, settings, place)),
    )


def _any_in(held: Iterable[str], block: ipaddress.IPv4Network) -> bool:
    return any(":" not in each and ipaddress.IPv4Address(each) in block for each in held)


def _cautions(
    block: ipaddress.IPv4Network, inside: Sequence[_Need], settings: Settings, place: str | None
) -> Iterable[Text]:
    if block.num_addresses > 1 and place is not None:
        yield count(
            "It admits {n} address of “{place}”; let none of them serve guests or leave the organisation.",
            "It admits {n} addresses of “{place}”; let none of them serve guests or leave the organisation.",
            block.num_addresses,
            place=place,
        )
    flows = [flow for each in inside for flow in each.flows if _any_in(addresses((flow,)), block)]
    rented = sorted({name for flow in flows for name in flow.facts.ptr if _RENTED.search(name)})
    if rented:
        yield Text(
            "Its name {name} shows an address of a hosting provider: list it only while it is reserved for you.",
            name=rented[0],
        )
    behaving = [each.sender.label for each in inside if not vouched(each.sender)]
    if behaving:
        yield Text(
            "Only their behaviour speaks for {senders}, which a patient forger can imitate: have the owner confirm the "
            "address before you list it.",
            senders=tuple(behaving),
        )
    changed = [each.sender.label for each in inside if each.sender.unlike_itself]
    if changed:
        yield Text(
            "Part of the mail from {senders} is unlike it: ask its owner whether somebody else uses the address before you "
            "list it.",
            senders=tuple(changed),
        )
    listed = sorted(
        {
            held.name
            for address in addresses(flows)
            for held in settings.by_address.covering(address)
            if not held.presumed
        }
    )
    if listed:
        yield Text(
            "Connector “{name}” lists part of it already: mend that one rather than make a second.",
            name=listed[0],
        )


def _unkept(connectors: Sequence[Connector], replay: Replay, held: set[str]) -> set[str]:
    """Name the senders that the connectors do not keep for certain, by the replay."""
    if not connectors:
        return set(held)
    controls = tuple(
        parse_control(text) for text in (*(each.control for each in connectors), "reject-direct-send")
    )
    today = {each.sender: each for each in replay.of(()).senders}
    return {
        each.sender
        for each in replay.of(controls).senders
        if each.sender in held and _worse(each, today[each.sender])
    } | {
        sender
        for each in connectors
        if connector_blocks([block.network for block in each.ranges]) is None
        for sender in each.senders
    }


def _unhelped(need: _Need, way: Way, neighbours: Neighbours, senders: Sequence[Sender]) -> tuple[Text, Text]:
    sender = need.sender
    if sender.judgement is Judgement.UNDECIDED:
        return Text("Nobody has decided whether it is wanted."), Text("Answer the question about it first.")
    if way is Way.RETURN_PATH:
        return (
            Text("Its addresses serve every customer of the vendor, so a connector would admit all of them."),
            Text(
                "A return-path of the vendor on a sub-domain that is no accepted domain, with SPF and DKIM."
            ),
        )
    if way is Way.FORWARDER:
        return (
            Text("It forwards what others send, so a connector would admit whatever reaches it."),
            Text("Rewriting of the envelope sender (SRS) at the forwarder, or a loss that the owner signs."),
        )
    if way is Way.GATEWAY:
        return (
            Text("It is the gateway: its ranges belong in the lock, not in a connector for direct sources."),
            Text("The lock by the gateway's ranges or certificate."),
        )
    return _by_address(need, neighbours, senders), Text(
        "A relay inside, SMTP AUTH with OAuth, or High Volume Email; see its migration."
    )


def _by_address(need: _Need, neighbours: Neighbours, senders: Sequence[Sender]) -> Text:
    held = [flow.key.client_ip for flow in need.flows]
    if not all(held) or not held:
        return Text("The evidence does not show from which address it sends.")
    known = [each for each in held if each]
    version_6 = [each for each in known if ":" in each]
    if version_6:
        return Text("A connector lists no IPv6 address, and it sends from {address}.", address=version_6[0])
    tenants = [each for each in known if within(each, EXCHANGE_NETWORKS)]
    if tenants:
        return Text(
            "{address} is Exchange Online's own, from which every other organisation's mail leaves too.",
            address=tenants[0],
        )
    private = [each for each in known if not listable(each)]
    if private:
        return Text(
            "{address} is an address inside, by which Exchange Online sees nobody.", address=private[0]
        )
    shared = [each for each in known if each in neighbours.strangers]
    if shared:
        others = [
            each.label
            for each in senders
            if each.id != need.sender.id and shared[0] in addresses(each.flows) and not _own_machine(each)
        ]
        return Text(
            "{address} also sends for {others}, and an address cannot tell them apart.",
            address=shared[0],
            others=tuple(others) or (need.sender.label,),
        )
    abused = [each for each in known if neighbourhood(each) in neighbours.abused]
    if abused:
        return Text(
            "Abuse comes from its network {network} too, so its address may be anybody's tomorrow.",
            network=neighbourhood(abused[0]),
        )
    if moving(need.flows):
        return count(
            "It was at {n} address, one after the other: when it moves again, no connector knows it.",
            "It was at {n} addresses, one after the other: when it moves again, no connector knows it.",
            len(set(known)),
        )
    passing = [each for each in known if each in neighbours.passing]
    if passing:
        return Text(
            "Mail under its name comes from one address of its provider after the other, {address} among them: when it moves "
            "again, no connector knows it.",
            address=passing[0],
        )
    if need.sender.kind is Kind.MAILBOX:
        return Text("It is people's mail, which belongs into mailboxes.")
    return Text(
        "The address {network} looks dynamic, or the replay does not keep its mail for certain.",
        network=exact_network(known[0]),
    )


def _own_machine(sender: Sender) -> bool:
    return sender.legitimate and sender.kind in {Kind.DEVICE, Kind.APPLICATION, Kind.HYBRID}
