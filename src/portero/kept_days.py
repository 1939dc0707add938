"""How the days of a lake come together: a mail belongs to the first of its days, and spans of days are merged once."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc

from portero.core.audit import Totals
from portero.core.flow import merge_flows, merge_outside
from portero.engine.fold import Arrival, Folded
from portero.engine.prints import met
from portero.store.lake import UNDATED

_LEVELS = 22  # doublings: more days than there are dates
_WEEK = 3  # doublings


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


def tree_of(leaves: Sequence[Leaf], kind: str) -> Span | Leaf | None:
    """
    Merge the days of the last eight-day week, for days are added and completed there, with one span of all before them.

    leaves:  in order of their days, none undated.
    kind:    the word before the level in the places.
    """
    weeks = [date.fromisoformat(leaf.day).toordinal() >> _WEEK for leaf in leaves]
    before = weeks.index(weeks[-1]) if weeks else 0
    old, new = (_halved(part, kind, _LEVELS) for part in (leaves[:before], leaves[before:]))
    if old is None or new is None:
        return old or new
    return _span(f"{kind}{_LEVELS + 1}/{leaves[before].day}", old, new)


def _halved(leaves: Sequence[Leaf], kind: str, level: int) -> Span | Leaf | None:
    """Halve the calendar until each part has one day; parts without days are passed over."""
    if len(leaves) <= 1:
        return leaves[0] if leaves else None
    level -= 1
    bit = [date.fromisoformat(leaf.day).toordinal() >> level & 1 for leaf in leaves]
    left, right = leaves[: bit.count(0)], leaves[bit.count(0) :]
    one, other = _halved(left, kind, level), _halved(right, kind, level)
    if one is None or other is None:
        return one or other
    start = date.fromisoformat(leaves[0].day).toordinal() >> level + 1 << level + 1
    return _span(f"{kind}{level + 1}/{date.fromordinal(max(start, 1))}", one, other)


def _span(place: str, left: Span | Leaf, right: Span | Leaf) -> Span:
    return Span(place, hashlib.sha256(f"{left.key} {right.key}".encode()).hexdigest(), left, right)


@dataclass(frozen=True, slots=True)
class Moves:
    """
    Which mails a day hands to the day before, and which of later days it takes.

    before:  marks of mails that belong to an earlier day.
    later:   following days, with the marks of mails there that belong to this one.
    """

    before: frozenset[str]
    later: tuple[tuple[str, frozenset[str]], ...]


def moves_of(shared: Mapping[tuple[str, str], Iterable[Sequence[str]]]) -> dict[str, Moves]:
    """
    Tell what moves, by day: a mail belongs to the first day on which it was seen; what bears no date comes after all days.

    shared:  by two days, the earlier first, what `shared_mails` gives of them.
    """
    home: dict[str, str] = {}  # by mark: the mark that stands for its mail
    days: dict[str, set[str]] = {}

    def mail(mark: str) -> str:
        at = mark
        while home.setdefault(at, at) != at:
            home[at] = at = home[home[at]]
        return at

    for pair, mails in shared.items():
        for marks in mails:
            for mark in marks:
                days.setdefault(mark, set()).update(pair)
                home[mail(mark)] = mail(marks[0])
    seen: dict[str, set[str]] = {}
    for mark, held in days.items():
        seen.setdefault(mail(mark), set()).update(held)
    before: dict[str, set[str]] = {}
    later: dict[str, dict[str, set[str]]] = {}
    for mark, held in days.items():
        first = min(seen[mail(mark)], key=_order)
        for day in held - {first}:
            before.setdefault(day, set()).add(mark)
            later.setdefault(first, {}).setdefault(day, set()).add(mark)
    return {
        day: Moves(
            frozenset(before.get(day, ())),
            tuple((other, frozenset(later[day][other])) for other in sorted(later.get(day, ()), key=_order)),
        )
        for day in {*before, *later}
    }


def _order(day: str) -> tuple[bool, str]:
    return day == UNDATED, day


def in_order(one: str, other: str) -> tuple[str, str]:
    """Give two days, the earlier first."""
    first, second = sorted((one, other), key=_order)
    return first, second


def shared_mails(one: pa.Table, other: pa.Table) -> list[tuple[str, ...]]:
    """
    Give the mails that two days share, each by its marks: ``n`` and a network message id, or ``m`` and a Message-ID.

    A Message-ID joins rows of which one lacks the network message id, as in the fold: devices use some again and again.
    It takes along the rows that share the other id of its own.
    """
    found: list[tuple[str, ...]] = [
        (f"n{each}",)
        for each in _both(ids_of(one, "network_message_id"), ids_of(other, "network_message_id"))
    ]
    plain = {
        *_both(ids_of(one, "message_id", alone=True), ids_of(other, "message_id")),
        *_both(ids_of(one, "message_id"), ids_of(other, "message_id", alone=True)),
    }
    if plain:
        along: dict[str, set[str]] = {}
        for table in (one, other):
            moved = table.filter(
                pc.is_in(table.column("message_id"), value_set=pa.array(sorted(plain), pa.string()))
            )
            for short, full in zip(
                moved.column("message_id").to_pylist(),
                moved.column("network_message_id").to_pylist(),
                strict=True,
            ):
                if full:
                    along.setdefault(short, set()).add(f"n{full}")
        found += [(f"m{each}", *sorted(along.get(each, ()))) for each in sorted(plain)]
    return found


def prints_of(ids: pa.Array) -> pa.Array:
    """
    Give short numbers of ids, which are quick to compare: days that have none in common share no mail.

    A number in common proves nothing: two ids may have the same one.
    """
    prints = (hashlib.blake2b(each.encode(), digest_size=8).digest() for each in ids.to_pylist())
    return pa.Array.from_buffers(pa.int64(), len(ids), [None, pa.py_buffer(b"".join(prints))])


def in_common(
    fresh: Mapping[str, pa.Array], held: Iterable[Mapping[str, pa.Array]]
) -> dict[int, frozenset[str]]:
    """
    Give the prints that a day of the fresh ones has in common with another day, with all days that have them.

    fresh:  prints by day, each once in a day.
    held:   those of the other days, some days at a time.
    """
    if not any(fresh.values()):
        return {}
    mine = pa.concat_arrays([*fresh.values()])
    days: dict[int, set[str]] = {}
    for part in held:
        for day, prints in met(mine, part).items():
            for each in prints:
                days.setdefault(each, set()).add(day)
    several = pc.value_counts(mine)
    several = several.field("values").filter(pc.greater(several.field("counts"), 1))
    common = pa.array({*days, *several.to_pylist()}, pa.int64())
    if common:
        for day, prints in fresh.items():
            for each in prints.filter(pc.is_in(prints, value_set=common)).to_pylist():
                days.setdefault(each, set()).add(day)
    return {each: frozenset(where) for each, where in days.items()}


def ids_of(table: pa.Table, name: str, *, alone: bool = False) -> pa.Array:
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
