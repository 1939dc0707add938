"""Questions: the fewest that must be put to people so that no sender stays undecided, and to whom each goes."""

from __future__ import annotations

import heapq
import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from portero.core.address import neighbourhood
from portero.core.register import KnownNetwork
from portero.core.sender import Kind, Path, Sender
from portero.core.text import Text
from portero.core.ways_in import addresses


class About(StrEnum):
    """What undecided senders have in common, so that one person can answer for all of them; the surest tie first."""

    OWNER = "owner"  # the register or an address plan names the same owner
    SERVICE = "service"  # one vendor's envelope domain
    MAILBOX = "mailbox"  # all write as one own mailbox
    NETWORK = "network"  # one network
    SENDER = "sender"  # nothing: the sender alone
    CHANGE = "change"  # a sender that is not in doubt, part of whose mail is unlike it


@dataclass(frozen=True, slots=True)
class Addressee:
    """
    To whom a question goes.

    address:  a mail address or a name as evidence or register has it; None where only a role can be named.
    role:     whom the address is taken for, or who has to find the owner.
    why:      why this one is presumed to know.
    """

    address: str | None
    role: Text
    why: Text


@dataclass(frozen=True, slots=True)
class Question:
    """
    One question to one addressee about one or more undecided senders.

    topic:    what they have in common: an owner, a domain, a mailbox, a network as CIDR text, or a sender's id.
    senders:  most mails first. One person can answer for each of them, yet not with one word for all: whoever copies a
              device's name may be among those that share it.
    mails:    unique mails that the answers settle; of a change, all that the sender has.
    """

    about: About
    topic: str
    title: Text
    to: Addressee
    senders: tuple[Sender, ...]
    mails: int


def ask(senders: Sequence[Sender], networks: Sequence[KnownNetwork] = ()) -> tuple[Question, ...]:
    """
    Find the fewest questions that cover every sender to decide about, once more or for the first time; those that settle most mail first.

    Behind them stands one about each sender that evidence calls legitimate and part of whose mail is unlike it.
    networks:  places the configuration knows; a place is asked about as a whole.
    Greedy, the largest uncovered group next: at most 1 + ln(n) times as many as the fewest possible.
    Source: Chvatal 1979, A greedy heuristic for the set-covering problem.
    """
    undecided = {each.id: each for each in senders if each.to_decide}
    groups: dict[tuple[int, str], list[str]] = {}
    for sender in undecided.values():
        for about, topic in _topics(sender, networks):
            groups.setdefault((list(About).index(about), topic), []).append(sender.id)
    chosen = _cover(groups, {key: each.mails for key, each in undecided.items()})
    known = _known_owners(senders)
    found = []
    for (rank, topic), members in chosen:
        held = tuple(sorted((undecided[each] for each in members), key=lambda each: (-each.mails, each.id)))
        about = list(About)[rank]
        if len(held) == 1 and about in {About.NETWORK, About.MAILBOX}:
            about, topic = About.SENDER, held[0].id
        found.append(
            Question(
                about,
                topic,
                _title(about, topic, held),
                _addressee(held, about, known, networks),
                held,
                sum(each.mails for each in held),
            )
        )
    settling = sorted(found, key=lambda each: (-each.mails, each.about, each.topic))
    changed = sorted(
        (each for each in senders if each.unlike_itself), key=lambda each: (-each.mails, each.id)
    )
    return (*settling, *(_changed(each, known, networks) for each in changed))


def _changed(sender: Sender, known: Mapping[str, str], networks: Sequence[KnownNetwork]) -> Question:
    return Question(
        About.CHANGE,
        sender.id,
        Text("Mail from {sender} that is unlike it", sender=sender.label),
        _addressee((sender,), About.CHANGE, known, networks),
        (sender,),
        sender.mails,
    )


def _topics(sender: Sender, networks: Sequence[KnownNetwork]) -> Iterable[tuple[About, str]]:
    owner = _owner(sender)
    if owner:
        yield About.OWNER, owner
    foreign = [each for each in sender.mail_from_domains if each not in sender.header_from_domains]
    if sender.path is Path.FOREIGN_ENVELOPE and foreign:
        yield About.SERVICE, foreign[0]
    if len(sender.header_from) == 1 and not sender.header_from[0].startswith("@"):
        yield About.MAILBOX, sender.header_from[0]
    places = {_place(address, networks) for address in addresses(sender.flows)}
    if len(places) == 1:
        yield About.NETWORK, places.pop()
    yield About.SENDER, sender.id


def _place(address: str, networks: Sequence[KnownNetwork]) -> str:
    known = _known_place(address, networks)
    return known.name if known is not None else neighbourhood(address)


