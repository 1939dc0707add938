"""How the days of a lake come together: mails at midnight belong to one day, and spans of days are merged once."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

import pyarrow as pa
import pyarrow.compute as pc

from portero.core.audit import Totals
from portero.core.flow import merge_flows, merge_outside
from portero.engine.fold import Arrival, Folded

_LEVELS = 22  # doublings: more days than there are dates


@dataclass(frozen=True, slots=True)
class DayFlows:
    """
    What one day folds to, or several; days fold apart and merge to the same answer.

    own_domains, reported_domains:  what they tell of the organisation's domains where nobody names these.
    """

    folded: Folded
    own_domains: tuple[str, ...] = ()
    reported_domains: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Leaf:
    """One day, an ISO text, and the key of what it is folded from."""

    day: str
    key: str


@dataclass(frozen=True, slots=True)
class Span:
    """
    Days that are merged once: a day more, or one less, changes the spans above it and no other.

    place:  under which the merged flows are kept.
    """

    place: str
    key: str
    left: Span | Leaf
    right: Span | Leaf

    def places(self) -> Iterator[str]:
        """Give its place and those of all spans in it."""
        yield self.place
        for part in (self.left, self.right):
            if isinstance(part, Span):
                yield from part.places()


def tree_of(leaves: Sequence[Leaf], kind: str, level: int = _LEVELS) -> Span | Leaf | None:
    """
    Halve the calendar until each part has one day; parts without days are passed over.

    leaves:  in order of their days, none undated.
    kind:    the word before the level in the places.
    """
    if len(leaves) <= 1:
        return leaves[0] if leaves else None
    level -= 1
    bit = [date.fromisoformat(leaf.day).toordinal() >> level & 1 for leaf in leaves]
    left, right = leaves[: bit.count(0)], leaves[bit.count(0) :]
    one, other = tree_of(left, kind, level), tree_of(right, kind, level)
    if one is None or other is None:
        return one or other
    start = date.fromisoformat(leaves[0].day).toordinal() >> level + 1 << level + 1
    key = hashlib.sha256(f"{one.key} {other.key}".encode()).hexdigest()
    return Span(f"{kind}{level + 1}/{date.fromordinal(max(start, 1))}", key, one, other)


@dataclass(frozen=True, slots=True)
class Moves:
    """
    Which mails a day hands to the day before, and which of later days it takes.

    before:  marks of mails that belong to an earlier day.
    later:   following days, with the marks of mails there that belong to this one.
    """

    before: frozenset[str]
    later: tuple[tuple[str, frozenset[str]], ...]


def day_after(day: str, days: int = 1) -> str | None:
    """Give the day after an ISO day, or so many days after it; None for undated rows and the calendar's end."""
    try:
        return (date.fromisoformat(day) + timedelta(days=days)).isoformat()
    except (ValueError, OverflowError):
        return None


def moves_of(day: str, shared: Mapping[str, frozenset[str]]) -> Moves:
    """
    Tell what moves: a mail belongs to the first of the days on end on which it was seen.

    shared:  by day, the marks of mails that it and the next day both have.
    """
    before = shared.get(day_after(day, -1) or "", frozenset())
    taken, later, at = shared.get(day, frozenset()) - before, [], day_after(day)
    while taken and at:
        later.append((at, taken))
        taken, at = taken & shared.get(at, frozenset()), day_after(at)
    return Moves(before, tuple(later))


def shared_marks(one: pa.Table, other: pa.Table) -> set[str]:
    """
    Give the marks of mails that two days share: ``n`` and a network message id, or ``m`` and a Message-ID.

    A Message-ID joins rows of which one lacks the network message id, as in the fold: devices use some again and again.
    """
    ids = {*_both(_ids(one, "network_message_id"), _ids(other, "network_message_id"))}
    plain = {
        *_both(_ids(one, "message_id", alone=True), _ids(other, "message_id")),
        *_both(_ids(one, "message_id"), _ids(other, "message_id", alone=True)),
    }
    if plain:
        # What moves for its Message-ID takes along the rows that share its other id.
        for table in (one, other):
            moved = pc.is_in(table.column("message_id"), value_set=pa.array(sorted(plain), pa.string()))
            ids |= {*_ids(table.filter(moved), "network_message_id").to_pylist()}
    return {f"n{each}" for each in ids} | {f"m{each}" for each in plain}


def _ids(table: pa.Table, name: str, *, alone: bool = False) -> pa.Array:
    """Give a column's different ids; alone: of the rows that lack the network message id."""
    if alone:
        table = table.filter(pc.fill_null(pc.equal(table.column("network_message_id"), ""), True))
    found = pc.unique(table.column(name))
    return found.filter(pc.fill_null(pc.not_equal(found, ""), False))


def _both(one: pa.Array, other: pa.Array) -> list[str]:
    found: list[str] = one.filter(pc.is_in(one, value_set=other)).to_pylist()
    return found


def marked(rows: pa.RecordBatch, marks: frozenset[str]) -> pa.Array:
    """Tell of each row whether it has one of the marks."""

    def has(column: str, letter: str) -> pa.Array:
        wanted = pa.array([mark[1:] for mark in marks if mark[0] == letter], pa.string())
        return pc.is_in(rows.column(column), value_set=wanted)

    return pc.or_(has("network_message_id", "n"), has("message_id", "m"))


def merge_parts(parts: Sequence[DayFlows]) -> DayFlows:
    """Merge what days or spans of days fold to, in their order."""
    own = tuple(dict.fromkeys(name for each in parts for name in each.own_domains))
    reported = tuple(sorted({name for each in parts for name in each.reported_domains}))
    return DayFlows(merge_days([each.folded for each in parts]), own, reported)


def merge_days(days: Sequence[Folded]) -> Folded:
    """
    Merge what days fold to.

    A client address delivers for as many domains as on its busiest day: those of several days are partly the same.
    """
    arrivals: dict[tuple[str, str], Arrival] = {}
    for arrival in (arrival for each in days for arrival in each.arrivals):
        key = (arrival.client_ip, arrival.connector)
        held = arrivals.get(key, arrival)
        arrivals[key] = replace(held, domains=max(held.domains, arrival.domains))
    return Folded(
        flows=merge_flows(flow for each in days for flow in each.flows),
        outside=merge_outside(row for each in days for row in each.outside),
        totals=Totals(
            ours=sum(each.totals.ours for each in days),
            others=sum(each.totals.others for each in days),
            rows=sum(each.totals.rows for each in days),
        ),
        arrivals=tuple(
            sorted(arrivals.values(), key=lambda each: (-each.domains, each.client_ip, each.connector))
        ),
        mailboxes=frozenset(name for each in days for name in each.mailboxes),
    )
