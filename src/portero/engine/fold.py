"""The fold: rows to mails, mails to flows, asked of the engine query by query."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import groupby
from sys import intern
from typing import cast

import pyarrow as pa
import pyarrow.compute as pc

from portero.core.address import NO_ADDRESS, a_label, client_address, is_plain
from portero.core.audit import Totals
from portero.core.evidence import Origin
from portero.core.exchange.settings import Settings
from portero.core.flow import (
    ORIGINS_KEPT,
    SHAPES_KEPT,
    SKETCH_SIZE,
    Distinct,
    Facts,
    Flow,
    FlowKey,
    OutsideFlow,
)
from portero.engine.evidence_tables import EvidenceTables, aware
from portero.engine.fold_queries import COUNTED, KEYS, LINE_BITS, Piece, Queries

_ARRIVALS_KEPT = 2000
_LISTS_AT_ONCE = 100_000  # of recipients

# The facts of every flow while they are gathered: flow number -> field of Facts -> value.
_Gathered = dict[int, dict[str, object]]


@dataclass(frozen=True, slots=True)
class Arrival:
    """
    A client address that delivers mail of others, and of how many different sender domains.

    client_ip:  "" for mail of which no address is known; it is counted by connector.
    connector:  the connector a witness named for it, "" for none.
    """

    client_ip: str
    domains: int
    connector: str


@dataclass(frozen=True, slots=True)
class Folded:
    """What the fold gives; flows in a fixed order."""

    flows: tuple[Flow, ...]
    outside: tuple[OutsideFlow, ...]
    totals: Totals
    arrivals: tuple[Arrival, ...]
    mailboxes: frozenset[str]


def fold(tables: EvidenceTables, settings: Settings, documents: Sequence[str]) -> Folded:
    """
    Fold all evidence rows to flows.

    documents:  names by the documents' numbers.
    Mail that names the organisation neither in P1 nor in P2 is counted in the totals and dropped.
    """
    queries = _queries(tables)
    run = tables.run
    lost = bool(tables.rows(queries.lost())[0][0])
    bare = lost and bool(tables.rows(queries.bare())[0][0])
    run(queries.people())
    run(queries.clients())
    if lost:
        run(queries.ids())
        run(queries.other_keys())
    if bare:
        run(queries.met())
    run(queries.keyed(lost=lost, bare=bare))
    shards = [Piece(shard) for shard in tables.shards]
    for shard in shards:
        run(queries.keyed(lost=lost, bare=bare, shard=shard))
    shards = shards or [Piece()]
    _own_names(tables, queries, settings)
    run(queries.own_people())
    run(queries.ours())
    _receivers(tables)
    run(queries.members())
    run(queries.kept())
    ours = cast("int", tables.rows("SELECT count(*) FROM ours")[0][0])
    parts = min(16, 1 + ours // len(shards) // tables.mails_at_once)
    pieces = [Piece(each.shard, part, parts) for each in shards for part in range(parts)]
    for number, piece in enumerate(pieces):
        run(queries.mails(piece, more=number > 0))
    _addresses(tables, queries)
    apart = bool(queries.told_apart and tables.rows(queries.differing()))
    run(queries.named(apart=apart))
    run("DROP TABLE mails")
    run(queries.ways())
    run(queries.flowed())
    run("DROP TABLE named")
    run(queries.flows())
    gathered = _facts(tables, queries, documents, pieces)
    flows = tuple(_flow(row, gathered, queries.witnesses) for row in tables.rows(queries.flow_rows()))
    counted = [cast("tuple[int, int]", tables.rows(queries.totals(each))[0]) for each in shards]
    total, rows = (int(sum(numbers)) for numbers in zip(*counted, strict=True))
    return Folded(
        flows=flows,
        outside=_outside(tables, queries, documents),
        totals=Totals(ours=ours, others=total - ours, rows=rows),
        arrivals=tuple(
            Arrival(str(address), cast("int", domains), str(connector))
            for address, domains, connector in tables.rows(queries.arrivals(_ARRIVALS_KEPT))
        ),
        mailboxes=frozenset(str(row[0]) for row in tables.rows(queries.mailboxes())),
    )


def _queries(tables: EvidenceTables) -> Queries:
    witnesses = tables.rows(
        "SELECT DISTINCT witness FROM numbered_rows WHERE witness IS NOT NULL ORDER BY witness"
    )
    return Queries(tables.known("mail_rows"), tuple(str(row[0]) for row in witnesses))


def _own_names(tables: EvidenceTables, queries: Queries, settings: Settings) -> None:
    """Classify the distinct domains once: which are ours or below ours, which need another form."""
    written = [str(row[0]) for row in tables.rows(queries.domains()) if row[0]]
    ours = [name for name in written if settings.names_us(a_label(name))]
    accepted = {held.name for held in settings.accepted_domains}
    accepted |= {name for name in ours if a_label(name) in accepted}
    others = [name for name in written if not name.isascii()]
    tables.fill("own_names", {"name": pa.array(ours, pa.string())})
    tables.fill("accepted_names", {"name": pa.array(sorted(accepted), pa.string())})
    labels = pa.array([a_label(name) for name in others], pa.string())
    tables.fill("labels", {"written": pa.array(others, pa.string()), "label": labels})


def _receivers(tables: EvidenceTables) -> None:
    """
    Take the different lists of recipients apart once, outside the engine: portable SQL has no lists.

    ``lists`` tells of each list whether somebody inside, and somebody outside, is on it; ``receivers`` who is.
    """
    everything = tables.texts("lists")
    accepted = tables.column("SELECT name FROM accepted_names")
    for start in range(0, len(everything), _LISTS_AT_ONCE):
        _take_apart(tables, everything.slice(start, _LISTS_AT_ONCE), start, accepted)


def _take_apart(tables: EvidenceTables, written: pa.Array, start: int, accepted: pa.Array) -> None:
    people = pc.split_pattern(pc.utf8_lower(written), ";")
    owner, recipient = pc.list_parent_indices(people), pc.list_flatten(people)
    filled = pc.not_equal(recipient, "")
    owner, recipient = owner.filter(filled), recipient.filter(filled)
    domain = pc.struct_field(pc.extract_regex(recipient, "@(?P<domain>[^@]*)$"), "domain")
    inside = pc.is_in(domain, value_set=accepted)
    size = len(written)

    def listed(which: pa.Array) -> pa.Array:
        return pc.cast(pc.is_in(pa.arange(0, size), value_set=owner.filter(which)), pa.int32())

    def number(order: pa.Array) -> pa.Array:
        return pc.cast(pc.add(order, start), pa.int32())

    numbers = number(pa.arange(0, size))
    told = {"no": numbers, "inside": listed(inside), "outside": listed(pc.invert(inside))}
    tables.fill("lists", told, more=start > 0)
    tables.fill("receivers", {"list_no": number(owner), "recipient": recipient}, more=start > 0)


def _addresses(tables: EvidenceTables, queries: Queries) -> None:
    written = tables.rows(queries.addresses_written())
    ranks = pa.array([rank for rank, _ in written], pa.int64())
    canonical = pa.array([client_address(str(text)) for _, text in written], pa.string())
    tables.fill("addresses", {"rank": ranks, "address": canonical})


def _facts(
    tables: EvidenceTables, queries: Queries, documents: Sequence[str], pieces: Sequence[Piece]
) -> _Gathered:
    found: _Gathered = {}
    run = tables.run
    for number, witness in enumerate(queries.witnesses):
        for flow, place in tables.rows(queries.origins(number, ORIGINS_KEPT)):
            document, line = divmod(cast("int", place), 1 << LINE_BITS)
            held = cast("dict[str, tuple[Origin, ...]]", _under(found, flow, "origins"))
            held[witness] = (*held.get(witness, ()), Origin(documents[document], line))
    for name in COUNTED:
        if query := queries.counted(name):
            for flow, value, mails in tables.rows(query):
                _under(found, flow, name)[str(value)] = mails
    if "subject" in queries.known:
        run(queries.shapes())
        _sample(
            found, tables.rows(queries.sampled("shapes", "shape", SKETCH_SIZE)), "shapes", "distinct_shapes"
        )
    if "display_name" in queries.known:
        run(queries.names_shown())
        _sample(
            found, tables.rows(queries.sampled("names_shown", "display_name", SHAPES_KEPT)), "display_names"
        )
    if "recipients" in queries.known:
        for number, piece in enumerate(pieces):
            run(queries.reached_lists(piece, more=number > 0))
        run(queries.reached())
        hashes: dict[int, list[int]] = {}
        for flow, short in tables.rows(queries.recipients_sampled(SKETCH_SIZE)):
            hashes.setdefault(cast("int", flow), []).append(int(str(short), 16))
        for number, smallest in hashes.items():
            _of(found, number)["recipients"] = Distinct(tuple(smallest))
    _clock(found, tables.rows(queries.hours()))
    return found


def _of(found: _Gathered, flow: object) -> dict[str, object]:
    return found.setdefault(cast("int", flow), {})


def _under(found: _Gathered, flow: object, name: str) -> dict[str, object]:
    return cast("dict[str, object]", _of(found, flow).setdefault(name, {}))


def _sample(
    found: _Gathered, rows: Sequence[tuple[object, ...]], name: str, distinct: str | None = None
) -> None:
    """Keep the texts of the smallest hashes, and the hashes of more of them where they are to be counted."""
    hashes: dict[int, list[int]] = {}
    for flow, text, mails, short, position in rows:
        if cast("int", position) <= SHAPES_KEPT:
            _under(found, flow, name)[str(text)] = int(cast("int", mails))
        if distinct is not None:
            hashes.setdefault(cast("int", flow), []).append(int(str(short), 16))
    for number, smallest in hashes.items():
        _of(found, number)[cast("str", distinct)] = Distinct(tuple(sorted(smallest)))


def _clock(found: _Gathered, rows: Sequence[tuple[object, ...]]) -> None:
    days: dict[int, dict[date, int]] = {}
    hours: dict[int, list[int]] = {}
    busiest: dict[int, int] = {}
    for flow, moment, number in cast("list[tuple[int, datetime, int]]", rows):
        held = days.setdefault(flow, {})
        day = moment.date()
        held[day] = held.get(day, 0) + number
        hours.setdefault(flow, [0] * 24)[moment.hour] += number
        busiest[flow] = max(busiest.get(flow, 0), number)
    for flow, held in days.items():
        _of(found, flow).update(days=held, hours=tuple(hours[flow]), busiest=busiest[flow])


def _flow(row: tuple[object, ...], gathered: _Gathered, witnesses: Sequence[str]) -> Flow:
    number, keys, rest = row[0], row[1 : 1 + len(KEYS)], row[1 + len(KEYS) :]
    mails, first, last, octets, inside, outside, itself, *seen = rest
    make = cast("Callable[..., Facts]", Facts)
    facts = make(
        **gathered.get(cast("int", number), {}),
        mails=mails,
        witnessed={name: count for name, count in zip(witnesses, seen, strict=True) if count},
        first_seen=aware(cast("datetime | None", first)),
        last_seen=aware(cast("datetime | None", last)),
        octets=int(cast("int", octets)),
        inside=int(cast("int", inside)),
        outside=int(cast("int", outside)),
        self_addressed=int(cast("int", itself)),
    )
    return Flow(FlowKey(*cast("tuple[str | None, ...]", keys)), facts)


def _outside(tables: EvidenceTables, queries: Queries, documents: Sequence[str]) -> tuple[OutsideFlow, ...]:
    flows = []
    # Of hundreds of thousands of addresses most share their moments and days, which are held once.
    moments: dict[datetime, datetime] = {}
    of_day: dict[tuple[date, int], Mapping[date, int]] = {}

    def moment(found: object) -> datetime:
        held = cast("datetime", found)
        return moments.setdefault(held, held.replace(tzinfo=UTC))

    # The query gives what belongs together one after the other; hundreds of thousands of addresses are not held twice.
    for (source_ip, header_from, envelope_from, reporter, to_us), held in groupby(
        tables.stream(queries.outside()), key=lambda row: row[:5]
    ):
        rows = list(held)
        text = str(source_ip or "")
        address = text if is_plain(text) and text != NO_ADDRESS else client_address(text)
        if address is None:
            continue
        days = _report_days(rows)
        if len(days) == 1:
            days = of_day.setdefault(next(iter(days.items())), days)
        flows.append(
            OutsideFlow(
                source_ip=address,
                header_from=intern(a_label(str(header_from))),
                envelope_from=None if envelope_from is None else intern(a_label(str(envelope_from))),
                reporter=intern(str(reporter or "")),
                to_us=bool(to_us),
                mails=sum([int(cast("int", row[5])) for row in rows]),
                aligned_spf=sum([int(cast("int", row[6])) for row in rows]),
                aligned_dkim=sum([int(cast("int", row[7])) for row in rows]),
                dkim_domain=next((intern(str(row[8])) for row in rows if row[8]), None),
                spf_domain=next((intern(str(row[9])) for row in rows if row[9]), None),
                first_seen=moment(min([cast("datetime", row[10]) for row in rows])),
                last_seen=moment(max([cast("datetime", row[11]) for row in rows])),
                origins=tuple(
                    [
                        Origin(documents[cast("int", row[12])], cast("int | None", row[13]))
                        for row in rows[:ORIGINS_KEPT]
                    ]
                ),
                days=days,
            )
        )
    return tuple(flows)


def _report_days(rows: Sequence[tuple[object, ...]]) -> Mapping[date, int]:
    """Give mails by the day on which each report begins."""
    days: dict[date, int] = {}
    for row in rows:
        day = cast("datetime", row[10]).date()
        days[day] = days.get(day, 0) + int(cast("int", row[5]))
    return days
