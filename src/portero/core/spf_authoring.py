"""SPF authoring: what each term of a record authorises and who uses it, and the least record that covers the decided."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from portero.core.address import NetworkMap, exact_network, parse_network
from portero.core.dns import Dns, DnsStatus
from portero.core.exchange.attribution import envelope_domain
from portero.core.flow import OutsideFlow
from portero.core.mail.spf import MAX_LOOKUPS, SpfResult, evaluate
from portero.core.mail.spf_expansion import expansion
from portero.core.mail.spf_record import Mechanism, is_spf, parse_record
from portero.core.sender import Judgement, Sender, by_client_address
from portero.core.text import Text

# Exchange Online's own: what people's mailboxes send leaves from there, and incoming evidence does not show it.
EXCHANGE_ONLINE = "include:spf.protection.outlook.com"
DEFAULT_END = "~all"


@dataclass(frozen=True, slots=True)
class TermUse:
    """
    One term of a published record.

    networks:    what it lets pass, as CIDR texts; addresses: how many IPv4 addresses that is.
    lookups:     what it costs of the ten.
    senders:     ids of the senders that pass by it, with their mails; mails of nobody known stand under ``""``.
    complete:    whether all it stands for is in the evidence; else "unused" proves nothing.
    """

    term: str
    networks: tuple[str, ...]
    addresses: int
    lookups: int
    senders: Mapping[str, int]
    complete: bool

    @property
    def mails(self) -> int:
        """Count the mails that pass by it."""
        return sum(self.senders.values())


@dataclass(frozen=True, slots=True)
class SpfDraft:
    """
    The least record for a domain that covers the decided senders.

    current:    the published record, or None where there is none or the evidence does not say.
    record:     the draft; None where it would not fit into ten look-ups.
    lookups:    what the draft costs.
    uses:       the published terms; kept and dropped: which of them the draft has, and has no more.
    added:      networks that no published term covers, one for each address.
    flattened:  includes that the draft writes out as networks, only where that was asked for.
    uncovered:  ids of decided senders of which the address or the envelope sender is not certain, so that nothing
                covers them for sure.
    undecided:  ids of undecided senders that the published record covers and the draft does not.
    remarks:    what a person must know before publishing it.
    """

    domain: str
    current: str | None
    record: str | None
    lookups: int
    uses: tuple[TermUse, ...] = ()
    kept: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    flattened: tuple[str, ...] = ()
    uncovered: tuple[str, ...] = ()
    undecided: tuple[str, ...] = ()
    remarks: tuple[Text, ...] = ()


@dataclass(slots=True)
class _Addresses:
    """Mails by client address and sender, of mail whose envelope is the domain's."""

    by_address: dict[str, dict[str, int]] = field(default_factory=dict)

    def add(self, address: str, sender: str, mails: int) -> None:
        held = self.by_address.setdefault(address, {})
        held[sender] = held.get(sender, 0) + mails


def draft_spf(
    dns: Dns,
    domain: str,
    senders: Sequence[Sender],
    outside: Iterable[OutsideFlow] = (),
    *,
    flatten: bool = False,
) -> SpfDraft:
    """
    Draft the least SPF record for a domain.

    senders:  those judged legitimate are covered; the others are not, and are named.
    flatten:  whether includes may be written out as networks where ten look-ups do not suffice. Networks change without
              notice, so a flattened record must be drafted again and again.
    Terms that nobody used are dropped only where all they stand for is in the evidence.
    """
    known = {each.id: each for each in senders}
    seen = _seen(domain, senders, outside)
    current = _published(dns, domain)
    uses = tuple(_uses(dns, domain, current, seen)) if current is not None else ()
    wanted = {
        address
        for address, held in seen.by_address.items()
        if any(known[name].legitimate for name in held if name in known)
    }
    chosen = _choose(uses, wanted)
    networks = _map(chosen)
    added = tuple(exact_network(address) for address in sorted(wanted) if address not in networks)
    flattened: tuple[str, ...] = ()
    lookups = sum(each.lookups for each in chosen)
    if lookups > MAX_LOOKUPS and flatten:
        chosen, written, flattened = _flatten(chosen)
        added = (*added, *written)
        lookups = sum(each.lookups for each in chosen)
    record = _write(chosen, added, current)
    remarks = tuple(_remarks(domain, current, uses, chosen, lookups, flatten=flatten))
    kept = tuple(each.term for each in chosen)
    return SpfDraft(
        domain=domain,
        current=current,
        record=record if lookups <= MAX_LOOKUPS else None,
        lookups=lookups,
        uses=uses,
        kept=kept,
        dropped=tuple(each.term for each in uses if each.term not in {*kept, *flattened}),
        added=added,
        flattened=flattened,
        uncovered=tuple(each.id for each in senders if each.legitimate and _blind(domain, each)),
        undecided=tuple(_left_out(uses, chosen, added, seen, known)),
        remarks=remarks,
    )


