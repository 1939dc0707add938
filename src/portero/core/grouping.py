"""Which flows are one sender: links that evidence allows, and none that a copy could exploit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from itertools import chain, combinations, pairwise

from portero.core.address import client_address, domain_of, neighbourhood, untagged, wide_network
from portero.core.exchange.attribution import (
    Attribution,
    author_domain,
    envelope_domain,
    of_exchange,
    through_gateway,
)
from portero.core.exchange.settings import Settings
from portero.core.flow import Facts, Flow, calendar_week, merge_facts
from portero.core.message.web import FREE_MAIL
from portero.core.reported import is_reported
from portero.core.sender import Path
from portero.core.value import value

# What many hosts call themselves says nothing about which host it is.
_NAMELESS = ("localhost", "[127.", "127.", "win-", "desktop-", "localhost.localdomain", "user", "ylmf-pc")


# From so many mails in so many weeks on, a name at an address is somebody of its own.
_STEADY_MAILS, _STEADY_WEEKS = 8, 3
# A place with less than a quarter of the mails that its name sends elsewhere is not that name's home.
_HOME = 4
# By these ways nobody but the client's address tells who sends.
_DIRECT = frozenset({Path.DIRECT_SEND, Path.UNDETERMINED})
# What has no time comes after what has one.
_NEVER = datetime.max.replace(tzinfo=UTC)


@value(frozen=True, slots=True)
class Placed:
    """
    A flow with what every later step asks of it.

    name:   the mailbox the mail claims to be from: P2, else the traced sender, without a plus-tag; ""
            where neither is known.
    place:  the client address as one place: the address for IPv4, its /64 for IPv6, "" where none is known, or only one
            of Exchange Online's own servers.
    pool:   the network over which one device was found to roam; "" for everything else.
    once:   one of so many that others reported once each that they are told together; see `find_crowds`.
    """

    flow: Flow
    attribution: Attribution
    path: Path
    pool: str = ""
    once: bool = False
    name: str = field(init=False)
    place: str = field(init=False)

    def __post_init__(self) -> None:
        key = self.flow.key
        address = "" if of_exchange(key.client_ip) else key.client_ip or ""
        object.__setattr__(self, "name", untagged(key.header_from or key.sender or ""))
        object.__setattr__(self, "place", neighbourhood(address) if ":" in address else address)

    @property
    def authenticated(self) -> bool | None:
        """Tell whether witnesses recorded a DMARC pass (True), only failures (False), or nothing that settles it."""
        results = self.flow.facts.dmarc
        if "pass" in results or "bestguesspass" in results:
            return True
        return False if "fail" in results else None


def nameless(ehlo: str | None) -> bool:
    """Tell whether an EHLO could be anybody's."""
    text = ehlo or ""
    if not text or text.lower().startswith(_NAMELESS):
        return True
    # Only what has three dots or a colon can be an address.
    return (text.count(".") > 2 or ":" in text) and client_address(text) is not None


def once_by(item: Placed) -> tuple[str, str]:
    """Give by what reported mail is told together: whose name it bears, and whose envelope."""
    return item.name, _organisation(envelope_domain(item.flow.key)[0] or "")


def group(
    placed: Sequence[Placed], settings: Settings, mailboxes: Collection[str] = ()
) -> list[tuple[Placed, ...]]:
    """
    Part flows into senders.

    mailboxes:  people's own, whose names machines and forwarders take too.

    Flows are joined where they share what an outsider cannot choose: the mailbox tenancy, the connector, the client
    address. A name, an EHLO or a subject alone never joins two places, for they are what an attacker copies.
    Within one address they keep apart what is apart: two devices behind one NAT address have two names. Only names that
    come and go there are one host's together, where their subjects are the same.
    """
    links = _Links(len(placed))
    first: dict[tuple[str, ...], int] = {}
    steady = _steady(placed, mailboxes)
    for index, item in enumerate(placed):
        for token in _tokens(item, settings, mailboxes):
            if token[0] == "shape" and (item.place, item.name) in steady:
                continue
            held = first.setdefault(token, index)
            if held != index:
                links.join(held, index)
    lines = _by_line(placed)
    _join_moving(placed, lines.values(), settings, links)
    pools = {}
    for network, members in _roaming(placed, lines, mailboxes):
        for index in members:
            links.join(members[0], index)
            pools[index] = network
    parts: dict[int, list[Placed]] = {}
    for index, item in enumerate(placed):
        held_by = replace(item, pool=pools[index]) if index in pools else item
        parts.setdefault(links.root(index), []).append(held_by)
    return [tuple(part) for part in parts.values()]


