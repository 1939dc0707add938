"""Audits over a lake: reads what is new into it, folds days that changed, and merges the days' flows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import combinations

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import TypeAdapter, ValidationError

from portero.core.audit import Totals
from portero.core.evidence import Coverage, Gap
from portero.core.exchange.settings import Settings
from portero.core.hosts import Inside
from portero.core.message.arrival import TracedMail
from portero.engine.evidence_tables import EvidenceTables, evidence_tables
from portero.engine.fold import Folded, fold
from portero.engine.hosts import fold_hosts
from portero.kept_days import (
    DayFlows,
    Leaf,
    Moves,
    Span,
    ids_of,
    in_common,
    in_order,
    marked,
    merge_parts,
    moves_of,
    prints_of,
    shared_mails,
    tree_of,
)
from portero.sources.document import Batch, Document, Item, Note
from portero.store.lake import UNDATED, Lake, Writer, content_id, writing

# Part of the key of every day's flows: raise it when the fold gives other flows for the same rows.
FOLD = 3
_MAIL = ("mail_rows", "report_rows")
_BLOCK_OCTETS = 1 << 20
# What putting connections beside mails looks at, so that no other column of all days is read for it.
_BESIDE_HOSTS = (
    *(
        "line",
        "network_message_id",
        "message_id",
        "observed_at",
        "client_ip",
        "direction",
        "header_from",
        "sender",
    ),
    "size_octets",
)


_CODEC = TypeAdapter(DayFlows)


@dataclass(frozen=True, slots=True)
class _Shared:
    """
    The mails that days share, as they were found.

    days:   by day, the key of the ids that were looked at.
    pairs:  two days, the earlier first, and the marks of each mail that both have.
    alone:  the days with mails of which nothing but a Message-ID is known.
    """

    days: Mapping[str, str] = field(default_factory=dict)
    pairs: tuple[tuple[str, str, tuple[tuple[str, ...], ...]], ...] = ()
    alone: frozenset[str] = frozenset()


_SHARED = TypeAdapter(_Shared)
_STAYING = Moves(frozenset(), ())
_SHARED_PLACE = "shared/undated"
_SHARED_FORMAT = "2"
_DAYS_AT_ONCE = 100  # whose prints are in memory together
_NOTHING = Folded((), (), Totals(), (), frozenset())


class Keeping:
    """The evidence tables of an audit over a lake, behind the port that the use cases name."""

    def __init__(self, lake: Lake) -> None:
        self.lake = lake
        lake.sweep()
        self._writer = Writer(lake)
        self.read_now = 0

    def identify(self, document: Document) -> str:
        """Give a document's id."""
        with document.open() as stream:
            return content_id(iter(lambda: stream.read(_BLOCK_OCTETS), b""))

    def has(self, document: str) -> bool:
        """Tell whether a document with this id was read, in this run or before."""
        return self.lake.knows(document) or document in self._writer.documents

    def take(self, document: str, name: str, kind: str, items: Iterable[Item]) -> list[Item] | None:
        """
        Read a document's rows into the lake.

        A document without rows, as settings and DNS answers are, is not kept and its items are given back: hand it over
        with each audit. No source gives rows and settings from one document.
        """
        rest: list[Item] = []
        rows = False
        for item in items:
            if isinstance(item, Batch):
                rows = rows or bool(item.rows.num_rows)
                with writing(self.lake.root):
                    self._writer.add(document, item.table, item.rows)
            else:
                rest.append(item)
        if not rows:
            return rest
        self.read_now += 1
        notes = [item.text for item in rest if isinstance(item, Note)]
        gaps = [item for item in rest if isinstance(item, Gap)]
        self._writer.done(document, name, kind, notes, gaps)
        return None

    def settle(self, keep_days: int | None) -> int:
        """Make what was read a part of the lake, and let days go that are older than wanted; gives how many."""
        with writing(self.lake.root):
            self.lake.commit(self._writer)
            if keep_days is None:
                return 0
            return self.lake.expire((datetime.now(UTC) - timedelta(days=keep_days)).date())

    def coverage(self) -> tuple[Coverage, ...]:
        """Give what every document of the lake contributed."""
        return tuple(each.coverage for each in self.lake.documents)

    def gaps(self) -> tuple[Gap, ...]:
        """Give what of every document of the lake could not be used."""
        return tuple(gap for each in self.lake.documents for gap in each.said_gaps())

    def own_domains(self) -> tuple[str, ...]:
        """Guess the organisation's domains from mail alone, each day by itself."""
        return self._whole(Settings()).own_domains

    def reported_domains(self) -> tuple[str, ...]:
        """Name the domains that DMARC reports are about."""
        return self._whole(Settings()).reported_domains

    def fold(self, settings: Settings) -> Folded:
        """Fold the days that changed, take the others as they were kept, and merge them."""
        return self._whole(settings).folded

    def hosts(self, settings: Settings, own: Callable[[str], bool], zone: str | None) -> Inside:
        """Fold what network evidence shows of hosts, beside the mails of the same days."""
        if not self.lake.days("session_rows", "host_rows"):
            return Inside()
        with evidence_tables() as tables:
            names = self._load(
                tables, self.lake.days("session_rows", "host_rows"), ("session_rows", "host_rows")
            )
            if days := _around(self.lake.days("session_rows")):
                self._load(
                    tables,
                    [day for day in self.lake.days("mail_rows") if day in days],
                    ("mail_rows",),
                    _BESIDE_HOSTS,
                )
            tables.finish()
            return fold_hosts(tables, settings, names, own, zone)

    def traced(self, keys: Sequence[str]) -> dict[str, TracedMail]:
        """Give what traces say of mails, by network message id and by Message-ID, a day at a time."""
        found: dict[str, TracedMail] = {}
        for day in self.lake.days("mail_rows"):
            with evidence_tables() as tables:
                names = self._load(tables, [day], ("mail_rows",))
                tables.finish()
                for key, mail in tables.traced(keys, names).items():
                    if key not in found or mail.connector is not None:
                        found[key] = mail
        return found

    def _whole(self, settings: Settings) -> DayFlows:
        """Fold the days that changed, and merge all: what did not change is taken as it was merged before."""
        names = sorted((held.name, str(held.match_subdomains)) for held in settings.accepted_domains)
        kind = "flows" if names else "names"
        days = self.lake.days(*_MAIL)
        moves, fresh, gone = self._moves()
        leaves = [Leaf(day, self._key(day, moves.get(day, _STAYING), names)) for day in days]
        tree = tree_of([leaf for leaf in leaves if leaf.day != UNDATED], kind)

        def found(node: Leaf | Span) -> DayFlows:
            place = node.place if isinstance(node, Span) else f"{kind}0/{node.day}"
            kept = self._kept(place, node.key)
            if kept is None:
                kept = (
                    merge_parts([found(node.left), found(node.right)])
                    if isinstance(node, Span)
                    else self._fold_day(node.day, settings, moves.get(node.day, _STAYING))
                )
                fresh[place] = (node.key, _CODEC.dump_json(kept))
            return kept

        parts = [found(tree)] if tree else []
        parts += [found(leaf) for leaf in leaves if leaf.day == UNDATED]
        live = {*(tree.places() if isinstance(tree, Span) else ()), *(f"{kind}0/{day}" for day in days)}
        gone += [place for place in self.lake.kept if place.startswith(kind) and place not in live]
        gone += [place for place in self.lake.kept if "/" not in place]  # of an earlier version
        with writing(self.lake.root):
            self.lake.keep_flows(fresh, gone)
        return merge_parts(parts)

    def _key(self, day: str, moves: Moves, names: object) -> str:
        later = [
            (other, sorted(marks), self.lake.key_of(other, *_MAIL, also="")) for other, marks in moves.later
        ]
        return self.lake.key_of(day, *_MAIL, also=f"{FOLD} {names} {sorted(moves.before)} {later}")

    def _moves(self) -> tuple[dict[str, Moves], dict[str, tuple[str, bytes]], list[str]]:
        """
        Tell which mails each day hands to an earlier one, and takes from later ones; only what changed is compared.

        Gives also what to keep of that, by place, and which places to let go.
        """
        try:
            kept = _SHARED.validate_json(self.lake.flows(_SHARED_PLACE, _SHARED_FORMAT) or b"{}")
        except ValidationError:
            kept = _Shared()
        keys = {day: self.lake.key_of(day, "mail_rows", also="") for day in self.lake.days("mail_rows")}
        if keys == kept.days:
            return moves_of({(one, other): mails for one, other, mails in kept.pairs}), {}, []
        same = [day for day, key in keys.items() if kept.days.get(day) == key]
        prints = _Prints(self.lake, keys, kept.alone & frozenset(same))
        pairs = {(one, other): mails for one, other, mails in kept.pairs if {one, other} <= frozenset(same)}
        for one, two in prints.meeting([day for day in keys if day not in same], same):
            if mails := shared_mails(self.lake.ids(one), self.lake.ids(two)):
                pairs[one, two] = tuple(mails)
        found = _Shared(keys, tuple((*pair, mails) for pair, mails in sorted(pairs.items())), prints.alone)
        fresh = {**prints.fresh, _SHARED_PLACE: (_SHARED_FORMAT, _SHARED.dump_json(found))}
        return moves_of(pairs), fresh, [place for place in self.lake.kept if _other_prints(place, keys)]

    def _kept(self, place: str, key: str) -> DayFlows | None:
        data = self.lake.flows(place, key)
        try:
            return None if data is None else _CODEC.validate_json(data)
        except ValidationError:
            return None  # whatever it is, the rows it was folded from are still there

    def _fold_day(self, day: str, settings: Settings, moves: Moves) -> DayFlows:
        numbers = {each.id: number for number, each in enumerate(self.lake.documents)}
        with evidence_tables() as tables:
            names = self._load(tables, [day], ("report_rows",))
            for document, rows in self.lake.rows("mail_rows", [day]):
                part = rows.filter(pc.invert(marked(rows, moves.before))) if moves.before else rows
                tables.add(numbers[document], "mail_rows", part)
            for later, marks in moves.later:
                for document, rows in self.lake.rows("mail_rows", [later]):
                    tables.add(numbers[document], "mail_rows", rows.filter(marked(rows, marks)))
            tables.finish()
            if not settings.accepted_domains:
                return DayFlows(_NOTHING, tables.own_domains(), tables.reported_domains())
            return DayFlows(fold(tables, settings, names))

    def _load(
        self,
        tables: EvidenceTables,
        days: Sequence[str],
        wanted: Sequence[str],
        columns: Sequence[str] | None = None,
    ) -> list[str]:
        """Load days' rows, and give the documents' names by their numbers, which are the same for every call."""
        numbers = {each.id: number for number, each in enumerate(self.lake.documents)}
        for table in wanted:
            for document, rows in self.lake.rows(table, days, columns):
                tables.add(numbers[document], table, rows)
        return [each.name for each in self.lake.documents]


