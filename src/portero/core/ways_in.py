"""Ways in: how each sender that must be kept can reach the tenant once anonymous mail is refused."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from itertools import pairwise

from portero.core.address import NetworkMap, neighbourhood, parse_network, wide_network
from portero.core.case import ANCHORED
from portero.core.exchange.attribution import EXCHANGE_NETWORKS, within
from portero.core.flow import Flow
from portero.core.sender import DecidedBy, Judgement, Kind, Sender


class Way(StrEnum):
    """Another way in for one sender."""

    CONNECTOR = "connector"  # a Partner connector by addresses that are its own
    AUTHENTICATED = "authenticated"  # a relay with credentials, SMTP AUTH with OAuth, High Volume Email
    RETURN_PATH = "return-path"  # a vendor's envelope sender on a sub-domain that is no accepted domain
    FORWARDER = "forwarder"  # SRS, its own envelope, or a loss that an owner signs
    HYBRID = "hybrid"  # the connector of the organisation's own Exchange servers
    GATEWAY = "gateway"  # in the list of the lock, or a connector for its ranges
    PROOF = "proof"  # none, if its envelope sender is foreign: a better witness has to say so
    DECISION = "decision"  # nobody has decided whether the mail is wanted


_BY_KIND = {
    Kind.SERVICE: Way.RETURN_PATH,
    Kind.FORWARDER: Way.FORWARDER,
    Kind.HYBRID: Way.HYBRID,
    Kind.GATEWAY: Way.GATEWAY,
    Kind.MAILBOX: Way.AUTHENTICATED,
}
# Never the address by which the service sees a client, whatever a header said.
_INNER = NetworkMap(
    (parse_network(text), text)
    for text in (
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
    )
)
# From this many addresses, one after the other, a machine moves rather than has several; and from two of which each was
# used on as many days before the next began, which of two that are used at once one pair in 126 would be.
_MOVES_FROM, _LEFT_BEHIND_DAYS = 4, 5
_DYNAMIC = re.compile(r"(^|[.\-_])(dyn|dynamic|dhcp|dialup|dsl|adsl|pool|ppp|pppoe)[.\-_\d]", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Neighbours:
    """
    Who else sends from where.

    strangers:  addresses used by anybody but machines of the organisation that are judged legitimate.
    abused:     neighbourhoods (/24, /64) from which abuse was seen.
    passing:    addresses that one name used one after the other in its provider's network, whoever they were told apart as.
    """

    strangers: frozenset[str]
    abused: frozenset[str]
    passing: frozenset[str] = frozenset()


def must_keep(sender: Sender) -> bool:
    """Tell whether no step may refuse a sender's mail: legitimate, or not decided yet."""
    return sender.judgement is not Judgement.ABUSE


def vouched(sender: Sender) -> bool:
    """
    Tell whether more than behaviour speaks for a sender: what no outsider can arrange, the register, or a person.

    A patient forger can behave like a machine for months, so behaviour alone opens no door.
    Source: reference exchange-online 7.2.
    """
    held = sender.decided_by is DecidedBy.EVIDENCE
    return not held or not ANCHORED.isdisjoint(reason.code for reason in sender.because)


def unasked(sender: Sender) -> bool:
    """Tell whether a sender's address may be let in before its owner was asked."""
    return vouched(sender) and not sender.unlike_itself


def meet_neighbours(senders: Iterable[Sender]) -> Neighbours:
    """Collect who sends from which address."""
    strangers: set[str] = set()
    abused: set[str] = set()
    stays: dict[tuple[str, str], dict[str, set[date]]] = {}
    for sender in senders:
        if must_keep(sender):
            for flow in sender.flows:
                name, address = flow.key.header_from or flow.key.sender, flow.key.client_ip
                if name and address:
                    held = stays.setdefault((name, wide_network(address)), {})
                    held.setdefault(address, set()).update(flow.facts.days)
        if sender.legitimate and sender.kind in {Kind.DEVICE, Kind.APPLICATION, Kind.HYBRID}:
            continue
        used = [flow.key.client_ip for flow in sender.flows if flow.key.client_ip]
        used += sender.crowd
        strangers.update(used)
        if sender.judgement is Judgement.ABUSE:
            abused.update(map(neighbourhood, used))
    passing = {address for days in stays.values() if _left_behind(days) for address in days}
    return Neighbours(frozenset(strangers), frozenset(abused), frozenset(passing))


def addresses(flows: Iterable[Flow]) -> tuple[str, ...]:
    """Give the client addresses of flows, in order."""
    return tuple(sorted({flow.key.client_ip for flow in flows if flow.key.client_ip}))


def way_in(
    sender: Sender, concerned: Sequence[Flow], neighbours: Neighbours, *, followed: bool = False
) -> Way:
    """
    Choose a sender's other way in.

    concerned:  the flows that a refusing control would refuse or leave undetermined.
    followed:   whether a connector would hold the whole network in which the sender moves.
    An address admits everybody who sends from it, so a connector is chosen only for IPv4 addresses that machines of
    the organisation have to themselves, outside networks that also send abuse, and that do not look dynamic: a machine that moves on is refused there.
    Source: controls catalogue DS-03; reference exchange-online 1.3 and 2.4.
    """
    if sender.judgement is Judgement.UNDECIDED:
        return Way.DECISION
    if sender.kind in _BY_KIND:
        return _BY_KIND[sender.kind]
    alone = all(_own_address(flow.key.client_ip, neighbours) for flow in concerned)
    moves = _dynamic(concerned) or (not followed and (moving(concerned) or _passing(concerned, neighbours)))
    return Way.CONNECTOR if alone and concerned and not moves else Way.AUTHENTICATED


def moving(flows: Iterable[Flow]) -> bool:
    """
    Tell whether a sender was at several addresses, one after the other and hardly ever at two on one day.

    An address that it has left is somebody else's, and the one that it has now may be too.
    """
    days: dict[str, set[date]] = {}
    for flow in flows:
        if flow.key.client_ip:
            days.setdefault(flow.key.client_ip, set()).update(flow.facts.days)
    twice = sum(map(len, days.values())) - len(set[date]().union(*days.values()))
    # A change of address on one day shows that day at both.
    return (len(days) >= _MOVES_FROM and twice < len(days)) or _left_behind(days)


def _left_behind(days: Mapping[str, set[date]]) -> bool:
    """Tell whether each address was given up for the next, by the days of each: many, or few that were kept for days."""
    spans = sorted((min(held), max(held), len(held)) for held in days.values() if held)
    # Each begins on a day of its own, which may be the last of the one before.
    follow = (before[0] < after[0] and before[1] <= after[0] for before, after in pairwise(spans))
    if len(spans) < 2 or not all(follow):
        return False
    return len(spans) >= _MOVES_FROM or all(number >= _LEFT_BEHIND_DAYS for *_, number in spans)


def _passing(flows: Iterable[Flow], neighbours: Neighbours) -> bool:
    return any(flow.key.client_ip in neighbours.passing for flow in flows)


def listable(address: str) -> bool:
    """
    Tell whether a connector can list an address: IPv4, one by which the internet knows a client, and not one of those
    from which every tenant of Exchange Online sends.
    """
    return ":" not in address and address not in _INNER and not within(address, EXCHANGE_NETWORKS)


def _own_address(address: str | None, neighbours: Neighbours) -> bool:
    if not address or address in neighbours.strangers:
        return False
    return listable(address) and neighbourhood(address) not in neighbours.abused


def _dynamic(flows: Iterable[Flow]) -> bool:
    return any(_DYNAMIC.search(name) for flow in flows for name in flow.facts.ptr)
