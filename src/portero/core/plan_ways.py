"""The middle of the plan: each sender that a refusing control concerns gets another way in, with proof."""

from __future__ import annotations

from collections.abc import Sequence

from portero.core.address import exact_network, neighbourhood
from portero.core.exchange.attribution import within
from portero.core.exchange.change import Change, putting_in
from portero.core.exchange.new_connector import connector_blocks, new_connector
from portero.core.exchange.settings import Settings, Tenant
from portero.core.plan_elsewhere import elsewhere, other_system, shared_domain
from portero.core.plan_lock import LOCK_NAME, Lock, connector_of
from portero.core.plan_needs import Need, at_stake
from portero.core.plan_steps import ADMINISTRATOR, Draft, labels
from portero.core.simulate import Replay
from portero.core.step import Risk
from portero.core.text import Text, count, sentences
from portero.core.ways_in import Neighbours, Way, addresses, listable, unasked, vouched, way_in


def give_ways_in(
    draft: Draft,
    neighbours: Neighbours,
    needing: Sequence[Need],
    replay: Replay,
    tenant: Tenant,
    lock: Lock | None,
) -> tuple[int, ...]:
    """
    Write one step for each way in, or for each site, vendor and forwarder; gives the steps' numbers.

    lock:  what will refuse all mail but the gateway's; its list is proven here, and what stands in it needs no connector.
    """
    by_way: dict[Way, list[Need]] = {}
    empty: list[Need] = []
    for need in sorted(needing, key=lambda each: each.sender.id):
        if lock is None and need.sender.legitimate and not need.refused and _only_empty(need):
            empty.append(need)
            continue
        way = way_in(need.sender, need.flows, neighbours)
        if need.proving and need.sender.legitimate:
            way = Way.PROOF
        by_way.setdefault(way, []).append(need)
    connected = by_way.get(Way.CONNECTOR, [])
    unvouched = [need for need in connected if need.today or not unasked(need.sender)]
    listed = [
        Need(sender, sender.mails, 0, sender.flows)
        for sender in replay.senders
        if lock is not None and sender.id in lock.unvouched and sender.id not in _ids(unvouched)
    ]
    confirmed = _confirm(draft, [*unvouched, *listed]) if unvouched or listed else None
    made = [] if confirmed is None else [confirmed]
    if by_way.get(Way.PROOF):
        made.append(_prove(draft, by_way[Way.PROOF]))
    if empty:
        made.append(_try(draft, empty))
    made += [_connector(draft, site) for site in _sites([n for n in connected if n not in unvouched])]
    made += [_connector(draft, site, confirmed) for site in _sites(unvouched)]
    if lock is not None:
        made.append(_prove_lock(draft, by_way.get(Way.GATEWAY, []), lock, tenant))
    elif by_way.get(Way.GATEWAY):
        made.append(_gateway(draft, by_way[Way.GATEWAY], replay.settings))
    vendors = by_way.get(Way.RETURN_PATH, [])
    for domain, people in elsewhere(vendors, replay).items():
        made.append(other_system(draft, domain, people, shared=shared_domain(domain, replay.settings)))
        vendors = [need for need in vendors if need not in people]
    made += [_vendor(draft, customers) for customers in _by_service(vendors)]
    made += [_forwarder(draft, need) for need in by_way.get(Way.FORWARDER, [])]
    for way, together in ((Way.HYBRID, _hybrid), (Way.AUTHENTICATED, _authenticated), (Way.DECISION, _act)):
        if by_way.get(way):
            made.append(together(draft, by_way[way]))
    return tuple(made)


def _sites(held: Sequence[Need]) -> list[list[Need]]:
    """Group senders by the network of their first address, so that one connector serves one site."""
    sites: dict[str, list[Need]] = {}
    for need in held:
        sites.setdefault(neighbourhood(addresses(need.flows)[0]), []).append(need)
    return [sites[network] for network in sorted(sites)]