def _steady(placed: Sequence[Placed], mailboxes: Collection[str]) -> frozenset[tuple[str, str]]:
    """
    Give the places and names that are somebody of their own there.

    It is no person's name, for a person writes from a scanner and through a list too; so it is at home at one place
    alone, in three weeks and more. Who borrows a device's name, for a week or for few mails, is not at home with it.
    """
    stays: dict[tuple[str, str], list[Placed]] = {}
    for item in placed:
        if item.place and item.name and item.name not in mailboxes:
            stays.setdefault((item.place, item.name), []).append(item)
    mails = {key: sum([item.flow.facts.mails for item in items]) for key, items in stays.items()}
    steady = {
        key
        for key, number in mails.items()
        if number >= _STEADY_MAILS and _weeks(stays[key]) >= _STEADY_WEEKS
    }
    names = {name for _, name in steady}
    most: dict[str, int] = {}
    for (_, name), number in mails.items():
        most[name] = max(number, most.get(name, 0))
    homes = Counter(
        key[1]
        for key, number in mails.items()
        if key[1] in names
        and (_passes_through(stays[key]) or (number * _HOME >= most[key[1]] and _weeks(stays[key]) > 1))
    )
    return frozenset(key for key in steady if homes[key[1]] == 1)


def _weeks(items: Iterable[Placed]) -> int:
    return len({calendar_week(day) for item in items for day in item.flow.facts.days})


def _passes_through(items: Iterable[Placed]) -> bool:
    return any(item.path is Path.FOREIGN_ENVELOPE or item.authenticated for item in items)


def anchor(members: Iterable[Placed], settings: Settings, mailboxes: Collection[str] = ()) -> str:
    """
    Give what names a group of flows for as long as it sends, and no other group.

    Tokens part groups, so none is in two. What outlives an address comes first: a name that passes authentication, or the
    network over which a device roams.
    """
    members = tuple(members)
    first = min(
        [token for item in members for token in _tokens(item, settings, mailboxes, devices=False)],
        key=_lasting,
    )
    if first[0] != "passes" and (pools := [(item.pool, item.name) for item in members if item.pool]):
        first = ("pool", *min(pools))
    return "|".join(first)


def _lasting(token: tuple[str, ...]) -> tuple[bool, tuple[str, ...]]:
    return token[0] != "passes", token