def _known_place(address: str, networks: Sequence[KnownNetwork]) -> KnownNetwork | None:
    parsed = ipaddress.ip_address(address)
    return next((each for each in networks if any(parsed in network for network in each.networks)), None)


def _owner(sender: Sender) -> str | None:
    if sender.owner:
        return sender.owner
    tie = sender.tie
    return tie.hosts[0].owner if tie is not None and tie.settled else None


def _cover(
    groups: Mapping[tuple[int, str], Sequence[str]], mails: Mapping[str, int]
) -> list[tuple[tuple[int, str], tuple[str, ...]]]:
    """Take the group with most senders that are still open, again and again; the surest tie where as many are."""

    def worth(key: tuple[int, str]) -> tuple[int, int, int, str]:
        held = [each for each in groups[key] if each not in done]
        return -len(held), key[0], -sum(mails[each] for each in held), key[1]

    done: set[str] = set()
    queue = [(worth(key), key) for key in groups]
    heapq.heapify(queue)
    chosen = []
    while queue and len(done) < len(mails):
        held, key = heapq.heappop(queue)
        now = worth(key)
        if now != held:
            # What was taken meanwhile makes a group only smaller, so it goes back to its new place.
            if now[0]:
                heapq.heappush(queue, (now, key))
            continue
        members = tuple(each for each in groups[key] if each not in done)
        done.update(members)
        chosen.append((key, members))
    return chosen


def _title(about: About, topic: str, held: Sequence[Sender]) -> Text:
    titles = {
        About.OWNER: Text("What {owner} answers for", owner=topic),
        About.SERVICE: Text("The service that sends with the envelope domain {domain}", domain=topic),
        About.MAILBOX: Text("Mail in the name of {mailbox}", mailbox=topic),
        About.NETWORK: Text("Mail from {network}", network=topic),
        About.SENDER: held[0].label,
    }
    return titles[about]


def _known_owners(senders: Iterable[Sender]) -> Mapping[str, str]:
    """Give who answers for a mailbox, an address or an envelope domain of senders that somebody owns already."""
    known: dict[str, str] = {}
    for sender in sorted(senders, key=lambda each: (-each.mails, each.id)):
        owner = _owner(sender) if sender.legitimate else None
        if owner:
            shared = (*sender.header_from, *addresses(sender.flows), *sender.mail_from_domains[:1])
            for each in shared:
                known.setdefault(each, owner)
    return known


def _addressee(
    held: Sequence[Sender],
    about: About,
    known: Mapping[str, str],
    networks: Sequence[KnownNetwork],
) -> Addressee:
    first = held[0]
    owner = _owner(first)
    if owner and first.ruling is not None:
        return Addressee(owner, _OWNER, Text("Answers for it since it was decided about."))
    if owner:
        return Addressee(owner, _OWNER, Text("The register or an address plan names this owner."))
    places = [address for sender in held for address in addresses(sender.flows)]
    shared = [*first.header_from[:1], *places, *first.mail_from_domains[:1]]
    beside = next((each for each in shared if each in known), None)
    if beside is not None:
        why = Text("Answers already for another sender with {shared}.", shared=beside)
        return Addressee(known[beside], _OWNER, why)
    names = {name for sender in held for name in sender.header_from}
    if len(names) == 1 and first.header_from and any(each.code == "as-mailbox" for each in first.because):
        why = Text("The mail is written in the name of this mailbox, which is in the organisation.")
        return Addressee(first.header_from[0], Text("The person whose mailbox it is"), why)
    place = next((each for each in (_known_place(address, networks) for address in places) if each), None)
    if place is not None:
        why = Text("The configuration knows the network as “{name}”.", name=place.name)
        return Addressee(None, Text("Whoever answers for “{name}”", name=place.name), why)
    if any(sender.tie is not None for sender in held):
        why = Text("Network evidence shows which hosts inside it could be.")
        return Addressee(None, Text("Network team"), why)
    if about is About.SERVICE or first.kind is Kind.SERVICE:
        why = Text("It sends like a service that somebody ordered; its contract names the department.")
        return Addressee(None, Text("Whoever buys services"), why)
    if len(names) > 1 and about is About.NETWORK:
        why = Text("It writes under {number} names, so that none of them answers for it.", number=len(names))
        return Addressee(None, Text("Exchange administrator"), why)
    if len(names) == 1 and first.header_from and not first.header_from[0].startswith("@"):
        why = Text("No owner is known; the name it writes under is the only lead.")
        return Addressee(None, Text("Whoever answers for {mailbox}", mailbox=first.header_from[0]), why)
    return Addressee(
        None, Text("Exchange administrator"), Text("Nothing in the evidence points to an owner.")
    )


_OWNER = Text("The owner")
