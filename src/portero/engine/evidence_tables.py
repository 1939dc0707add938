"""The evidence tables: filled in batches, kept as they come or in files, and asked in SQL by the embedded engine."""

from __future__ import annotations

import mmap
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from uuid import UUID

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from portero.core.evidence import Origin
from portero.core.evidence_rows import TABLES, texts
from portero.core.message.arrival import TracedMail

# Only names of this file and of the schemas, and whole numbers, are put into its queries.
# ruff: noqa: S608

# DuckDB names for the Arrow types the schemas use.
_TYPES = {
    pa.int32(): "INTEGER",
    pa.int64(): "BIGINT",
    pa.string(): "VARCHAR",
    pa.timestamp("us"): "TIMESTAMP",
}

# The engine reads batches where they lie, which saves a copy of every row: in memory until they hold this much together.
_HELD_OCTETS = 600_000_000
# Then they go to files, whose pages are memory that the system may take back, and what follows goes there sooner.
_HELD_LATER_OCTETS = 100_000_000
_STORING_MEMORY = "700MB"
# Mails whose groups the engine holds at once: a text in a group does not go to its folder.
_MAILS_AT_ONCE, _MAILS_AT_ONCE_STORING = 200_000, 400_000
# Rows in files are sorted into so many shards by the mail's id, so that what looks at mails in parts needs the files in parts.
SHARDS = 8
# Columns of few different words are held as numbers of words, in long batches.
_WORDS = frozenset(
    {"witness", "connector", "direction", "outcome", "threat", "spf", "dkim", "dmarc", "compauth"}
)
# Texts that rows repeat are held once, and in the rows by number; columns of one kind share their numbers, and so compare.
NUMBERED = {
    "sender": "people",
    "mail_from": "people",
    "header_from": "people",
    "recipients": "lists",
    "client_ip": "clients",
}
_REPEATED = _WORDS | NUMBERED.keys()
_GUID = r"(?i)^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"
_NO_GUID = "00000000-0000-0000-0000-000000000000"
# Batches of fewer rows are joined up to this many: the engine pays for each batch it scans.
_SMALL_ROWS = 8_192
_JOINED_ROWS = 65_536
_ROWS_AT_ONCE = 8_192

# A domain as evidence writes it: what follows the last "@", in lower case. A-labels are made later, of the distinct few.
DOMAIN = "lower(rtrim(CASE WHEN {0} LIKE '%@%' THEN regexp_extract({0}, '@([^@]*)$', 1) ELSE '' END, '.> '))"


@dataclass(slots=True)
class _Part:
    """
    Rows of one table that know the same columns.

    name:     of the table by which the engine knows them.
    held:     what lies in memory.
    small:    batches that wait to be joined.
    numbered: how many of the held batches have numbers for texts; the first ones.
    filed:    what lies in files, by shard; rows without id are in the last one, which stands behind `SHARDS`.
    """

    name: str
    columns: tuple[str, ...]
    held: list[pa.RecordBatch] = field(default_factory=list)
    small: list[pa.RecordBatch] = field(default_factory=list)
    numbered: int = 0
    filed: dict[int, list[pa.RecordBatch]] = field(default_factory=dict)

    def join(self) -> None:
        """Make one batch of the small ones."""
        if self.small:
            self.held.append(pa.concat_batches(self.small) if len(self.small) > 1 else self.small[0])
            self.small = []

    def forget(self, column: str) -> None:
        """Let a column go that no query will touch."""
        if column in self.columns:
            self.columns = tuple(name for name in self.columns if name != column)
            self.held = [batch.select(self.columns) for batch in self.held]
            self.filed = {
                shard: [batch.select(self.columns) for batch in held] for shard, held in self.filed.items()
            }