def _ids(held: Sequence[Need]) -> tuple[str, ...]:
    return tuple(need.sender.id for need in held)


def _confirm(draft: Draft, held: list[Need]) -> int:
    behaving = [need.sender for need in held if not vouched(need.sender)]
    changed = [need.sender for need in held if need.sender.unlike_itself]
    why = [at_stake(held)]
    if refused := [need.sender for need in held if need.today]:
        why.append(
            Text(
                "Direct Send is refused already, and no trace shows what is refused: whether {senders} still send, and are cut "
                "off, only their owners and their own logs tell.",
                senders=labels(refused),
            )
        )
    if behaving:
        why.append(
            Text(
                "Neither SPF, DKIM, a connector, the register, a network of yours nor a person vouches for {senders}, and a "
                "patient forger can behave like a machine for months. A connector would let such a forger in for good.",
                senders=labels(behaving),
            )
        )
    if changed:
        why.append(
            Text(
                "Part of the mail from {senders} is unlike it, as if somebody else used the address; a connector would let "
                "that in too.",
                senders=labels(changed),
            )
        )
    return draft.add(
        name="confirm",
        title=Text("Have the owners confirm machines before a connector lets them in"),
        why=sentences(why),
        do=Text(
            "Find whoever owns {senders}, and have them confirm the machine, its address and its mail. Record the answer: "
            "wanted with its owner, or abuse; then plan again. Until then apply.ps1 writes no connector for them. Where the "
            "reverse name of an address is a mail service's, others send from it too: let it in by no connector, and have the "
            "service use a return-path of its own.",
            senders=labels(need.sender for need in held),
        ),
        verify=Text("Run the audit again: the register or a person has decided each of them."),
        undo=Text("Take the answer out of the register; the plan asks again."),
        senders=_ids(held),
        risk=Risk.MEDIUM,
        owner=Text("The owner of the sender"),
        after=draft.numbers("measure"),
    )


def _prove(draft: Draft, held: list[Need]) -> int:
    return draft.add(
        name="prove",
        title=count(
            "Find out the envelope sender of {senders}",
            "Find out the envelope senders of {senders}",
            len(held),
            senders=labels(need.sender for need in held),
        ),
        why=Text(
            "{numbers} A trace summary shows one sender, and theirs may be the visible From over an envelope of another "
            "domain, with which Reject Direct Send has no concern.",
            numbers=at_stake(held),
        ),
        do=Text(
            "Export Extended message traces, or the trace detail of one mail of each. Where MAIL FROM names a domain that "
            "is not yours, nothing is to be done. Where it names yours, plan again with that export: the sender then "
            "gets a way in."
        ),
        verify=Text("Run the audit again with the export: none of their mail is undetermined."),
        undo=Text("Nothing is changed."),
        senders=_ids(held),
        risk=Risk.LOW,
        owner=ADMINISTRATOR,
        after=draft.numbers("measure"),
    )


def _connector_name(ranges: Sequence[str]) -> str:
    """Name a connector by what it lists, so that nobody takes one address for its network."""
    first = ranges[0].removesuffix("/32")
    return f"portero {first}" if len(ranges) == 1 else f"portero {first} +{len(ranges) - 1}"


def _only_empty(need: Need) -> bool:
    return all(flow.key.mail_from_domain == "" for flow in need.flows)


def _try(draft: Draft, held: list[Need]) -> int:
    """No way in helps where only automatic replies and bounces are in doubt: what becomes of them is tried."""
    return draft.add(
        name="try",
        title=Text("Prepare to try mail with an empty envelope sender"),
        why=Text(
            "{numbers} They are automatic replies and bounces of {senders}, which carry MAIL FROM:<>. By its wording Reject "
            "Direct Send has no concern with them, but no document says so.",
            numbers=at_stake(held),
            senders=labels(need.sender for need in held),
        ),
        do=Text(
            "Agree with whoever receives them which of them are needed, and on an automatic reply that is sent in the hour "
            "after Direct Send is refused."
        ),
        verify=Text(
            "The automatic reply arrives. Where it does not, take the refusing step back, or have the owner sign that such "
            "mail may be lost."
        ),
        undo=Text("Nothing is changed."),
        senders=_ids(held),
        risk=Risk.LOW,
        owner=ADMINISTRATOR,
        after=draft.numbers("measure"),
    )