def _tokens(
    item: Placed, settings: Settings, mailboxes: Collection[str], *, devices: bool = True
) -> Iterator[tuple[str, ...]]:
    """
    Give what a flow shares with the others of its sender.

    devices:  whether to give also what shows one host under several names; that is never all that a flow gives.
    """
    key = item.flow.key
    if item.path is Path.INTERNAL:
        yield ("mailboxes", author_domain(key) or "")
    elif item.path is Path.AUTHENTICATED:
        yield ("submission", item.name)
    elif item.once:
        yield ("reported once", *once_by(item))
    elif is_reported(item.flow) and item.path is not Path.FOREIGN_ENVELOPE:
        # A report names no mailbox: its sources are one party where they pass with the same domains.
        envelope = _organisation(envelope_domain(key)[0] or "")
        signer = min(item.flow.facts.dkim_domains, default="")
        scope = (envelope, signer) if item.authenticated else (item.place, "")
        yield ("reported", item.name, *scope)
    elif through_gateway(key, settings):
        envelope = envelope_domain(key)[0] or ""
        foreign = envelope and not settings.names_us(envelope)
        yield ("gateway", _organisation(envelope), (author_domain(key) or "") if foreign else item.name)
    elif item.path is Path.CONNECTOR:
        held = item.attribution.connector
        name = (held.name if held else key.connector or "").lower()
        if held is not None and (held.certificate or held.cloud_services_mail):
            yield ("certificate", name)
        elif not item.place:
            # Whoever made the connector made it for one source; without addresses nothing parts it.
            yield ("connector", name)
        else:
            yield ("connector", name, item.place, item.name)
            if devices:
                yield from _device_tokens(item, name)
    elif item.path is Path.FOREIGN_ENVELOPE:
        envelope = _organisation(envelope_domain(key)[0] or "")
        # Anybody has a mailbox at a free provider, so that its domain is no party; who passes holds the own key.
        anybodys = (item.name,) if envelope in FREE_MAIL and not item.authenticated else ()
        yield ("envelope", envelope, author_domain(key) or "", _pass(item), *anybodys)
        if item.place and item.name:
            # A summary of the same host's mail takes the same name for its P1.
            yield ("address", item.place, item.name, "")
    else:
        # Where nobody saw an address, what a host calls itself is all that shows it to be another.
        apart = () if item.place else (_pass(item), key.ehlo or "")
        yield ("address", item.place, item.name, *(apart or ("",)))
        if devices:
            yield from _device_tokens(item, "")
        if item.authenticated and item.name not in mailboxes and (proof := _proof(item)):
            # Only who holds the domain's key or stands in its SPF record passes as it, from whatever address. A person's
            # own mail passes by its key wherever a forwarder takes it.
            yield ("passes", item.name, proof)


def _proof(item: Placed) -> str:
    """Tell by what its mail passes DMARC, as far as witnesses say."""
    if item.flow.facts.spf.get("pass"):
        return "spf"
    return "dkim" if item.flow.facts.dkim.get("pass") else ""


def _device_tokens(item: Placed, scope: str) -> Iterable[tuple[str, ...]]:
    """One host that writes under many names still has one EHLO or one kind of subject."""
    if not item.place:
        return
    if not nameless(item.flow.key.ehlo):
        yield ("host", scope, item.place, item.flow.key.ehlo or "")
    else:
        for shape in item.flow.facts.shapes:
            if len(shape) > 3:
                yield ("shape", scope, item.place, shape)


def _pass(item: Placed) -> str:
    return {True: "pass", False: "fail", None: "unknown"}[item.authenticated]


def _organisation(domain: str) -> str:
    """Give the last two labels, or three under a short second label, as one party's envelope domains."""
    labels = domain.split(".")
    size = 3 if len(labels) > 2 and len(labels[-1]) == 2 and len(labels[-2]) <= 3 else 2
    return ".".join(labels[-size:])


def _by_line(placed: Sequence[Placed]) -> dict[tuple[str, str], list[int]]:
    """Give, by name and by what a line keeps of its address, the flows of those that came directly from two and more places."""
    by_name: dict[str, list[int]] = {}
    for index, item in enumerate(placed):
        if item.name and item.place and item.path in _DIRECT:
            by_name.setdefault(item.name, []).append(index)
    lines: dict[tuple[str, str], list[int]] = {}
    for name, members in by_name.items():
        if len(members) > 1:
            for index in members:
                lines.setdefault((name, wide_network(_address(placed[index]))), []).append(index)
    return lines


def _join_moving(
    placed: Sequence[Placed], lines: Iterable[Sequence[int]], settings: Settings, links: _Links
) -> None:
    """
    Join one host over changing addresses: same name, same EHLO, one network, never two at once, and in its
    neighbourhood the same subjects or an EHLO of its own, farther away both.

    An attacker's copy works while the original does and from another network, so it stays apart: also where the original
    moves meanwhile, and each of its addresses alone is used on other days than the copy's.
    """
    for line in lines:
        near: dict[str, list[int]] = {}
        for index in line:
            near.setdefault(neighbourhood(_address(placed[index])), []).append(index)
        for members in (line, *near.values()):
            if not 1 < len(members) <= 400:
                continue
            ordered = sorted(members, key=lambda index: _begun(placed[index].flow.facts))
            moving = _one_at_a_time([placed[index] for index in ordered])
            for before, after in pairwise(index for index, kept in zip(ordered, moving, strict=True) if kept):
                if _same_host(placed[before], placed[after], settings):
                    links.join(before, after)