class EvidenceTables:
    """
    Holds evidence rows of one run.

    folder:  takes what memory does not.
    memory:  what the engine may hold before it spills, as DuckDB writes sizes.
    held:    octets of rows that are kept in memory before they go to files.
    """

    def __init__(self, folder: str, memory: str = "450MB", held: int = _HELD_OCTETS) -> None:
        self.connection = duckdb.connect(
            ":memory:",
            config={
                "memory_limit": memory,
                "temp_directory": folder,
                # Rows carry their line, so their order in the table means nothing.
                "preserve_insertion_order": False,
                # Parting the work costs more than it saves: two threads take twice the time of the processor for the
                # same grouping, and reading, which is not parted, takes longer than all of it (docs/adr/0005).
                "threads": 1,
                # Queries put the many rows first and join small tables to them. How many rows lie outside the engine it does
                # not know, and took them for the side that it keeps in memory.
                "disabled_optimizers": "join_order,build_side_probe_side",
            },
        )
        # Nothing in evidence may make the engine read another file or the network.
        self.connection.execute("SET enable_external_access = false")
        self._parts: dict[tuple[str, tuple[str, ...], bool], _Part] = {}
        # The different texts by their numbers; the empty one is always number 0.
        self._texts = dict.fromkeys(NUMBERED.values(), pa.array([""], pa.string()))
        self._folder, self._files = Path(folder), list[mmap.mmap]()
        self._limit, self._octets = held, 0
        self._with_addresses: set[int] = set()
        self._without_addresses: set[int] = set()
        self._without_ids = False

    def add(self, document: int, table: str, rows: pa.RecordBatch) -> None:
        """Append a batch of rows that stand in the document with this number."""
        if not rows.num_rows:
            return
        if table == "mail_rows":
            rows = _with_numbers(rows)
        # A column that nobody fills costs the engine as much as any other, so only what is known is kept.
        known = [name for name in rows.schema.names if rows.column(name).null_count < rows.num_rows]
        columns = ("document", *known)
        small = rows.num_rows < _SMALL_ROWS
        part = self._parts.setdefault((table, columns, small), _Part(f"{table}_{len(self._parts)}", columns))
        number = pa.repeat(pa.scalar(document, pa.int32()), rows.num_rows)
        coded = frozenset[str]() if small else _REPEATED if table == "mail_rows" else _WORDS
        arrays = [(_dictionary if name in coded else texts)(rows.column(name)) for name in known]
        batch = pa.RecordBatch.from_arrays([number, *arrays], names=list(columns))
        if table == "mail_rows":
            self._look_for_addresses(document, rows)
            self._without_ids |= bool(rows.column("id_low").null_count)
        if small:
            part.small.append(batch)
            if sum(each.num_rows for each in part.small) >= _JOINED_ROWS:
                part.join()
        else:
            part.held.append(batch)
        self._octets += batch.nbytes
        if self._octets > self._limit:
            self._store()

    def _look_for_addresses(self, document: int, rows: pa.RecordBatch) -> None:
        addresses = rows.column("client_ip")
        if addresses.null_count < len(addresses) and document not in self._with_addresses:
            different = addresses.dictionary if pa.types.is_dictionary(addresses.type) else addresses
            found = pc.any(pc.not_equal(different, "")).as_py()
            (self._with_addresses if found else self._without_addresses).add(document)

    def finish(self) -> None:
        """
        Make what was added the tables' rows; queries see none before it, and none that are added later.

        The Message-ID is there for rows without Exchange's own id and for sessions that show only it, and is a seventh of
        all octets: where there are neither it goes.

        Of mail there are two views: ``numbered_rows`` has numbers for the texts of `NUMBERED`, as ``sender_no``, whose
        texts are in ``people_written``, ``lists_written`` and ``clients_written`` (``no``, ``written``); ``mail_rows`` has
        the texts. Of each of the `shards` there is ``numbered_rows_N``, with the rows without id beside its own. In all two
        numbers, ``id_high`` and ``id_low``, stand for the network message id; see `id_numbers`.
        """
        sessions = any(table == "session_rows" for table, _, _ in self._parts)
        for (table, _, _), part in self._parts.items():
            part.join()
            if table == "mail_rows" and not self._without_ids and not sessions:
                part.forget("message_id")
        if self._files:
            self._store()
        self._number()
        for part in self._parts.values():
            whole = [*part.held, *(batch for held in part.filed.values() for batch in held)]
            self.connection.register(part.name, pa.Table.from_batches(whole))
            for shard, held in part.filed.items():
                self.connection.register(f"{part.name}_{shard}", pa.Table.from_batches(held))
        self.connection.execute("SET lock_configuration = true")
        # What reading took for a while is needed no more, and the fold needs room.
        pa.default_memory_pool().release_unused()
        for kind, different in self._texts.items():
            numbers = pa.arange(0, len(different)).cast(pa.int32())
            self.connection.register(f"{kind}_written", pa.table({"no": numbers, "written": different}))
        for table in TABLES:
            parts = [part for (owner, _, _), part in self._parts.items() if owner == table]
            view = "numbered_rows" if table == "mail_rows" else table
            self._view(view, table, [(part, part.name) for part in parts])
            for shard in self.shards if table == "mail_rows" else ():
                filed = [(part, each) for part in parts for each in (shard, SHARDS) if each in part.filed]
                self._view(f"{view}_{shard}", table, [(part, f"{part.name}_{each}") for part, each in filed])
        self.connection.execute(f"CREATE OR REPLACE TEMP VIEW mail_rows AS {self._written()}")

    def _view(self, name: str, table: str, sources: Sequence[tuple[_Part, str]]) -> None:
        nothing = ", ".join(f"CAST(NULL AS {kind}) AS {column}" for column, kind in _columns(table).items())
        rows = " UNION ALL ".join(self._piece(table, part, source) for part, source in sources)
        self.connection.execute(
            f"CREATE OR REPLACE TEMP VIEW {name} AS {rows or f'SELECT {nothing} WHERE FALSE'}"
        )

    def _piece(self, table: str, part: _Part, source: str) -> str:
        """Write the query that gives a part's rows, or a shard of them, with all of the table's columns."""
        lost = sorted(self._without_addresses - self._with_addresses) if table == "mail_rows" else []
        columns = []
        for shown, kind in _columns(table).items():
            name = shown.removesuffix("_no")
            if name not in part.columns:
                columns.append(f"CAST(NULL AS {kind}) AS {shown}")
            elif shown == "client_ip_no" and lost:
                # A summary shows mail from inside by an empty address. Where all of a document's addresses are empty
                # the export lost them, and to read that as "from inside" would call every stranger one of ours.
                told = "direction IS NOT NULL OR" if "direction" in part.columns else ""
                numbers = ", ".join(map(str, lost))
                columns.append(
                    f"CASE WHEN {told} client_ip > 0 OR document NOT IN ({numbers}) THEN client_ip END AS client_ip_no"
                )
            else:
                columns.append(name if name == shown else f"{name} AS {shown}")
        return f"SELECT {', '.join(columns)} FROM {source}"

    def _written(self) -> str:
        """Write the query that gives the rows of mail with their texts."""
        known, columns, joins = self.known("mail_rows"), [], ""
        for shown in _columns("mail_rows"):
            name = shown.removesuffix("_no")
            kind = NUMBERED.get(name)
            if kind and name in known:
                columns.append(f"t_{name}.written AS {name}")
                joins += f" LEFT JOIN {kind}_written t_{name} ON r.{shown} = t_{name}.no"
            else:
                columns.append(f"CAST(NULL AS VARCHAR) AS {name}" if kind else f"r.{name}")
        return f"SELECT {', '.join(columns)} FROM numbered_rows r{joins}"

    def _number(self) -> None:
        """Put numbers for the texts of `NUMBERED` into the held rows that have none; a text keeps its number."""
        parts = [part for (table, _, _), part in self._parts.items() if table == "mail_rows"]
        for kind, known in self._texts.items():
            places = [
                (part, order, name)
                for part in parts
                for order in range(part.numbered, len(part.held))
                for name in part.columns
                if NUMBERED.get(name) == kind
            ]
            columns = [_dictionary(part.held[order].column(name)) for part, order, name in places]
            # What was known comes first, and so keeps its numbers.
            first = pa.DictionaryArray.from_arrays(pa.array([0], pa.int32()), known)
            coded = pa.chunked_array([first, *columns]).unify_dictionaries()
            self._texts[kind] = coded.chunk(0).dictionary
            for (part, order, name), chunk in zip(places, coded.chunks[1:], strict=True):
                rows = part.held[order]
                part.held[order] = rows.set_column(part.columns.index(name), name, chunk.indices)
        for part in parts:
            part.numbered = len(part.held)

    def _store(self) -> None:
        """Write the rows that lie in memory to files, and let the engine read them there."""
        for part in self._parts.values():
            part.join()
        self._number()
        if not self._files:
            self._limit = min(self._limit, _HELD_LATER_OCTETS)
            self.connection.execute(f"SET memory_limit = '{_STORING_MEMORY}'")
        for part in self._parts.values():
            if part.held:
                shards = _in_shards(pa.Table.from_batches(part.held))
                for shard, lying in zip(shards, self._filed(list(shards.values())), strict=True):
                    part.filed.setdefault(shard, []).append(lying)
                part.held, part.numbered = [], 0
        self._octets = 0

    def _filed(self, batches: Sequence[pa.RecordBatch]) -> list[pa.RecordBatch]:
        """Write batches to a file and give them as they lie in it."""
        path = self._folder / f"{len(self._files)}.arrow"
        # In one file the words of all batches have the same numbers.
        together = pa.ipc.IpcWriteOptions(unify_dictionaries=True)
        rows = pa.Table.from_batches(batches)
        with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, rows.schema, options=together) as file:
            file.write_table(rows)
        with path.open("rb") as file:
            self._files.append(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        lying = pa.ipc.open_file(pa.py_buffer(self._files[-1]))
        return [lying.get_batch(number) for number in range(lying.num_record_batches)]

    @property
    def shards(self) -> range:
        """Give the numbers of the shards that there are; a mail's is what its ``low`` leaves when divided by them."""
        return range(SHARDS if self._files else 0)

    def run(self, query: str) -> None:
        """Ask a query that makes a table or a view."""
        self.connection.execute(query)
        self._let_go()

    def _let_go(self) -> None:
        """Give the pages of files that a query looked at back to the system."""
        if hasattr(mmap, "MADV_DONTNEED"):
            for each in self._files:
                each.madvise(mmap.MADV_DONTNEED)

    @property
    def mails_at_once(self) -> int:
        """Say of how many mails the engine can hold the groups."""
        return _MAILS_AT_ONCE_STORING if self._files else _MAILS_AT_ONCE

    def known(self, table: str) -> frozenset[str]:
        """Name the columns of a table that hold anything."""
        return frozenset(name for (owner, columns, _) in self._parts if owner == table for name in columns)

    def rows(self, query: str, parameters: list[object] | None = None) -> list[tuple[object, ...]]:
        """Ask a query and give its rows."""
        found = self.connection.execute(query, parameters or []).fetchall()
        self._let_go()
        return found

    def stream(self, query: str) -> Iterator[tuple[object, ...]]:
        """Ask a query and give its rows a few thousand at a time; ask nothing else before the last."""
        asked = self.connection.execute(query)
        while some := asked.fetchmany(_ROWS_AT_ONCE):
            yield from some

    def column(self, query: str) -> pa.Array:
        """Ask a query of one column of texts and give its values."""
        found = self.connection.sql(query).to_arrow_table().column(0)
        return found.combine_chunks() if found.num_chunks != 1 else found.chunk(0)

    def texts(self, kind: str) -> pa.Array:
        """Give the different texts of a kind of `NUMBERED` by their numbers; the first is empty."""
        return self._texts[kind]

    def fill(self, table: str, columns: dict[str, pa.Array], *, more: bool = False) -> None:
        """Make a temporary table of columns that were worked out outside the engine, or add more rows to it."""
        self.connection.register("incoming", pa.table(columns))
        begin = f"INSERT INTO {table}" if more else f"CREATE TEMP TABLE {table} AS"
        self.connection.execute(f"{begin} SELECT * FROM incoming")
        self.connection.unregister("incoming")

    def spans(self) -> dict[int, tuple[int, datetime | None, datetime | None]]:
        """Give, for each document, how many rows it gave and the earliest and latest time in them (aware UTC)."""
        found: dict[int, tuple[int, datetime | None, datetime | None]] = {}
        for query in (
            "SELECT document, count(*), min(observed_at), max(observed_at) FROM numbered_rows GROUP BY document",
            "SELECT document, count(*), min(begin_at), max(end_at) FROM report_rows GROUP BY document",
            "SELECT document, count(*), min(observed_at), max(observed_at) FROM session_rows GROUP BY document",
            "SELECT document, count(*), min(observed_at), max(observed_at) FROM host_rows GROUP BY document",
        ):
            for document, number, first, last in self.connection.execute(query).fetchall():
                found[document] = (number, aware(first), aware(last))
        return found

    def own_domains(self) -> tuple[str, ...]:
        """
        Guess the organisation's domains from mail alone, for evidence without configuration.

        Mail submitted from inside carries one of them in its sender, and inbound mail one in its recipients. Where a
        trace shows neither address nor direction, the domain of most recipients is taken.
        """
        query = f"""
            WITH inside AS (
                SELECT {DOMAIN.format("coalesce(header_from, sender)")} AS name FROM mail_rows
                WHERE client_ip = '' AND coalesce(direction, 'originating') = 'originating' AND coalesce(connector, '') = ''
                UNION ALL
                SELECT {DOMAIN.format("split_part(recipients, ';', 1)")} AS name FROM mail_rows
                WHERE direction = 'incoming' OR (direction IS NULL AND client_ip <> '')
                UNION ALL
                SELECT lower(envelope_to) AS name FROM report_rows
                WHERE reporter = 'Enterprise Outlook' AND lower(envelope_to) = lower(policy_domain)
            ), counted AS (SELECT name, count(*) AS number FROM inside WHERE name <> '' GROUP BY name)
            SELECT name FROM counted WHERE number * 100 >= (SELECT sum(number) FROM counted) ORDER BY number DESC, name
        """
        found = tuple(str(row[0]) for row in self.rows(query))
        return found or tuple(str(row[0]) for row in self.rows(_BY_RECIPIENTS))

    def reported_domains(self) -> tuple[str, ...]:
        """Name the domains that DMARC reports are about, in order."""
        query = "SELECT DISTINCT lower(policy_domain) AS name FROM report_rows WHERE policy_domain LIKE '%.%' ORDER BY name"
        return tuple(str(row[0]) for row in self.rows(query))

    def traced(self, keys: Sequence[str], names: Sequence[str]) -> dict[str, TracedMail]:
        """
        Give what traces say of mails with these network message ids or Message-IDs, by either; names are the documents'.

        Where several rows tell of one mail, one that knows the connector wins.
        """
        high, low = id_numbers(pa.array(keys, pa.string()))
        self.connection.register(
            "wanted", pa.table({"key": pa.array(keys, pa.string()), "high": high, "low": low})
        )
        shown = "m.connector, m.direction, m.mail_from, m.client_ip, m.outcome, m.document, m.line"
        rows = self.rows(
            f"SELECT w.key, {shown} FROM mail_rows m JOIN wanted w ON m.id_high = w.high AND m.id_low = w.low "
            f"UNION ALL SELECT w.key, {shown} FROM mail_rows m JOIN wanted w ON m.message_id = w.key "
            "ORDER BY connector IS NOT NULL, document, line LIMIT 200000"
        )
        self.connection.unregister("wanted")
        found: dict[str, TracedMail] = {}
        for row in rows:
            key, connector, direction, mail_from, client_ip, outcome, document, line = (
                None if each is None else str(each) for each in row
            )
            origin = Origin(names[int(document or 0)], None if line is None else int(line))
            found[str(key)] = TracedMail(connector, direction, mail_from, client_ip, outcome, origin)
        return found

    def close(self) -> None:
        """Let the engine go, with what lies in files."""
        self.connection.close()
        self._parts.clear()
        self._files.clear()


_BY_RECIPIENTS = f"""
WITH counted AS (
    SELECT {DOMAIN.format("split_part(recipients, ';', 1)")} AS name, count(*) AS number FROM mail_rows
    WHERE recipients <> '' GROUP BY 1
)
SELECT name FROM counted WHERE name <> '' AND number * 2 > (SELECT sum(number) FROM counted)
"""


def _columns(table: str) -> dict[str, str]:
    """Give a table's columns and their types in the engine."""
    if table != "mail_rows":
        return {each.name: _TYPES[each.type] for each in TABLES[table]}
    columns: dict[str, str] = {}
    for each in TABLES[table]:
        if each.name == "network_message_id":
            columns |= {"id_high": "BIGINT", "id_low": "BIGINT"}
        elif each.name in NUMBERED:
            columns[f"{each.name}_no"] = "INTEGER"
        else:
            columns[each.name] = _TYPES[each.type]
    return columns


def _in_shards(rows: pa.Table) -> dict[int, pa.RecordBatch]:
    """Part rows by their mail's id; rows of a table that has none are one shard."""
    if "id_low" not in rows.schema.names:
        return {SHARDS: rows.combine_chunks().to_batches()[0]}
    shard = pc.fill_null(pc.bit_wise_and(rows["id_low"], SHARDS - 1), SHARDS)
    found = {}
    for each in range(SHARDS + 1):
        if (part := rows.filter(pc.equal(shard, each)).combine_chunks()).num_rows:
            found[each] = part.to_batches()[0]
    return found


def _dictionary(column: pa.Array) -> pa.DictionaryArray:
    return column if pa.types.is_dictionary(column.type) else column.dictionary_encode()


def id_numbers(ids: pa.Array) -> tuple[pa.Array, pa.Array]:
    """
    Give two int64 for each network message id, null where there is none: the halves of its GUID.

    What is no GUID in its usual form is stood for by the first half of its SHA-256.
    """
    if (numbers := _halves(ids)) is not None:
        return numbers
    usual = pc.fill_null(pc.match_substring_regex(ids, _GUID), False).to_pylist()
    written = [
        text if guid or not text else str(UUID(bytes=sha256(text.encode()).digest()[:16]))
        for text, guid in zip(ids.to_pylist(), usual, strict=True)
    ]
    none = pa.array([not text for text in written], pa.bool_())
    halves = _halves(pa.array([text or _NO_GUID for text in written], pa.string()))
    assert halves is not None  # each text is a GUID now  # noqa: S101
    high, low = (pc.if_else(none, pa.scalar(None, pa.int64()), half) for half in halves)
    return high, low


def _with_numbers(rows: pa.RecordBatch) -> pa.RecordBatch:
    """Put the two numbers of the network message id in its place."""
    at = rows.schema.get_field_index("network_message_id")
    high, low = id_numbers(rows.column(at))
    return rows.set_column(at, "id_high", high).add_column(at + 1, "id_low", low)


def _halves(ids: pa.Array) -> tuple[pa.Array, pa.Array] | None:
    """Read GUIDs, 36 characters each, in one go; None where some text is none."""
    number = len(ids)
    if not number:
        return pa.array([], pa.int64()), pa.array([], pa.int64())
    lengths = pc.min_max(pc.binary_length(ids)).as_py()
    if ids.null_count or lengths != {"min": 36, "max": 36}:
        return None
    ends = ids.buffers()[1]
    first = memoryview(ends).cast("i")[ids.offset]
    text = ids.buffers()[2].slice(first, 36 * number).to_pybytes()
    dashes = b"-" * number
    digits = text.replace(b"-", b"")
    if len(digits) != 32 * number or any(text[place::36] != dashes for place in (8, 13, 18, 23)):
        return None
    try:
        octets = bytes.fromhex(digits.decode("ascii"))
    except ValueError:
        return None
    # White space between digits is passed over.
    if len(octets) != 16 * number:
        return None
    pairs = pa.FixedSizeListArray.from_arrays(
        pa.Array.from_buffers(pa.int64(), 2 * number, [None, pa.py_buffer(octets)]), 2
    )
    return pc.list_element(pairs, 0), pc.list_element(pairs, 1)


def aware(moment: datetime | None) -> datetime | None:
    """Give a table's time, which is UTC without zone, as an aware time."""
    return None if moment is None else moment.replace(tzinfo=UTC)


@contextmanager
def evidence_tables(memory: str = "450MB", held: int = _HELD_OCTETS) -> Iterator[EvidenceTables]:
    """Open evidence tables whose spill folder is gone afterwards; see `EvidenceTables`."""
    # Arrow's own allocator gives the memory of each block back and asks for it anew, and a sixth of all processor time was
    # the kernel's.
    pa.set_memory_pool(pa.system_memory_pool())
    with tempfile.TemporaryDirectory(prefix="portero-") as folder:
        tables = EvidenceTables(folder, memory, held)
        try:
            yield tables
        finally:
            tables.close()