def _places(ranges: Sequence[str]) -> Text | tuple[str, ...]:
    """Name the addresses themselves: their network would name other people's machines too."""
    plain = tuple(each.removesuffix("/32") for each in ranges)
    if len(plain) <= 3:
        return plain
    return count(
        "{first} and {n} other address", "{first} and {n} other addresses", len(plain) - 1, first=plain[0]
    )


def _connector(draft: Draft, held: list[Need], confirmed: int | None = None) -> int:
    """
    Write a connector for a site.

    confirmed:  the step in which owners vouch for these machines; until they do, no script makes the connector.
    """
    ranges = tuple(sorted({exact_network(each) for need in held for each in addresses(need.flows)}))
    name = _connector_name(ranges)
    make = Text(
        "Create the Partner connector “{name}” for {ranges}, without a Restrict flag. It admits whoever sends from "
        "these addresses: keep guests and other tenants off them.",
        name=name,
        ranges=ranges,
    )
    return draft.add(
        title=count(
            "Give the machine at {place} a connector by address",
            "Give the machines at {place} a connector by address",
            len(held),
            place=_places(ranges),
        ),
        why=at_stake(held),
        do=make if confirmed is None else Text("Only once their owner has confirmed them. {make}", make=make),
        verify=Text(
            "After an hour send a test from each of {senders}. The message detail must name connector “{name}”. "
            "Microsoft's documents disagree on such connectors: where another name stands, move the machine to an "
            "authenticated relay before any refusing step.",
            senders=labels(need.sender for need in held),
            name=name,
        ),
        undo=Text("Remove the connector “{name}”; the mail then arrives as it does today.", name=name),
        senders=_ids(held),
        risk=Risk.LOW if confirmed is None else Risk.HIGH,
        owner=ADMINISTRATOR,
        after=() if confirmed is None else (confirmed,),
        controls=("allow=" + ",".join(ranges),),
        commands=new_connector(name, ranges, lock=False) if confirmed is None else (),
    )


