"""Scenarios: controls together with senders that are moved, kept in files, replayed, and compared sender by sender."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from portero.core.address import IPNetwork, domain_of, exact_network, parse_network
from portero.core.controls import Control, parse_control
from portero.core.exchange.settings import Settings
from portero.core.flow import Flow, OutsideFlow
from portero.core.migration import Road
from portero.core.sender import Sender
from portero.core.simulate import Replay
from portero.core.simulation import Effect, SenderEffect, Simulation
from portero.core.text import Text
from portero.core.ways_in import addresses, listable

# Ways that a move can name; the relay of this program signs in with OAuth.
SUBMITTED = frozenset({Road.RELAY, Road.SMTP_OAUTH})
MOVES = (
    Road.RELAY,
    Road.SMTP_OAUTH,
    Road.GRAPH,
    Road.HVE,
    Road.ACS,
    Road.RETURN_PATH,
    Road.REWRITE,
    Road.CONNECTOR,
    Road.RETIRE,
)
# Stands for a return-path that is no accepted domain. Source: RFC 2606 section 2.
_ELSEWHERE = "return-path.invalid"
# Source: reference exchange-online 1.8.
_HVE_OUTSIDE = "550 5.5.105 External sending is not supported for High Volume Email accounts."


@dataclass(frozen=True, slots=True)
class Move:
    """
    Senders that send another way in a scenario.

    senders:      ids; header_from mailboxes or ``@domain``; networks by which they connect. All given must match, of
                  each any one.
    """

    to: Road
    senders: frozenset[str] = frozenset()
    header_from: frozenset[str] = frozenset()
    networks: tuple[IPNetwork, ...] = ()

    def concerns(self, sender: Sender) -> bool:
        """Tell whether a sender moves; one of several names or addresses is enough."""
        given = []
        if self.senders:
            given.append(sender.id in self.senders)
        if self.header_from:
            names = {each for name in sender.header_from for each in (name, f"@{domain_of(name)}")}
            given.append(bool(self.header_from & names))
        if self.networks:
            given.append(any(_inside(each, self.networks) for each in addresses(sender.flows)))
        return bool(given) and all(given)


@dataclass(frozen=True, slots=True)
class Scenario:
    """What is tried together: controls as the contract writes them, and moves; a sender takes the first that fits."""

    name: str
    controls: tuple[str, ...] = ()
    moves: tuple[Move, ...] = ()

    def idle(self, senders: Iterable[Sender]) -> tuple[int, ...]:
        """Give the numbers, from 1, of moves that concern none of these senders."""
        held = tuple(senders)
        return tuple(number for number, each in enumerate(self.moves, 1) if not any(map(each.concerns, held)))


@dataclass(frozen=True, slots=True)
class Difference:
    """How a sender fares in one scenario and in another, in unique mails."""

    before: SenderEffect
    after: SenderEffect


def rehearse_scenario(
    scenario: Scenario, senders: Sequence[Sender], settings: Settings, outside: Sequence[OutsideFlow] = ()
) -> Simulation:
    """
    Replay a scenario on recorded mail.

    A moved sender's mail is replayed as that way would bring it: submitted, from inside, or with an envelope sender
    elsewhere, whose SPF and DMARC results nobody has seen yet and which are therefore not known.
    Source: reference exchange-online 1.5, 2.3 and 3.
    """
    roads = _roads(scenario, senders)
    moved = [_moved(each, roads[each.id]) if each.id in roads else each for each in senders]
    clients: dict[str, dict[str, str | None]] = {
        mailbox: dict(held) for mailbox, held in settings.smtp_auth_clients.items()
    }
    allowed = []
    for each in senders:
        road = roads.get(each.id)
        if road in SUBMITTED:
            for flow in each.flows:
                mailbox = flow.key.header_from or flow.key.sender or ""
                clients.setdefault(mailbox, {})[flow.key.client_ip or ""] = "oauth"
        if road is Road.CONNECTOR:
            allowed += [exact_network(address) for address in addresses(each.flows) if listable(address)]
    controls = [parse_control("allow=" + ",".join(sorted(set(allowed))))] if allowed else []
    controls += [parse_control(text) for text in scenario.controls]
    found = Replay(moved, replace(settings, smtp_auth_clients=clients), outside).of(controls)
    beyond = {each.id: each.facts.outside for each in senders if roads.get(each.id) is Road.HVE}
    gone = {each.id for each in senders if roads.get(each.id) is Road.RETIRE}
    effects = [
        _retired(each) if each.sender in gone else _inside_only(each, beyond.get(each.sender, 0))
        for each in found.senders
    ]
    return replace(found, controls=scenario.controls, senders=tuple(effects))


def compare(before: Simulation, after: Simulation) -> tuple[Difference, ...]:
    """Give the senders that fare differently in two scenarios on the same mail, most mail first."""
    earlier = {each.sender: each for each in before.senders}
    found = [
        Difference(earlier[each.sender], each)
        for each in after.senders
        if each.sender in earlier and _fate(earlier[each.sender]) != _fate(each)
    ]
    return tuple(sorted(found, key=lambda each: (-_shifted(each), each.after.sender)))


def draft(controls: Sequence[Control], roads: Mapping[str, Road]) -> Scenario:
    """Write a plan down as a scenario: its controls, and its senders by the way each takes."""
    by_road: dict[Road, set[str]] = {}
    for sender, road in roads.items():
        if road in MOVES and road is not Road.CONNECTOR:
            by_road.setdefault(road, set()).add(sender)
    moves = tuple(Move(road, frozenset(by_road[road])) for road in MOVES if road in by_road)
    return Scenario("plan", tuple(each.text for each in controls), moves)


def _fate(effect: SenderEffect) -> tuple[int, int, int]:
    return effect.refused, effect.kept, effect.undetermined


def _shifted(each: Difference) -> int:
    pairs = zip(_fate(each.before), _fate(each.after), strict=True)
    return sum(abs(then - now) for then, now in pairs)


def _inside(address: str, networks: Sequence[IPNetwork]) -> bool:
    single = parse_network(address)
    return any(single.version == each.version and single.network_address in each for each in networks)


def _roads(scenario: Scenario, senders: Iterable[Sender]) -> dict[str, Road]:
    found: dict[str, Road] = {}
    for sender in senders:
        road = next((each.to for each in scenario.moves if each.concerns(sender)), None)
        if road is not None:
            found[sender.id] = road
    return found


def _moved(sender: Sender, road: Road) -> Sender:
    if road is Road.RETIRE:
        return replace(sender, flows=())
    return replace(sender, flows=tuple(_moved_flow(flow, road) for flow in sender.flows))


def _moved_flow(flow: Flow, road: Road) -> Flow:
    key, facts = flow.key, flow.facts
    if road in SUBMITTED:
        return Flow(replace(key, direction="originating", connector=""), facts)
    if road in {Road.GRAPH, Road.HVE}:
        return Flow(replace(key, direction="originating", connector="", client_ip=""), facts)
    if road in {Road.ACS, Road.RETURN_PATH, Road.REWRITE}:
        # The traced sender was one of the two; from now on P1 is known, and it is not ours.
        author = key.header_from if key.header_from is not None else key.sender
        unseen: dict[str, int] = {}
        return Flow(
            replace(key, mail_from_domain=_ELSEWHERE, header_from=author, sender=None),
            replace(facts, spf=unseen, dmarc=unseen, compauth=unseen, envelopes=unseen),
        )
    return flow


def _inside_only(effect: SenderEffect, outside: int) -> SenderEffect:
    """Refuse what High Volume Email does not carry: mail to people outside."""
    lost = min(outside, effect.kept)
    if not lost:
        return effect
    kept = effect.kept - lost
    return replace(
        effect,
        effect=Effect.MIXED if kept or effect.undetermined else Effect.REFUSED,
        refused=effect.refused + lost,
        kept=kept,
        reply=_HVE_OUTSIDE,
        because=Text("High Volume Email reaches people inside alone."),
    )


def _retired(effect: SenderEffect) -> SenderEffect:
    return replace(effect, because=Text("It sends no more in this scenario."))
