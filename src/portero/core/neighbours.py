"""Neighbours: what senders found legitimate on their own evidence say about others under their names and addresses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from portero.core.address import neighbourhood, wide_network
from portero.core.case import (
    ANCHORED,
    AUTHENTICATED,
    FAILING,
    Case,
    Readers,
    judgement_of,
    read_for_long,
)
from portero.core.flow import merge_facts
from portero.core.grouping import Placed
from portero.core.sender import Judgement, Reason
from portero.core.text import Text

# A copy has the name of its original, or of a few.
_COPIED_AT_MOST = 3

# One subject under own names from so many addresses in so many distant networks within a day is one campaign.
_SWARM_ADDRESSES, _SWARM_NETWORKS = 6, 4
# So much of a subject's shape tells it from others.
_TELLING = 9
# Who writes more is weighed by what it does itself.
_SWARM_MAILS = 8

# Who is no stranger, and through whom anybody's mail comes besides.
_NO_STRANGER = ANCHORED | {"connector-doubtful"}
_CARRIED = _NO_STRANGER | {"gateway"}

# A name in use at more places than this is a service that sends from many addresses; no place of it is the original.
_ROAMS_FROM = 4


@dataclass(frozen=True, slots=True)
class Neighbours:
    """
    The senders beside which others are judged.

    names:      by name, the places of established senders, and whether they pass authentication.
    addresses:  by place, the names established there.
    received:   by place, who here has received mail from there for long.
    swarms:     by day and shape of a subject under which mail of strangers came from many places at once, how many.
    vouched:    names whose established sender has what no outsider can arrange.
    roaming:    by name, in how many distant networks mail arrives under it that passes no authentication.
    """

    names: Mapping[str, tuple[frozenset[str], bool]] = field(default_factory=dict)
    addresses: Mapping[str, frozenset[str]] = field(default_factory=dict)
    received: Mapping[str, Readers] = field(default_factory=dict)
    roaming: Mapping[str, int] = field(default_factory=dict)
    vouched: frozenset[str] = frozenset()
    swarms: Mapping[tuple[date, str], int] = field(default_factory=dict)


def weigh_beside(case: Case, neighbours: Neighbours) -> None:
    """What other senders, already judged on their own, say about this one."""
    if case.settled:
        return
    context = case.context
    own = case.places
    # A copy takes one name; who writes under many is a list, a forwarder or a follow-me scanner.
    for name in sorted(case.names) if len(case.names) <= _COPIED_AT_MOST else ():
        held = neighbours.names.get(name)
        if held is None:
            continue
        # People write from many places; what their names over strange servers mean has a reason of its own.
        if name in context.mailboxes:
            continue
        if name.startswith("@") or not own or not held[0]:
            continue
        # A service has several addresses in one network; they are no copies of one another.
        if {_network(place) for place in held[0]} & {_network(place) for place in own}:
            continue
        case.copied = name in neighbours.vouched
        if held[1] and case.codes & (FAILING | {"outside-fail"}):
            case.add(
                "copies-failing",
                Text(
                    "{name} has an established sender elsewhere, which passes authentication; "
                    "this one fails it.",
                    name=name,
                ),
            )
        else:
            case.add(
                "copies", Text("{name} has an established sender elsewhere, in another network.", name=name)
            )
        return
    roams = max([neighbours.roaming.get(name, 0) for name in case.names], default=0)
    if roams >= _ROAMS_FROM and not case.codes & AUTHENTICATED:
        case.add(
            "roams",
            Text(
                "Mail under its name arrives from {number} distant networks, and from none of them does it pass "
                "authentication.",
                number=roams,
            ),
        )
    marks = _marks(case) if neighbours.swarms else ()
    swarm = max([neighbours.swarms.get(mark, 0) for mark in marks], default=0)
    if swarm:
        case.add(
            "swarm",
            Text(
                "The same subject came under own names from {number} addresses in distant networks on one day.",
                number=swarm,
            ),
        )
    if not own or case.gated:
        return
    if own <= neighbours.addresses.keys() and any(neighbours.addresses[each] - case.names for each in own):
        case.add("beside-established", Text("It shares its client address with an established sender."))
    elif own <= neighbours.received.keys() and "long-received" not in case.codes:
        read = max((neighbours.received[place] for place in own), key=lambda each: each.mails)
        case.add(
            "beside-received",
            Text(
                "With others at its client address: in {weeks} weeks {people} people here have received {mails} mails from "
                "there, and it went on.",
                weeks=read.weeks,
                people=read.people,
                mails=read.mails,
            ),
        )


def _network(place: str) -> str:
    return neighbourhood(place.partition("/")[0])


def find_neighbours(
    cases: Sequence[Case], reasons: Sequence[Sequence[Reason]], registered: Sequence[Placed] = ()
) -> Neighbours:
    """
    Find whom others are judged beside.

    reasons:     those of each case on its own.
    registered:  mail of senders that the register knows, whose names are established whatever their evidence.
    """
    # Behaviour that vouches for nobody still makes a name known, so that a copy of it stands out.
    odds = [sum([reason.weight for reason in held if reason.code != "behaviour-alone"]) for held in reasons]
    behaving = [
        case
        for case, speaks in zip(cases, odds, strict=True)
        if judgement_of(speaks)[0] is Judgement.LEGITIMATE
    ]
    sound = [case for case in behaving if not case.codes & FAILING]
    names, addresses, vouched = _established(cases, sound)
    for item in registered:
        if item.name:
            vouched.add(item.name)
            places, passes = names.get(item.name, (frozenset[str](), False))
            names[item.name] = (places | {item.place}, passes)
    return Neighbours(
        names, addresses, _received(behaving), _roaming(cases), frozenset(vouched), _swarms(cases)
    )


def _established(
    cases: Sequence[Case], sound: Sequence[Case]
) -> tuple[dict[str, tuple[frozenset[str], bool]], dict[str, frozenset[str]], set[str]]:
    """
    Give the names and the addresses of senders found legitimate on their own evidence, and the names with proof.

    Long good behaviour establishes a name, so that a copy of it stands out; only what no outsider can arrange vouches
    for others at the same address.
    """
    names: dict[str, tuple[frozenset[str], bool]] = {}
    addresses: dict[str, frozenset[str]] = {}
    everywhere: dict[str, set[str]] = {}
    for case in cases:
        for item in case.group:
            everywhere.setdefault(item.name, set()).add(item.place)
    vouched: set[str] = set()
    # Those with proof come first: beside them behaviour does not make a second original of the same name.
    for case in sorted(sound, key=lambda each: not each.codes & ANCHORED):
        anchored, passes = bool(case.codes & ANCHORED), bool(case.codes & AUTHENTICATED)
        # Who writes under many names, without regulars, passes on what others write: none of these names is its own.
        for name in () if "many-names" in case.codes else sorted(case.names):
            if (len(everywhere[name]) > _ROAMS_FROM and not passes) or (name in vouched and not anchored):
                continue
            before = names.get(name, (frozenset(), False))
            names[name] = (before[0] | case.places, before[1] or passes)
            if anchored:
                vouched.add(name)
        if not anchored or "gateway" in case.codes:
            continue
        for place in case.places:
            addresses[place] = addresses.get(place, frozenset()) | {item.name for item in case.group}
    return names, addresses, vouched


def _received(cases: Sequence[Case]) -> dict[str, Readers]:
    """
    Give the places from which people here have received mail for long, whichever of those behind it wrote.

    A line that moves has several; whoever is at some of them only is counted with whoever is at all.
    """
    homes: dict[str, list[Case]] = {}
    for case in cases:
        if case.all_placed and not case.gated and not case.as_colleagues:
            for place in case.places:
                homes.setdefault(place, []).append(case)
    found: dict[str, Readers] = {}
    for place, held in homes.items():
        most = max((case.places for case in held), key=len)
        read = read_for_long(merge_facts(case.facts for case in held if case.places <= most))
        if read is not None:
            found[place] = read
    return found


def _marks(case: Case) -> list[tuple[date, str]]:
    """Give the days and shapes by which a few mails of strangers may belong to one campaign."""
    if case.settled or case.gated or case.facts.mails > _SWARM_MAILS or len(case.days) != 1:
        return []
    return [(case.days[0], shape) for shape in case.facts.shapes if len(shape) >= _TELLING]


def _swarms(cases: Sequence[Case]) -> dict[tuple[date, str], int]:
    """Count, by day and subject, the addresses of strangers where they are many and lie far apart."""
    places: dict[tuple[date, str], set[str]] = {}
    for case in cases:
        if case.codes & _NO_STRANGER:
            continue
        for mark in _marks(case):
            places.setdefault(mark, set()).update(case.places)
    return {
        mark: len(held)
        for mark, held in places.items()
        if len(held) >= _SWARM_ADDRESSES
        and len({wide_network(place.partition("/")[0]) for place in held}) >= _SWARM_NETWORKS
    }


def _roaming(cases: Sequence[Case]) -> dict[str, int]:
    """Count by name the distant networks from which mail arrives under it, where no sender of that name passes."""
    networks: dict[str, set[str]] = {}
    passing: set[str] = set()
    for case in cases:
        names = {name for name in case.names if not name.startswith("@")}
        if case.codes & _CARRIED:
            passing |= names
            continue
        for item in case.group:
            if item.place and item.name in names:
                networks.setdefault(item.name, set()).add(wide_network(item.place.partition("/")[0]))
    return {name: len(held) for name, held in networks.items() if name not in passing}