def _prove_lock(draft: Draft, held: list[Need], lock: Lock, tenant: Tenant) -> int:
    """
    Make the lock switched off and prove its list, for one missing server of the gateway loses mail.

    Source: reference exchange-online 1.6 and 6.2.
    """
    name = lock.standing or LOCK_NAME
    waiting = {each for addresses in lock.unvouched.values() for each in addresses}
    ranges = tuple(each for each in (lock.lacking if lock.standing else lock.ranges) if each not in waiting)
    outside = [
        need for need in held if not all(within(each.key.client_ip, lock.ranges) for each in need.flows)
    ]
    said = []
    if not lock.standing:
        said.append(
            Text(
                "Create the Partner connector “{name}” for every sender domain, restricted to {ranges}, switched off: so it "
                "refuses nothing.",
                name=name,
                ranges=ranges,
            )
        )
    elif ranges:
        said.append(
            Text(
                "Connector “{name}” is such a lock and is off. Add {ranges} to its list, and leave it off.",
                name=name,
                ranges=ranges,
            )
        )
    else:
        said.append(Text("Connector “{name}” is such a lock and is off. Leave it off.", name=name))
    if lock.guessed:
        said.append(
            count(
                "{guessed} is only the network of gateway servers that were seen: it may be too little, and hold other "
                "people's servers.",
                "{guessed} are only the networks of gateway servers that were seen: they may be too few, and hold other "
                "people's servers.",
                len(lock.guessed),
                guessed=lock.guessed,
            )
        )
    said.append(
        Text(
            "Compare the list with the one that the gateway's vendor publishes for your region: complete it, and take out "
            "what is neither there nor a machine of yours. Better still, restrict to the name on the certificate that its servers present, if the "
            "vendor names one."
        )
    )
    if waiting:
        said.append(
            Text(
                "Add {ranges} once the owners have confirmed their machines; apply.ps1 does not.",
                ranges=tuple(sorted(waiting)),
            )
        )
    return draft.add(
        name="prove-lock",
        title=Text("Draw up the lock at the gateway, switched off, and prove its list"),
        why=sentences(
            [
                Text(
                    "Once the lock is on, mail is lost of every server of the gateway that its list leaves out."
                ),
                *([at_stake(held)] if held else []),
            ]
        ),
        do=sentences(said),
        verify=Text(
            "The list holds all of the vendor's, and the connector report of the last 30 days shows no mail of the gateway "
            "from outside it. Without that proof the lock stays off. Export the connectors and plan again: the plan takes "
            "the list over, and only then does apply.ps1 switch it on."
        ),
        undo=Text("Take back what was added to “{name}”, or remove it; it was off.", name=name),
        senders=_ids(held),
        risk=Risk.LOW,
        owner=ADMINISTRATOR,
        after=draft.numbers("measure"),
        moved=_ids(outside),
        commands=_drawn(name, ranges, lock, tenant),
    )


def _drawn(name: str, ranges: tuple[str, ...], lock: Lock, tenant: Tenant) -> tuple[Change, ...]:
    if lock.standing is None:
        return new_connector(name, ranges, lock=True, enabled=False)
    held = connector_of(tenant, name)
    return () if held is None else putting_in(held, "SenderIPAddresses", connector_blocks(ranges) or ())


def _gateway(draft: Draft, held: list[Need], settings: Settings) -> int:
    ranges = settings.gateway_networks or tuple(
        sorted({exact_network(each) for need in held for each in addresses(need.flows) if listable(each)})
    )
    # Known ranges carry the mail by a connector, which lists no IPv6; only what lies outside the list depends on the proof
    # of this step.
    listed = tuple(each for each in ranges if connector_blocks((each,)) is not None)
    outside = [need for need in held if not all(within(each.key.client_ip, listed) for each in need.flows)]
    allowed = ("allow=" + ",".join(listed),) if listed else ()
    return draft.add(
        title=Text("Make sure that the gateway's mail is known by its ranges"),
        why=at_stake(held),
        do=Text(
            "Compare {ranges} with the ranges the gateway publishes, complete them, and make a Partner connector for them.",
            ranges=ranges or (Text("no known range"),),
        ),
        verify=Text("The connector report of the last 30 days shows no gateway server outside the list."),
        undo=Text("Nothing is refused by this step. Remove the connector if one was made."),
        senders=_ids(held),
        risk=Risk.LOW,
        owner=ADMINISTRATOR,
        controls=allowed,
        moved=_ids(outside),
        commands=new_connector("portero gateway", listed, lock=False),
    )


def _by_service(held: Sequence[Need]) -> list[list[Need]]:
    """Group what comes through the same known service, which is asked once."""
    asked: dict[str, list[Need]] = {}
    for need in held:
        asked.setdefault(need.sender.service or need.sender.id, []).append(need)
    return list(asked.values())


