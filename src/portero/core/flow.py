"""A flow: one way in which mail claims to be the organisation's, with facts that merge in any order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache
from hashlib import md5
from heapq import nsmallest
from operator import add
from typing import TypeVar

from portero.core.evidence import Origin

# How many hashes a distinct-count sketch keeps: exact below, an estimate with about 1/sqrt(k) error above.
SKETCH_SIZE = 64
# How many origins per witness a flow keeps for the reader.
ORIGINS_KEPT = 5
# How many subject shapes a flow keeps.
SHAPES_KEPT = 16


@dataclass(frozen=True, slots=True)
class FlowKey:
    """
    What makes two mails the same way of sending. Null means that no witness knew; "" that one knew there is none.

    client_ip:         canonical address of the client that connected to Exchange Online; "" for mail from inside.
    mail_from_domain:  domain of P1 as A-labels; "" is the null reverse-path.
    header_from:       P2's mailbox; ``@domain`` for mailbox traffic, which is folded by domain.
    sender:            the traced sender (P1 or P2, nobody says), only where P1 or P2 is not known.
    ehlo:              as the client called itself.
    connector:         inbound connector that took the mail by the witness's word.
    direction:         incoming | originating.
    """

    client_ip: str | None = None
    mail_from_domain: str | None = None
    header_from: str | None = None
    sender: str | None = None
    ehlo: str | None = None
    connector: str | None = None
    direction: str | None = None


@dataclass(frozen=True, slots=True)
class Distinct:
    """
    Counts distinct things mergeably: the k smallest 60-bit hashes seen (K minimum values).

    Exact while fewer than SKETCH_SIZE are held, an estimate from there on.
    """

    smallest: tuple[int, ...] = ()

    def merge(self, other: Distinct) -> Distinct:
        """Give the sketch of both sets together."""
        if self == other:
            return self
        return Distinct(tuple(sorted({*self.smallest, *other.smallest})[:SKETCH_SIZE]))

    @property
    def exact(self) -> bool:
        """Tell whether `value` is a count rather than an estimate."""
        return len(self.smallest) < SKETCH_SIZE

    @property
    def value(self) -> int:
        """Give how many distinct things there are."""
        held = len(self.smallest)
        if held < SKETCH_SIZE:
            return held
        return round((SKETCH_SIZE - 1) * 2**60 / self.smallest[-1])


@dataclass(frozen=True, slots=True)
class Facts:
    """
    What is known of the mails of a flow; merging is commutative and associative, and Facts() is its identity.

    mails:          unique mails, one per network message id.
    witnessed:      unique mails by witness: the same mail may be under several, so this never adds up to `mails`.
    recipients:     distinct recipients.
    inside, outside: mails with a recipient in an accepted domain, with one elsewhere.
    days:           unique mails by UTC day; hours: by UTC hour of the day, 24 of them.
    self_addressed: mails whose sender is among its recipients.
    busiest:        the largest number of mails in one hour of one day.
    shapes:         a sample of subject shapes (digits as #, lower case) with their mails; distinct_shapes counts all.
    outcomes, threats: mails by what happened, and by what the filter called them.
    spf, dkim, dmarc, compauth: mails by result; compauth as ``result reason`` where the reason is known.
    dkim_domains:   mails by d= of the signature the witness named.
    envelopes:      P1 domains that DMARC reports give for the same address and P2 domain, with their mails.
    lent:           whether dmarc is what such reports say, because no witness of the mail recorded a result.
    origins:        a sample of rows, per witness.
    """

    mails: int = 0
    witnessed: Mapping[str, int] = field(default_factory=dict)
    recipients: Distinct = Distinct()
    inside: int = 0
    outside: int = 0
    first_seen: datetime | None = None
    last_seen: datetime | None = None
    days: Mapping[date, int] = field(default_factory=dict)
    hours: tuple[int, ...] = (0,) * 24
    self_addressed: int = 0
    busiest: int = 0
    shapes: Mapping[str, int] = field(default_factory=dict)
    distinct_shapes: Distinct = Distinct()
    display_names: Mapping[str, int] = field(default_factory=dict)
    outcomes: Mapping[str, int] = field(default_factory=dict)
    threats: Mapping[str, int] = field(default_factory=dict)
    spf: Mapping[str, int] = field(default_factory=dict)
    dkim: Mapping[str, int] = field(default_factory=dict)
    dmarc: Mapping[str, int] = field(default_factory=dict)
    compauth: Mapping[str, int] = field(default_factory=dict)
    dkim_domains: Mapping[str, int] = field(default_factory=dict)
    envelopes: Mapping[str, int] = field(default_factory=dict)
    lent: bool = False
    ptr: Mapping[str, int] = field(default_factory=dict)
    octets: int = 0
    origins: Mapping[str, tuple[Origin, ...]] = field(default_factory=dict)

    def merge(self, other: Facts) -> Facts:
        """Give the facts of two disjoint sets of mails together."""
        return Facts(
            mails=self.mails + other.mails,
            witnessed=_add(self.witnessed, other.witnessed),
            recipients=self.recipients.merge(other.recipients),
            inside=self.inside + other.inside,
            outside=self.outside + other.outside,
            first_seen=_pick(min, self.first_seen, other.first_seen),
            last_seen=_pick(max, self.last_seen, other.last_seen),
            days=_add(self.days, other.days),
            hours=tuple(map(add, self.hours, other.hours)),
            self_addressed=self.self_addressed + other.self_addressed,
            busiest=max(self.busiest, other.busiest),
            shapes=_sample(_add(self.shapes, other.shapes)),
            distinct_shapes=self.distinct_shapes.merge(other.distinct_shapes),
            display_names=_sample(_add(self.display_names, other.display_names)),
            outcomes=_add(self.outcomes, other.outcomes),
            threats=_add(self.threats, other.threats),
            spf=_add(self.spf, other.spf),
            dkim=_add(self.dkim, other.dkim),
            dmarc=_add(self.dmarc, other.dmarc),
            compauth=_add(self.compauth, other.compauth),
            dkim_domains=_add(self.dkim_domains, other.dkim_domains),
            envelopes=_add(self.envelopes, other.envelopes),
            lent=self.lent or other.lent,
            ptr=_add(self.ptr, other.ptr),
            octets=self.octets + other.octets,
            origins=_join(self.origins, other.origins),
        )


@dataclass(frozen=True, slots=True)
class Flow:
    """A way of sending and what is known of it."""

    key: FlowKey
    facts: Facts


@dataclass(frozen=True, slots=True)
class OutsideFlow:
    """
    What other people's receivers reported by DMARC about mail in the organisation's name.

    to_us:  True when a receiver of ours reported it (envelope_to is an accepted domain), so it reached this tenant.
    days:   mails by the day on which the report that counts them begins.
    """

    source_ip: str
    header_from: str
    envelope_from: str | None
    reporter: str
    to_us: bool
    mails: int
    aligned_spf: int  # mails with an aligned SPF pass
    aligned_dkim: int
    dkim_domain: str | None
    spf_domain: str | None
    first_seen: datetime
    last_seen: datetime
    origins: tuple[Origin, ...] = ()
    days: Mapping[date, int] = field(default_factory=dict)

    @property
    def envelope(self) -> str | None:
        """
        Give P1's domain; where a reporter leaves envelope_from out, the domain that SPF was asked about is the same.

        Source: RFC 9990 section 3.1.1.5.
        """
        return self.spf_domain if self.envelope_from is None else self.envelope_from

    @property
    def passed(self) -> int:
        """Count the mails that passed DMARC by whichever of SPF and DKIM did so more often."""
        return max(self.aligned_spf, self.aligned_dkim)


def by_address(outside: Iterable[OutsideFlow]) -> dict[str, tuple[OutsideFlow, ...]]:
    """Group reported mail by its source address."""
    found: dict[str, list[OutsideFlow]] = {}
    for row in outside:
        found.setdefault(row.source_ip, []).append(row)
    return {address: tuple(rows) for address, rows in found.items()}


def merge_facts(facts: Iterable[Facts]) -> Facts:
    """Merge the facts of disjoint sets of mails."""
    # In pairs, for each merge copies what it is given: one after the other would copy the first ones every time.
    rest = list(facts) or [Facts()]
    while len(rest) > 1:
        pairs = [one.merge(other) for one, other in zip(rest[::2], rest[1::2], strict=False)]
        rest = pairs + rest[len(pairs) * 2 :]
    return rest[0]


@lru_cache(maxsize=16384)
def calendar_week(day: date) -> tuple[int, int]:
    """Give the ISO year and week of a day; every flow is asked for the weeks of the same few days."""
    return day.isocalendar()[:2]


def merge_flows(flows: Iterable[Flow]) -> tuple[Flow, ...]:
    """Merge flows of disjoint sets of mails that are the same way of sending, such as those of different days."""
    found: dict[FlowKey, list[Facts]] = {}
    for flow in flows:
        found.setdefault(flow.key, []).append(flow.facts)
    return tuple(Flow(key, merge_facts(facts)) for key, facts in found.items())


def merge_outside(rows: Iterable[OutsideFlow]) -> tuple[OutsideFlow, ...]:
    """Merge what different reports say of the same source, names and receiver."""
    found: dict[tuple[object, ...], OutsideFlow] = {}
    for row in rows:
        key = (row.source_ip, row.header_from, row.envelope_from, row.reporter, row.to_us)
        held = found.get(key)
        found[key] = row if held is None else _both(held, row)
    return tuple(found[key] for key in sorted(found, key=repr))


def _both(one: OutsideFlow, other: OutsideFlow) -> OutsideFlow:
    origins = first_origins((*one.origins, *other.origins))
    return OutsideFlow(
        source_ip=one.source_ip,
        header_from=one.header_from,
        envelope_from=one.envelope_from,
        reporter=one.reporter,
        to_us=one.to_us,
        mails=one.mails + other.mails,
        aligned_spf=one.aligned_spf + other.aligned_spf,
        aligned_dkim=one.aligned_dkim + other.aligned_dkim,
        dkim_domain=min((each for each in (one.dkim_domain, other.dkim_domain) if each), default=None),
        spf_domain=min((each for each in (one.spf_domain, other.spf_domain) if each), default=None),
        first_seen=min(one.first_seen, other.first_seen),
        last_seen=max(one.last_seen, other.last_seen),
        origins=origins,
        days=_add(one.days, other.days),
    )


_Key = TypeVar("_Key", str, date)
_Time = TypeVar("_Time", bound=datetime)


def _add(left: Mapping[_Key, int], right: Mapping[_Key, int]) -> Mapping[_Key, int]:
    if not left or not right:
        return left or right
    total = dict(left)
    for key, number in right.items():
        total[key] = total.get(key, 0) + number
    return total


def sample_order(text: str) -> str:
    """Give the order in which subject shapes are kept: arbitrary, yet the same for every engine and every split."""
    return md5(text.encode(), usedforsecurity=False).hexdigest()


def _sample(counted: Mapping[str, int]) -> Mapping[str, int]:
    if len(counted) <= SHAPES_KEPT:
        return counted
    return {text: counted[text] for text in sorted(counted, key=sample_order)[:SHAPES_KEPT]}


def _pick(choose: Callable[[_Time, _Time], _Time], left: _Time | None, right: _Time | None) -> _Time | None:
    if left is None or right is None:
        return left if right is None else right
    return choose(left, right)


def _join(
    left: Mapping[str, tuple[Origin, ...]], right: Mapping[str, tuple[Origin, ...]]
) -> Mapping[str, tuple[Origin, ...]]:
    joined = dict(left)
    for witness, origins in right.items():
        joined[witness] = first_origins((*joined.get(witness, ()), *origins))
    return joined


def first_origins(origins: Iterable[Origin]) -> tuple[Origin, ...]:
    """Give the sample of origins that a reader is shown, the same for every engine and every split."""
    return tuple(nsmallest(ORIGINS_KEPT, set(origins), key=_origin_order))


def _origin_order(origin: Origin) -> tuple[str, int]:
    return origin.document, origin.line or 0
