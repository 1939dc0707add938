"""Flows to senders: grouped, judged, named, with ids that stay."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from hashlib import sha256
from typing import TypeVar

from portero.core.address import domain_of, exact_network, neighbourhood
from portero.core.case import Case, Context, judgement_of, lenders
from portero.core.crowd import Crowd, find_crowds
from portero.core.exchange.attribution import (
    attribute,
    envelope_domain,
    path_of,
    seen_connectors,
    through_gateway,
)
from portero.core.exchange.outbound import left_by_exchange
from portero.core.flow import Facts, Flow, OutsideFlow, by_address, merge_facts
from portero.core.grouping import Placed, anchor, group
from portero.core.judge import look_at, weigh, weigh_again
from portero.core.neighbours import find_neighbours
from portero.core.register import Configuration, Criticality, RegisterEntry
from portero.core.reported import WITNESS as REPORTED
from portero.core.reported import reported_flows, with_reports, without_reports
from portero.core.sender import WORD_ODDS, DecidedBy, Judgement, Kind, Path, Reason, Sender
from portero.core.text import Text

_Word = TypeVar("_Word", bound=str)


def find_senders(
    flows: Sequence[Flow], outside: Sequence[OutsideFlow], context: Context, configuration: Configuration
) -> tuple[Sender, ...]:
    """
    Find and judge the senders behind flows; those with most mail first.

    Judged twice: first each on its own evidence, then also beside those that were found legitimate, so that a copy
    of an established name counts against it.
    """
    settings = context.settings
    outside = _from_inside(outside, context)
    seen = seen_connectors(flows)

    def place(flow: Flow) -> Placed:
        attribution = attribute(flow, settings, seen)
        return Placed(flow, attribution, path_of(flow, settings, attribution))

    one_by_one, crowds = find_crowds(
        outside, flows, place, lambda item: _known(item, context) or _is_registered(item, configuration)
    )
    placed = [place(flow) for flow in (*flows, *reported_flows(one_by_one, flows))]
    entries, rest = _registered(placed, configuration)
    groups = group(rest, settings, context.mailboxes)
    cases = [look_at(each, context) for each in groups]
    # Of a crowd one is looked at, for all are alike: that they are many speaks against none of them.
    apart = [look_at(each.examples[:1], context) for each in crowds]
    known = [item for _, members in entries for item in members]
    everyone = [*cases, *apart]
    reasons = _weighed(everyone, known)
    rows = by_address(one_by_one)
    found = [
        _sender(part, case.facts, held, context, rows, None)
        for part, case, held in zip(groups, cases, reasons, strict=False)
    ]
    for crowd, held in zip(crowds, reasons[len(cases) :], strict=True):
        said = (*held, _told_together(crowd.addresses))
        found.append(_sender(crowd.examples, crowd.facts, said, context, {}, None, crowd))
    for entry, members in entries:
        facts = merge_facts(item.flow.facts for item in members)
        found.append(_sender(tuple(members), facts, (), context, rows, entry))
    return tuple(sorted(found, key=lambda sender: (-sender.mails, sender.id)))


def judge_apart(
    parts: Mapping[str, Sequence[Flow]],
    senders: Sequence[Sender],
    outside: Sequence[OutsideFlow],
    context: Context,
) -> dict[str, Sender]:
    """
    Judge mail that was taken out of senders, each part on its own evidence and beside those it was found among.

    parts:    the mail of each, by the id it gets.
    senders:  all senders as evidence found them; those with a name or an address of a part are looked at beside it.
    """
    seen = seen_connectors(flow for each in senders for flow in each.flows)

    def placed(flows: Iterable[Flow]) -> tuple[Placed, ...]:
        found = []
        for flow in map(without_reports, flows):
            attribution = attribute(flow, context.settings, seen)
            found.append(Placed(flow, attribution, path_of(flow, context.settings, attribution)))
        return tuple(found)

    held = {identity: placed(flows) for identity, flows in parts.items()}
    keys = {flow.key for flows in parts.values() for flow in flows}
    near = {mark for members in held.values() for item in members for mark in (item.name, item.place) if mark}
    cases = {identity: look_at(members, context) for identity, members in held.items()}
    beside: list[Case] = []
    known: list[Placed] = []
    for sender in senders:
        rest = placed(flow for flow in sender.flows if flow.key not in keys)
        if not any(item.name in near or item.place in near for item in rest):
            continue
        if sender.decided_by is DecidedBy.REGISTER:
            known += rest
        else:
            beside.append(look_at(rest, context))
    reasons = _weighed([*cases.values(), *beside], known)
    rows = by_address(_from_inside(outside, context))
    return {
        identity: replace(_sender(held[identity], case.facts, said, context, rows, None), id=identity)
        for (identity, case), said in zip(cases.items(), reasons, strict=False)
    }


def _weighed(cases: Sequence[Case], registered: Sequence[Placed]) -> list[tuple[Reason, ...]]:
    """Weigh each on its own evidence, then also beside those that were found legitimate so."""
    alone = [weigh(case) for case in cases]
    neighbours = find_neighbours(cases, alone, registered)
    return [weigh_again(case, held, neighbours) for case, held in zip(cases, alone, strict=True)]


def join_senders(
    identity: str, senders: Sequence[Sender], outside: Sequence[OutsideFlow], context: Context
) -> Sender:
    """Give one sender of several, judged as the one of them that most speaks against it: joining never earns trust."""
    worst = max(senders, key=lambda each: sum(reason.weight for reason in each.because))
    flows = [flow for each in senders for flow in each.flows]
    seen = seen_connectors(flows)
    members = []
    for flow in flows:
        attribution = attribute(flow, context.settings, seen)
        members.append(Placed(flow, attribution, path_of(flow, context.settings, attribution)))
    crowd = tuple(sorted({address for each in senders for address in each.crowd}))
    facts = merge_facts(
        facts
        for each in senders
        for facts in ((each.facts,) if each.crowd else [flow.facts for flow in each.flows])
    )
    # Which service it is is found anew, for all of its mail.
    because = tuple(each for each in worst.because if each.code != "service-named")
    rows = by_address(_from_inside(outside, context))
    reported = tuple(row for address in crowd for row in rows.get(address, ()))
    held = Crowd((), reported, crowd, facts) if crowd else None
    made = _sender(tuple(members), facts, because, context, rows, None, held)
    return replace(
        made,
        id=identity,
        judgement=worst.judgement,
        confidence=worst.confidence,
        decided_by=worst.decided_by,
        owner=next((each.owner for each in senders if each.owner), None),
        purpose=next((each.purpose for each in senders if each.purpose), None),
        criticality=max(
            (each.criticality for each in senders if each.criticality),
            key=list(Criticality).index,
            default=None,
        ),
    )


def _from_inside(outside: Iterable[OutsideFlow], context: Context) -> tuple[OutsideFlow, ...]:
    """Give reported mail with ``""`` for the source of what left by Exchange Online, as a flow from inside has it."""
    return tuple(
        replace(row, source_ip="") if left_by_exchange(row, context.settings, context.spf) else row
        for row in outside
    )


def _registered(
    placed: Sequence[Placed], configuration: Configuration
) -> tuple[list[tuple[RegisterEntry, list[Placed]]], list[Placed]]:
    if not configuration.register:
        return [], list(placed)
    rest: list[Placed] = []
    taken: dict[int, list[Placed]] = {}
    for item in placed:
        match = next(
            (n for n, entry in enumerate(configuration.register) if entry.matches(item.flow.key)), None
        )
        (rest if match is None else taken.setdefault(match, [])).append(item)
    return [(configuration.register[n], members) for n, members in sorted(taken.items())], rest


def _sender(
    members: tuple[Placed, ...],
    facts: Facts,
    reasons: tuple[Reason, ...],
    context: Context,
    outside: Mapping[str, tuple[OutsideFlow, ...]],
    entry: RegisterEntry | None,
    crowd: Crowd | None = None,
) -> Sender:
    if entry is not None:
        reasons = (_word_of(entry),)
    judgement, confidence = judgement_of(sum([reason.weight for reason in reasons]))
    if entry is not None and entry.judgement == "undecided":
        judgement, confidence = Judgement.UNDECIDED, 0.5
    ways = [(item.flow.key, item.flow.facts.mails) for item in members]
    together = crowd.addresses if crowd else ()
    addresses = sorted({*together, *(key.client_ip for key, _ in ways if key.client_ip)})
    rows = list(crowd.rows) if crowd else []
    if outside:
        inside = [""] if any(item.path is Path.INTERNAL for item in members) else []
        one_by_one = [*inside, *sorted({*addresses} - {*together})]
        rows += [row for address in one_by_one for row in outside.get(address, ())]
    if rows:
        written_as = {domain_of(item.name) for item in members if item.name}
        rows = [row for row in rows if row.header_from in written_as]
    kind = _kind(members, facts, judgement, context, {row.envelope for row in rows if row.envelope})
    witnesses = facts.witnessed
    if rows:
        witnesses = {**witnesses, REPORTED: sum(row.mails for row in rows)}
    # How a summary's mail came in is assumed; where better witnesses saw some of it, their word stands for all.
    envelopes = [envelope_domain(key) for key, _ in ways]
    known = [item for item, (_, assumed) in zip(members, envelopes, strict=True) if not assumed]
    paths = _ranked([(item.path, item.flow.facts.mails) for item in known or members])
    envelope = _ranked(
        [
            (domain, mails)
            for (_, mails), (domain, _) in zip(ways, envelopes, strict=True)
            if domain is not None
        ]
    )
    named = [(item.name, item.flow.facts.mails) for item in members if item.name]
    names, connector = _ranked(named), _connector(members)
    written = _ranked([(name, mails) for key, mails in ways if (name := key.header_from or key.sender)])
    return Sender(
        id=_id(members, context, entry),
        label=_label(entry, kind, names, addresses, connector)
        if not members[0].once
        else Text(
            "Group of {number} addresses in the name of {domain}, each reported once by others",
            number=len(addresses),
            domain=domain_of(members[0].name),
        ),
        kind=kind,
        judgement=judgement,
        confidence=confidence,
        decided_by=DecidedBy.EVIDENCE if entry is None else DecidedBy.REGISTER,
        path=paths[0],
        connector=connector,
        client_networks=_networks(addresses),
        mail_from_domains=envelope,
        header_from_domains=_ranked([(domain_of(name), number) for name, number in named]),
        header_from=tuple([name for name in written if not name.startswith("@")]),
        ehlo=_ranked([(key.ehlo, mails) for key, mails in ways if key.ehlo]),
        mails=facts.mails,
        outside=sum([row.mails for row in rows if not row.to_us]),
        witnesses=witnesses,
        recipients=facts.recipients.value,
        first_seen=facts.first_seen,
        last_seen=facts.last_seen,
        because=reasons,
        flows=tuple([with_reports(item.flow, rows) if rows else item.flow for item in members]),
        facts=facts,
        crowd=together,
        owner=entry.owner if entry else None,
        purpose=entry.purpose if entry else None,
        criticality=entry.criticality if entry else None,
    )


def _connector(members: Sequence[Placed]) -> str | None:
    """Name the connector that takes a sender's mail; None where none does."""
    through = [item for item in members if item.path is Path.CONNECTOR]
    held = [item.attribution.connector.name for item in through if item.attribution.connector is not None]
    named = [item.flow.key.connector for item in through if item.flow.key.connector]
    return next(iter(held or named), None)