def covers(dns: Dns, draft: SpfDraft, address: str) -> SpfResult:
    """Evaluate a draft for a client address as receivers would."""
    published = {draft.domain: draft.record} if draft.record is not None else {}
    sender = f"postmaster@{draft.domain}"
    return evaluate(dns, address, draft.domain, sender, draft.domain, published=published).result


def _seen(domain: str, senders: Sequence[Sender], outside: Iterable[OutsideFlow]) -> _Addresses:
    found = _Addresses()
    place = by_client_address(senders)
    for sender in senders:
        for flow in sender.flows:
            address = flow.key.client_ip
            envelope, assumed = envelope_domain(flow.key)
            if not address:
                continue
            if envelope == domain and not assumed and flow.facts.mails:
                found.add(address, sender.id, flow.facts.mails)
    for row in outside:
        # What reached us is in the flows already.
        if row.envelope_from == domain and not row.to_us:
            known = place.get(row.source_ip)
            found.add(row.source_ip, known.id if known else "", row.mails)
    return found


def _blind(domain: str, sender: Sender) -> bool:
    """Tell whether a sender may write with the domain's envelope from an address, of which one is not certain."""
    for flow in sender.flows:
        envelope, assumed = envelope_domain(flow.key)
        if envelope == domain and flow.key.client_ip != "" and (assumed or flow.key.client_ip is None):
            return True
    return False


def _published(dns: Dns, domain: str) -> str | None:
    answer = dns.lookup(domain, "TXT")
    records = [text for text in answer.answers if is_spf(text)]
    return records[0] if answer.status is DnsStatus.NOERROR and len(records) == 1 else None


def _uses(dns: Dns, domain: str, current: str, seen: _Addresses) -> Iterable[TermUse]:
    record = parse_record(current)
    terms: list[str] = [each.text for each in record.mechanisms if each.kind != "all"]
    if record.redirect is not None and record.all is None:
        terms.append(f"redirect={record.redirect.text}")
    for term in terms:
        # Each term is expanded as if it stood alone, so that what it lets pass is its own.
        found = expansion(dns, domain, published={domain: f"v=spf1 {term}"})
        networks = NetworkMap((parse_network(text), text) for text in found.networks)
        senders: dict[str, int] = {}
        for address, held in seen.by_address.items():
            if address in networks:
                for name, mails in held.items():
                    senders[name] = senders.get(name, 0) + mails
        yield TermUse(
            term,
            found.networks,
            sum(net.num_addresses for net in map(parse_network, found.networks) if net.version == 4),
            found.lookups,
            senders,
            complete=not (found.unknown or found.failed or found.macros or found.cut),
        )


def _map(uses: Iterable[TermUse]) -> NetworkMap[str]:
    return NetworkMap((parse_network(text), text) for each in uses for text in each.networks)