def _begun(facts: Facts) -> datetime:
    return facts.first_seen or _NEVER


def _one_at_a_time(items: Sequence[Placed]) -> list[bool]:
    """
    Tell which of several addresses may be one moving host's: who has moved away is not at work where it was.

    Of those that work from one neighbourhood while others do from another, for more than the day of the move, those
    that meet most others go first, and all of them where they meet as many.
    """
    # Who was there for no more than the day of a move meets nobody: most mail of an attack.
    spans = {
        number: (first, last)
        for number, item in enumerate(items)
        if (days := item.flow.facts.days) and ((last := max(days)) - (first := min(days))).days > 1
    }
    near = {number: neighbourhood(_address(items[number])) for number in spans}
    met: dict[int, set[int]] = {number: set() for number in spans}
    for (one, (first, last)), (other, (begun, ended)) in combinations(spans.items(), 2):
        if near[one] != near[other] and (min(last, ended) - max(first, begun)).days > 1:
            met[one].add(other)
            met[other].add(one)
    moved: set[int] = set()
    while most := max(map(len, met.values()), default=0):
        for gone in [number for number, others in met.items() if len(others) == most]:
            moved.add(gone)
            for other in met.pop(gone):
                met.get(other, set()).discard(gone)
    return [number not in moved for number in range(len(items))]


def _same_host(one: Placed, other: Placed, settings: Settings) -> bool:
    mine, theirs = one.flow, other.flow
    if mine.key.ehlo != theirs.key.ehlo or {_pass(one), _pass(other)} == {"pass", "fail"}:
        return False
    if len(set(mine.facts.days) & set(theirs.facts.days)) > 1:
        return False
    own_name = _own_name(mine.key.ehlo, settings)
    same_subjects = bool(set(mine.facts.shapes) & set(theirs.facts.shapes))
    if neighbourhood(_address(one)) == neighbourhood(_address(other)):
        return same_subjects or own_name
    return same_subjects and own_name


# How many addresses, one after the other, make a pool rather than a move.
_POOL = 3


@dataclass(slots=True)
class _Stay:
    """What a name did at one place: which flows, on which days, to whom, under which subjects, by which EHLOs."""

    items: list[int]
    facts: Facts
    ehlos: set[str]
    results: set[str]


def _roaming(
    placed: Sequence[Placed],
    lines: Mapping[tuple[str, str], Sequence[int]],
    mailboxes: Collection[str],
) -> Iterator[tuple[str, list[int]]]:
    """
    Give, by network, the flows of one device whose line takes one address after another of its provider's pool.

    Nothing of it is proof, so all must hold: it is no person's name; at no time are two of the addresses at work; to none
    does it come back again and again; each writes only to people, and under subjects and EHLOs, that others of them know.
    Whoever copies a device works from an address of his own while the device does, or reaches for other people. One
    address that is kept in the same network makes the rest suspect, and nothing is joined.
    """
    for (name, network), members in lines.items():
        if name in mailboxes:
            continue
        places: dict[str, list[int]] = {}
        for index in members:
            if not is_reported(placed[index].flow):
                places.setdefault(placed[index].place, []).append(index)
        if _POOL <= len(places) <= 400 and _with_shared_ehlos(placed, places.values()) >= _POOL:
            stays = _strangers_gone(_at_different_times([_stay(placed, items) for items in places.values()]))
            same = len(set().union(*(stay.ehlos for stay in stays))) < 2
            mixed = {"pass", "fail"} <= set().union(*(stay.results for stay in stays))
            if len(stays) >= _POOL and same and not mixed:
                yield network, [index for stay in stays for index in stay.items]