def _known(item: Placed, context: Context) -> bool:
    """Tell whether anything but its mail speaks for an address: the configuration, network evidence, its SPF record."""
    address = item.flow.key.client_ip
    if not address:
        return True
    author = domain_of(item.name)
    envelope = envelope_domain(item.flow.key)[0] or author
    return (
        context.network_use(address) is not None
        or (address, item.name) in context.ties
        or "pass" in {context.spf(address, domain) for domain in {author, envelope}}
    )


def _is_registered(item: Placed, configuration: Configuration) -> bool:
    return any(entry.matches(item.flow.key) for entry in configuration.register)


def _told_together(addresses: Sequence[str]) -> Reason:
    text = Text(
        "Others reported one mail from each of {number} addresses, and each failed. They are so many that they are shown "
        "together; that does not make them one sender, and the weights are those of one alone.",
        number=len(addresses),
    )
    return Reason("reported-once", text, 0.0)


def _word_of(entry: RegisterEntry) -> Reason:
    weight = WORD_ODDS[Judgement(entry.judgement)]
    text = Text("The register says so: “{label}”.", label=entry.label)
    return Reason("register", text, weight, (entry.origin,) if entry.origin else ())


def _ranked(counted: Sequence[tuple[_Word, int]]) -> tuple[_Word, ...]:
    if len(counted) == 1:
        return (counted[0][0],)
    total: dict[_Word, int] = {}
    for value, number in counted:
        total[value] = total.get(value, 0) + number
    if len(total) < 2:
        return tuple(total)
    return tuple(value for value, _ in sorted(total.items(), key=lambda pair: (-pair[1], pair[0])))