def _vendor(draft: Draft, held: list[Need]) -> int:
    domains = dict.fromkeys(
        domain
        for need in held
        for domain in (need.sender.header_from_domains or need.sender.mail_from_domains)
    )
    return draft.add(
        title=Text("Have {service} use a return-path of its own", service=held[0].sender.service)
        if len(held) > 1
        else Text("Have {sender} use its own return-path", sender=held[0].sender.label),
        why=at_stake(held),
        do=Text(
            "Ask the vendor for a return-path (MAIL FROM) on a sub-domain that is not an accepted domain and lies below "
            "none with MatchSubDomains, with SPF for it and DKIM for {domains}, delivered by way of the MX. Its "
            "addresses are shared, so no connector is made for them.",
            domains=tuple(domains),
        ),
        verify=Text("A mail of this vendor shows the new return-path in its header, and dmarc=pass."),
        undo=Text("Have the vendor set the former return-path again; it works until Direct Send is refused."),
        senders=_ids(held),
        risk=Risk.MEDIUM,
        owner=Text("The vendor, asked by the owner of the sender"),
        moved=_ids(held),
    )


def _forwarder(draft: Draft, need: Need) -> int:
    return draft.add(
        title=Text("Settle what {sender} forwards", sender=need.sender.label),
        why=at_stake([need]),
        do=Text(
            "Have the forwarder rewrite the envelope sender (SRS, or a domain of its own). Where it cannot, the owner "
            "signs that this mail may be lost, and the register says so."
        ),
        verify=Text(
            "A forwarded mail shows a foreign return-path, or the register names who accepted the loss."
        ),
        undo=Text("Switch the rewriting off at the forwarder."),
        senders=_ids([need]),
        risk=Risk.MEDIUM,
        owner=Text("The owner of the sender"),
        moved=_ids([need]),
    )


def _hybrid(draft: Draft, held: list[Need]) -> int:
    return draft.add(
        title=Text("Check the connector of the organisation's own Exchange servers"),
        why=at_stake(held),
        do=Text(
            "Check that the OnPremises connector names the certificate or the addresses that {senders} present, and "
            "that the servers' addresses are in the lock where there is one.",
            senders=labels(need.sender for need in held),
        ),
        verify=Text("The message detail of a test mail from each server names that connector."),
        undo=Text("Nothing is changed unless the connector was wrong; restore it from its export."),
        senders=_ids(held),
        risk=Risk.MEDIUM,
        owner=ADMINISTRATOR,
        moved=_ids(held),
    )


def _authenticated(draft: Draft, held: list[Need]) -> int:
    return draft.add(
        title=Text("Move senders without an address of their own to authenticated sending"),
        why=Text(
            "{numbers} Their addresses are dynamic, shared, IPv6, unknown, or in a network that also sends abuse, so a "
            "connector would admit others too.",
            numbers=at_stake(held),
        ),
        do=Text(
            "Let {senders} send by an authenticated relay, by SMTP AUTH with OAuth, or by High Volume Email where all "
            "recipients are inside. Basic authentication is no way: it ends.",
            senders=labels(need.sender for need in held),
        ),
        verify=Text(
            "For each of them a trace of a new mail shows direction Originating, and a week passes without anonymous "
            "mail of it. Without that proof the refusing steps must wait."
        ),
        undo=Text("Set the former server in the machine again; it works until Direct Send is refused."),
        senders=_ids(held),
        risk=Risk.MEDIUM,
        owner=Text("The owner of the sender"),
        moved=_ids(held),
    )


def _act(draft: Draft, held: list[Need]) -> int:
    return draft.add(
        title=Text("Carry out what was decided about undecided senders"),
        why=at_stake(held),
        do=Text(
            "Give each of {senders} that is wanted a connector of its own, a return-path or authenticated sending, as "
            "the steps above do. Record each that is not wanted as abuse in the register.",
            senders=labels(need.sender for need in held),
        ),
        verify=Text(
            "Run the audit again: none of them is undecided, and no wanted one would be refused. Without that proof "
            "the refusing steps must wait."
        ),
        undo=Text("Remove the way in that was made; the mail then arrives as it does today."),
        senders=_ids(held),
        risk=Risk.MEDIUM,
        owner=Text("The owner of the sender"),
        after=draft.numbers("decide"),
        moved=_ids(held),
    )