def _with_shared_ehlos(placed: Sequence[Placed], places: Iterable[Sequence[int]]) -> int:
    """Count the places whose EHLOs others of them know: `_strangers_gone` leaves no more, and a campaign has few."""
    ehlos = [{ehlo for index in items if (ehlo := placed[index].flow.key.ehlo)} for items in places]
    shared = Counter(chain.from_iterable(ehlos))
    return sum([all(shared[each] > 1 for each in held) for held in ehlos])


def _stay(placed: Sequence[Placed], items: list[int]) -> _Stay:
    facts = merge_facts(placed[index].flow.facts for index in items)
    ehlos = {ehlo for index in items if (ehlo := placed[index].flow.key.ehlo)}
    return _Stay(items, facts, ehlos, {_pass(placed[index]) for index in items})


def _at_different_times(stays: list[_Stay]) -> list[_Stay]:
    """Leave out what is at work while another is; nothing is left where one address is kept among the others."""
    of_day: dict[date, list[int]] = {}
    for number, stay in enumerate(stays):
        for day in stay.facts.days:
            of_day.setdefault(day, []).append(number)
    position = {day: number for number, day in enumerate(sorted(of_day))}
    for stay in stays:
        mine = sorted(position[day] for day in stay.facts.days)
        # Twice it returns after others were used: it is somebody's own address.
        if sum(later - earlier > 1 for earlier, later in pairwise(mine)) > 1:
            return []
    met: set[int] = set()
    for numbers in of_day.values():
        ranked = sorted(numbers, key=lambda number: _begun(stays[number].facts))
        for one, other in pairwise(ranked):
            left, begun = stays[one].facts.last_seen, stays[other].facts.first_seen
            if left is None or begun is None or left > begun:
                met |= {one, other}
    return [stay for number, stay in enumerate(stays) if number not in met]


def _strangers_gone(stays: list[_Stay]) -> list[_Stay]:
    """
    Leave out, until none is left, each with a person, a subject or an EHLO that no other of them knows.

    A subject must be known from another day as well: a campaign brings its own from many addresses at once, which would
    all vouch for each other.
    """
    while True:
        people = Counter(each for stay in stays for each in stay.facts.recipients.smallest)
        subjects = Counter(each for stay in stays for each in stay.facts.shapes)
        dated: dict[str, set[date]] = {}
        for stay in stays:
            for each in stay.facts.shapes:
                dated.setdefault(each, set()).update(stay.facts.days)
        hosts = Counter(each for stay in stays for each in stay.ehlos)
        known = [
            stay
            for stay in stays
            if stay.facts.recipients.smallest
            and stay.facts.recipients.exact
            and stay.facts.shapes
            and all(people[each] > 1 for each in stay.facts.recipients.smallest)
            and all(subjects[each] > 1 and len(dated[each]) > 1 for each in stay.facts.shapes)
            and all(hosts[each] > 1 for each in stay.ehlos)
        ]
        if len(known) == len(stays):
            return stays if len(people) < len(stays) else []
        stays = known


def _own_name(ehlo: str | None, settings: Settings) -> bool:
    """
    Tell whether an EHLO is a device's own name: one label, or a name at home.

    A full name elsewhere is a server's, and rented servers of one provider share both names and networks.
    """
    if ehlo is None or nameless(ehlo):
        return False
    return "." not in ehlo or ehlo.endswith((".local", ".lan", ".internal")) or settings.names_us(ehlo)


def _address(item: Placed) -> str:
    return item.place.partition("/")[0]


class _Links:
    """Union-find over indexes."""

    def __init__(self, size: int) -> None:
        self._parent = list(range(size))

    def root(self, index: int) -> int:
        while self._parent[index] != index:
            self._parent[index] = self._parent[self._parent[index]]
            index = self._parent[index]
        return index

    def join(self, one: int, other: int) -> None:
        first, second = self.root(one), self.root(other)
        self._parent[max(first, second)] = min(first, second)


def domains_of(names: Iterable[str]) -> tuple[str, ...]:
    """Give the distinct domains of mailboxes, in order."""
    return tuple(dict.fromkeys(domain for domain in map(domain_of, names) if domain))