def _networks(addresses: Sequence[str]) -> tuple[str, ...]:
    """Give single addresses; from nine addresses in one neighbourhood on, the neighbourhood."""
    if len(addresses) < 2:
        return tuple(map(exact_network, addresses))
    near: dict[str, list[str]] = {}
    for address in addresses:
        near.setdefault(neighbourhood(address), []).append(address)
    return tuple(
        network
        for wide, members in sorted(near.items())
        for network in ([wide] if len(members) > 8 else [exact_network(each) for each in members])
    )


def _id(members: Sequence[Placed], context: Context, entry: RegisterEntry | None) -> str:
    """Give an id from what stays when the window moves: the register's label, or the group's anchor."""
    text = (
        f"register|{entry.label}"
        if entry is not None
        else anchor(members, context.settings, context.mailboxes)
    )
    return "s-" + sha256(text.encode()).hexdigest()[:12]


def _kind(
    members: Sequence[Placed],
    facts: Facts,
    judgement: Judgement,
    context: Context,
    reported: Collection[str],
) -> Kind:
    """
    Tell what a sender is; unknown where its mail does not show it.

    reported:  the envelope domains that DMARC reports know of its addresses and its domain.
    """
    if judgement is Judgement.ABUSE:
        return Kind.SPOOFER
    settings, paths = context.settings, {item.path for item in members}
    held = members[0].attribution.connector
    if paths == {Path.INTERNAL}:
        return Kind.MAILBOX
    if any(through_gateway(item.flow.key, settings) for item in members):
        return Kind.GATEWAY
    if paths == {Path.CONNECTOR} and held is not None and held.cloud_services_mail:
        return Kind.HYBRID
    names = {item.name for item in members if item.name}
    subjects = facts.distinct_shapes.value
    if (
        len(names) >= 5
        and facts.mails >= 10
        and subjects * 5 >= facts.mails * 3
        and paths != {Path.CONNECTOR}
    ):
        return Kind.FORWARDER
    # People's own signatures from a host that SPF does not know: their mail has been elsewhere and comes home.
    people = names & context.mailboxes
    if (
        len(names) >= 5
        and len(people) * 2 > len(names)
        and facts.dkim.get("pass")
        and not facts.spf.get("pass")
    ):
        return Kind.FORWARDER
    if paths == {Path.FOREIGN_ENVELOPE}:
        return Kind.SERVICE
    # Reports may know that all its envelopes are foreign where a summary leaves that open.
    open_to_reports = reported and paths <= {Path.DIRECT_SEND, Path.UNDETERMINED}
    if open_to_reports and all(settings.accepted(domain) is False for domain in reported):
        return Kind.SERVICE
    passes = any(item.authenticated for item in members)
    addresses = {item.place for item in members if item.place}
    signed = any(settings.names_us(domain) for domain in facts.dkim_domains)
    if (
        passes
        and (signed or facts.dkim.get("pass") or len(addresses) > 3)
        and paths & {Path.DIRECT_SEND, Path.UNDETERMINED}
    ):
        return Kind.SERVICE
    # Whoever sends by a record that serves many is one of its customers, however like a device it sends.
    if paths <= {Path.DIRECT_SEND, Path.UNDETERMINED} and lenders(members, context):
        return Kind.SERVICE
    if paths == {Path.UNDETERMINED} and not addresses:
        # Neither where it came from nor how: people's mailboxes look the same.
        return Kind.UNKNOWN
    if facts.mails >= 2 and subjects <= max(3, facts.mails // 5):
        return Kind.DEVICE if facts.recipients.value <= 30 and len(names) <= 50 else Kind.APPLICATION
    if paths & {Path.CONNECTOR, Path.AUTHENTICATED}:
        return Kind.APPLICATION
    return Kind.UNKNOWN


def _label(
    entry: RegisterEntry | None,
    kind: Kind,
    names: Sequence[str],
    addresses: Sequence[str],
    connector: str | None,
) -> Text:
    if entry is not None:
        return Text("{name}", name=entry.label)
    name = names[0] if names else "?"
    if kind is Kind.MAILBOX:
        return Text("Mailboxes of {domain}", domain=name.removeprefix("@"))
    if kind is Kind.HYBRID:
        return Text("Exchange servers behind “{connector}”", connector=connector or "?")
    if kind is Kind.SPOOFER:
        place: object = addresses[0] if addresses else Text("an unknown address")
        if len(names) > 1:
            return Text(
                "Spoofer at {address}, writing under {number} names", address=place, number=len(names)
            )
        return Text("Spoofer at {address}, writing as {name}", address=place, name=name)
    if len(addresses) == 1 and len(names) > 1:
        return Text(
            "{number} names from {address}, such as {name}",
            number=len(names),
            address=addresses[0],
            name=name,
        )
    if len(addresses) == 1:
        return Text("{name} from {address}", name=name, address=addresses[0])
    if addresses:
        return Text("{name} from {number} addresses", name=name, number=len(addresses))
    return Text("{name}", name=name)


def window_of(flows: Sequence[Flow]) -> tuple[datetime, datetime] | None:
    """Give the bounds of the flows' times."""
    first = [flow.facts.first_seen for flow in flows if flow.facts.first_seen]
    last = [flow.facts.last_seen for flow in flows if flow.facts.last_seen]
    return (min(first), max(last)) if first and last else None