class _Prints:
    """
    Prints of the ids of a lake's days, as they were kept; where there are none, they are made.

    alone:  the days with mails of which nothing but a Message-ID is known.
    fresh:  what was made, to be kept.
    """

    def __init__(self, lake: Lake, keys: Mapping[str, str], alone: frozenset[str]) -> None:
        self._lake, self._keys = lake, keys
        self.alone = alone
        self.fresh: dict[str, tuple[str, bytes]] = {}
        self._read: tuple[str, pa.Table] = ("", None)

    def meeting(self, changed: Sequence[str], same: Sequence[str]) -> list[tuple[str, str]]:
        """Give the pairs of days, one of them a changed one, that may share mails."""
        for day in changed:
            self._of("full", day)
            if self._of("alone", day):
                self.alone |= {day}
            else:
                self.fresh.pop(f"alone/{day}", None)
        found = set()
        for days in self._common("full", changed, same).values():
            found |= set(combinations(sorted(days), 2))
        if self.alone:
            only = {day: frozenset(self._of("alone", day).to_pylist()) for day in self.alone}
            for each, days in self._common("short", changed, same).items():
                for one in self.alone & days:
                    if each in only[one]:
                        found |= {(one, other) for other in days - {one}}
        fresh = frozenset(changed)
        return sorted({in_order(one, other) for one, other in found if fresh & {one, other}})

    def _common(self, which: str, changed: Sequence[str], same: Sequence[str]) -> dict[int, frozenset[str]]:
        held = (
            {day: self._of(which, day) for day in same[at : at + _DAYS_AT_ONCE]}
            for at in range(0, len(same), _DAYS_AT_ONCE)
        )
        return in_common({day: self._of(which, day) for day in changed}, held)

    def _of(self, which: str, day: str) -> pa.Array:
        """
        Give a day's prints.

        which:  full for network message ids, short for Message-IDs, alone for those that stand without the other.
        """
        place, key = f"{which}/{day}", self._keys[day]
        raw = self.fresh[place][1] if place in self.fresh else self._lake.flows(place, key)
        if raw is None or len(raw) % 8:
            if self._read[0] != day:
                self._read = (day, self._lake.ids(day))
            ids = self._read[1]
            column = "network_message_id" if which == "full" else "message_id"
            raw = prints_of(ids_of(ids, column, alone=which == "alone")).buffers()[1].to_pybytes()
            self.fresh[place] = (key, raw)
        return pa.Array.from_buffers(pa.int64(), len(raw) // 8, [None, pa.py_buffer(raw)])


def _other_prints(place: str, keys: Mapping[str, str]) -> bool:
    """Tell whether a place has prints of a day that is not there any more, or of an earlier version."""
    word, _, day = place.partition("/")
    return word == "ids" or (word in ("full", "short", "alone") and day not in keys)


def _around(days: Iterable[str]) -> frozenset[str]:
    """Give days and their neighbours: clocks differ, and a log's own clock may be of another day."""
    found = set()
    for text in days:
        try:
            day = date.fromisoformat(text)
        except ValueError:
            found.add(text)
            continue
        found |= {(day + timedelta(days=shift)).isoformat() for shift in (-1, 0, 1)}
    return frozenset(found)