def _choose(uses: Sequence[TermUse], wanted: set[str]) -> tuple[TermUse, ...]:
    """
    Choose the terms to keep: those that the evidence cannot judge, then the cheapest that cover what is wanted.

    Greedy: terms that cost no look-up first, then those that cover most for a look-up. The order of the record stays.
    """
    kept = [each for each in uses if not each.complete or each.term.lower() == EXCHANGE_ONLINE]
    covered = {address for address in wanted if address in _map(kept)}
    rest = [each for each in uses if each not in kept]
    reach = {each.term: {address for address in wanted if address in _map([each])} for each in rest}
    while covered != wanted:
        gains = [(each, len(reach[each.term] - covered)) for each in rest if each not in kept]
        gains = [(each, gain) for each, gain in gains if gain]
        if not gains:
            break
        best, _ = max(
            gains,
            key=lambda item: (item[0].lookups == 0, item[1] / max(item[0].lookups, 1), -item[0].addresses),
        )
        kept.append(best)
        covered |= reach[best.term]
    return tuple(each for each in uses if each in kept)


def _flatten(chosen: Sequence[TermUse]) -> tuple[tuple[TermUse, ...], tuple[str, ...], tuple[str, ...]]:
    """Write out the dearest terms whose networks are all known, until ten look-ups suffice."""
    left, written, names = list(chosen), list[str](), list[str]()
    for each in sorted(chosen, key=lambda use: -use.lookups):
        if sum(use.lookups for use in left) <= MAX_LOOKUPS:
            break
        # Microsoft's own ranges change most often of all, and its include costs one look-up.
        if each.complete and each.lookups and each.term.lower() != EXCHANGE_ONLINE:
            left.remove(each)
            written += each.networks
            names.append(each.term)
    return tuple(left), tuple(dict.fromkeys(written)), tuple(names)


def _write(chosen: Sequence[TermUse], added: Sequence[str], current: str | None) -> str:
    record = parse_record(current) if current is not None else None
    modifiers = [each.term for each in chosen if each.term.startswith("redirect=")]
    words = [each.term for each in chosen if each.term not in modifiers]
    words += [_network_term(text) for text in added]
    end: Mechanism | None = record.all if record is not None else None
    if modifiers:
        return " ".join(["v=spf1", *words, *modifiers])
    return " ".join(["v=spf1", *words, end.text if end is not None else DEFAULT_END])


def _network_term(text: str) -> str:
    network = parse_network(text)
    single = network.num_addresses == 1
    return f"ip{network.version}:{network.network_address if single else network}"


def _left_out(
    uses: Sequence[TermUse],
    chosen: Sequence[TermUse],
    added: Sequence[str],
    seen: _Addresses,
    known: Mapping[str, Sender],
) -> Iterable[str]:
    before, after = _map(uses), _map(chosen)
    own = NetworkMap((parse_network(text), text) for text in added)
    names: dict[str, None] = {}
    for address, held in seen.by_address.items():
        if address in before and address not in after and address not in own:
            names.update(dict.fromkeys(name for name in held if name in known))
    return [name for name in names if known[name].judgement is Judgement.UNDECIDED]


def _remarks(
    domain: str,
    current: str | None,
    uses: Sequence[TermUse],
    chosen: Sequence[TermUse],
    lookups: int,
    *,
    flatten: bool,
) -> Iterable[Text]:
    if current is None:
        yield Text("The evidence shows no single SPF record of {domain} to start from.", domain=domain)
    if not any(each.term.lower() == EXCHANGE_ONLINE for each in uses):
        yield Text(
            "Mail that mailboxes send outside leaves from Exchange Online and is not in this evidence: where {domain} sends "
            "it, add {term}.",
            domain=domain,
            term=EXCHANGE_ONLINE,
        )
    unjudged = tuple(each.term for each in chosen if not each.complete)
    if unjudged:
        yield Text("Kept because the evidence does not show all they stand for: {terms}.", terms=unjudged)
    if lookups > MAX_LOOKUPS:
        if flatten:
            yield Text(
                "Even written out, it needs {number} look-ups and receivers stop at ten: move a sender to a sub-domain.",
                number=lookups,
            )
        else:
            yield Text(
                "It needs {number} look-ups and receivers stop at ten: move a sender to a sub-domain, or ask for includes to "
                "be written out.",
                number=lookups,
            )
    yield Text(
        "Senders that the evidence did not see, such as yearly runs or mail that only other receivers get, are not covered: "
        "ask their owners."
    )
