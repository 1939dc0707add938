"""
The evidence lake: tables as Parquet by organisation, table and day under a manifest, and flows by day.

A document is known by the hash of its content, so the same file given twice changes nothing. Files are written under
names of their own and become part of the lake when the manifest, replaced in one move, names them; what it does not name
is not there, and the next run takes away what a run that was cut off has left. Runs over one lake come one after another.
"""

from __future__ import annotations

import hashlib
import os
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pydantic import TypeAdapter, ValidationError

from portero.core.evidence import Coverage, Gap, Origin
from portero.core.evidence_rows import TABLES
from portero.core.text import Text, as_document, from_document
from portero.errors import ConfigError, InputError

FORMAT = 1
UNDATED = "undated"
_MANIFEST = "manifest.json"
_LOCK = "lock"
# What this module calls its files: of rows, of a day's flows, and of any of them while it is being written.
_OWN_NAME = re.compile(
    r"[0-9a-f]{24}\.(parquet|part)|[\w-]+-[0-9a-f]{16}\.(json|kept)(\.\d+\.part)?|manifest\.json\.\d+\.part"
)
_LOOK_AGAIN_SECONDS = 0.2
_ROWS_AT_ONCE = 100_000  # rows of one table and day that wait before they are written
_TIMES = {"report_rows": ("begin_at",)}
_ID = 24  # characters of a content's SHA-256 that name a document


@dataclass(frozen=True, slots=True)
class Kept:
    """
    One document of the lake.

    id:           first characters of its content's SHA-256.
    first, last:  aware UTC bounds of its rows, or None.
    addressed:    whether any of its mail rows names a client address; where none does, an empty one means nothing.
    read_at:      aware UTC.
    """

    id: str
    name: str
    kind: str
    rows: int
    first: datetime | None
    last: datetime | None
    addressed: bool
    read_at: datetime
    notes: tuple[Any, ...] = ()
    gaps: tuple[Any, ...] = ()

    @property
    def coverage(self) -> Coverage:
        """Give what it contributed, as when it was read."""
        notes = tuple(_text(each) for each in self.notes)
        return Coverage(self.name, self.kind, self.rows, self.first, self.last, notes)

    def said_gaps(self) -> Iterator[Gap]:
        """Give its gaps, as when it was read."""
        for line, reason, number in self.gaps:
            yield Gap(Origin(self.name, line), _text(reason), number)


@dataclass(frozen=True, slots=True)
class _Manifest:
    """
    What is in the lake of one organisation.

    files:  by table and day, ``mail_rows/2026-11-20``: names of Parquet files.
    flows:  by place, such as a day: the key that the kept flows were folded under, and their file.
    """

    format: int = FORMAT
    documents: Mapping[str, Kept] = field(default_factory=dict)
    files: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    flows: Mapping[str, tuple[str, str]] = field(default_factory=dict)


_CODEC = TypeAdapter(_Manifest)


class Lake:
    """
    The lake of one organisation, in a folder of its own: `folder_of` or `organisations` name it.

    A folder that is none yet becomes one at the first write.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._manifest = self._read()

    @property
    def documents(self) -> tuple[Kept, ...]:
        """Give its documents, in the order in which they were read."""
        return tuple(
            sorted(self._manifest.documents.values(), key=lambda each: (each.read_at, each.name, each.id))
        )

    def knows(self, document: str) -> bool:
        """Tell whether a document with this id was read."""
        return document in self._manifest.documents

    def days(self, *tables: str) -> tuple[str, ...]:
        """Give the days, ISO texts, for which one of the tables has rows; the undated ones come last."""
        held = {name.partition("/")[2] for name in self._manifest.files if name.partition("/")[0] in tables}
        return tuple(sorted(held, key=lambda day: (day == UNDATED, day)))

    def key_of(self, day: str, *tables: str, also: str) -> str:
        """Give a key that changes when anything changes that a day's flows are folded from."""
        held = [
            f"{table}/{name}" for table in tables for name in self._manifest.files.get(f"{table}/{day}", ())
        ]
        return hashlib.sha256("\n".join([also, *sorted(held)]).encode()).hexdigest()

    def rows(
        self, table: str, days: Iterable[str], columns: Iterable[str] | None = None
    ) -> Iterator[tuple[str, pa.RecordBatch]]:
        """
        Stream a table's rows by document, without the column of documents.

        columns:  those that are wanted; the others are null. Raises InputError where a file is missing or damaged.
        """
        schema = pa.schema([each for each in TABLES[table] if each.name != "document"])
        wanted = None if columns is None else ["document", *columns]
        for day in days:
            for name in self._manifest.files.get(f"{table}/{day}", ()):
                path = self.root / table / day / name
                try:
                    with pq.ParquetFile(path) as file:
                        for batch in file.iter_batches(batch_size=65_536, columns=wanted):
                            yield from self._parts(batch, schema)
                except (OSError, pa.ArrowException) as error:
                    raise _damaged(path, str(error)) from None

    def _parts(self, batch: pa.RecordBatch, schema: pa.Schema) -> Iterator[tuple[str, pa.RecordBatch]]:
        ids = batch.column("document").cast(pa.string())
        whole = pa.RecordBatch.from_arrays(
            [
                batch.column(each.name).cast(each.type)
                if each.name in batch.schema.names
                else pa.nulls(batch.num_rows, each.type)
                for each in schema
            ],
            schema=schema,
        )
        for document in pc.unique(ids).to_pylist():
            kept = self._manifest.documents.get(document)
            if kept is None:
                continue
            part = (
                whole.filter(pc.equal(ids, document))
                if ids[0].as_py() != document or len(pc.unique(ids)) > 1
                else whole
            )
            yield (
                document,
                part if kept.addressed or "client_ip" not in schema.names else _without_addresses(part),
            )

    def ids(self, day: str) -> pa.Table:
        """Give the ids of a day's mails: ``network_message_id`` and ``message_id`` of each row, null for none."""
        columns = ["network_message_id", "message_id"]
        found = []
        for name in self._manifest.files.get(f"mail_rows/{day}", ()):
            path = self.root / "mail_rows" / day / name
            try:
                found.append(pq.read_table(path, columns=columns))
            except (OSError, pa.ArrowException) as error:
                raise _damaged(path, str(error)) from None
        schema = pa.schema([(name, pa.string()) for name in columns])
        return pa.concat_tables([each.cast(schema) for each in found]) if found else schema.empty_table()

    @property
    def kept(self) -> tuple[str, ...]:
        """Name the places under which flows are kept."""
        return tuple(self._manifest.flows)

    def flows(self, place: str, key: str) -> bytes | None:
        """
        Give the flows that were kept under a place, when they were folded under this key.

        place:  a day, or a word and a day with a stroke between them.
        """
        held = self._manifest.flows.get(place)
        if held is None or held[0] != key:
            return None
        try:
            return (self.root / "flows" / held[1]).read_bytes()
        except OSError:
            return None

    def keep_flows(self, folded: Mapping[str, tuple[str, bytes]], gone: Iterable[str] = ()) -> None:
        """Keep flows by place, each with its key, instead of those kept there before; and let others go."""
        leave = [place for place in gone if place in self._manifest.flows]
        if not folded and not leave:
            return
        place = self.root / "flows"
        place.mkdir(parents=True, exist_ok=True)
        held = dict(self._manifest.flows)
        old = [held[day][1] for day in folded if day in held] + [held.pop(day)[1] for day in leave]
        for day, (key, data) in folded.items():
            name = f"{day.replace('/', '-')}-{key[:16]}.kept"
            _replace(place / name, data)
            held[day] = (key, name)
        self._write(self._manifest.documents, self._manifest.files, held)
        _remove(place / name for name in old if name not in {each[1] for each in held.values()})

    def commit(self, writer: Writer) -> None:
        """Make what a writer wrote a part of the lake."""
        written = writer.finish()
        if not writer.documents:
            return
        files = dict(self._manifest.files)
        for place, name in written:
            files[place] = (*files.get(place, ()), name)
        self._write({**self._manifest.documents, **writer.documents}, files, self._manifest.flows)

    def drop(self, documents: Iterable[str]) -> tuple[Kept, ...]:
        """Take documents out of the lake, with their rows, and give them."""
        gone = {
            each: self._manifest.documents[each] for each in documents if each in self._manifest.documents
        }
        if not gone:
            return ()
        files: dict[str, tuple[str, ...]] = {}
        old: list[Path] = []
        for place, names in self._manifest.files.items():
            kept = [self._rewritten(place, name, gone, old) for name in names]
            if held := tuple(name for name in kept if name):
                files[place] = held
        rest = {name: kept for name, kept in self._manifest.documents.items() if name not in gone}
        self._write(rest, files, self._manifest.flows)
        _remove(old)
        return tuple(gone.values())

    def _rewritten(self, place: str, name: str, gone: Mapping[str, Kept], old: list[Path]) -> str | None:
        """Give the name of a file without some documents' rows: its own, a new one's, or None where nothing is left."""
        path = self.root / place / name
        try:
            table = pq.read_table(path)
        except (OSError, pa.ArrowException) as error:
            raise _damaged(path, str(error)) from None  # other documents' rows may be in it
        left = table.filter(
            pc.invert(pc.is_in(table.column("document").cast(pa.string()), pa.array(list(gone))))
        )
        if left.num_rows == table.num_rows:
            return name
        old.append(path)
        if not left.num_rows:
            return None
        fresh = f"{hashlib.sha256((name + ''.join(sorted(gone))).encode()).hexdigest()[:_ID]}.parquet"
        _write_parquet(path.with_name(fresh), left)
        return fresh

    def expire(self, before: date) -> int:
        """Take days before a date out of the lake, with their flows, and give how many. Documents stay known."""
        limit = before.isoformat()
        late = {name.partition("/")[2] for name in self._manifest.files}
        late = {day for day in late if day != UNDATED and day < limit}
        if not late:
            return 0
        files = {k: names for k, names in self._manifest.files.items() if k.partition("/")[2] not in late}
        flows = {day: held for day, held in self._manifest.flows.items() if day not in late}
        old = [
            self.root / k / name
            for k, names in self._manifest.files.items()
            if k not in files
            for name in names
        ]
        old += [self.root / "flows" / held[1] for day, held in self._manifest.flows.items() if day in late]
        self._write(self._manifest.documents, files, flows)
        _remove(old)
        return len(late)

    def sweep(self) -> int:
        """Take away what no manifest names, as a run that was cut off leaves it, and give how many files that were."""
        held = self._manifest
        named = {f"{place}/{name}" for place, names in held.files.items() for name in names}
        named |= {f"flows/{name}" for _, name in held.flows.values()}
        places = ["", "flows", *(f"{table}/{day}" for table in TABLES for day in _names(self.root / table))]
        left = [
            self.root / place / name
            for place in places
            for name in _names(self.root / place)
            if _OWN_NAME.fullmatch(name)
            and (name.startswith(_MANIFEST) if not place else f"{place}/{name}" not in named)
        ]
        _remove(left)
        return len(left)

    def _read(self) -> _Manifest:
        path = self.root / _MANIFEST
        try:
            raw = path.read_bytes()
        except FileNotFoundError:
            return _Manifest()
        except OSError as error:
            raise _damaged(path, error.strerror or str(error)) from None
        try:
            found = _CODEC.validate_json(raw)
        except ValidationError as error:
            raise _damaged(path, str(error.errors()[0]["msg"])) from None
        names = [name for held in found.files.values() for name in held] + [
            held[1] for held in found.flows.values()
        ]
        places = [*found.files, *found.flows]
        # Nothing in a manifest may lead outside the folder.
        if found.format != FORMAT or not all(re.fullmatch(r"[\w.-]+", each) for each in names):
            raise _damaged(path, "format")
        if not all(re.fullmatch(r"(\w+/)?(\d{4}-\d\d-\d\d|undated)", each) for each in places):
            raise _damaged(path, "format")
        return found

    def _write(
        self,
        documents: Mapping[str, Kept],
        files: Mapping[str, tuple[str, ...]],
        flows: Mapping[str, tuple[str, str]],
    ) -> None:
        self._manifest = _Manifest(FORMAT, documents, files, flows)
        self.root.mkdir(parents=True, exist_ok=True)
        _replace(self.root / _MANIFEST, _CODEC.dump_json(self._manifest, indent=1))


class Writer:
    """Writes the rows of documents that are new to a lake; only `Lake.commit` makes them a part of it."""

    def __init__(self, lake: Lake) -> None:
        self._lake = lake
        self.documents: dict[str, Kept] = {}
        self._waiting: dict[tuple[str, str], list[pa.RecordBatch]] = {}
        self._open: dict[tuple[str, str], pq.ParquetWriter] = {}
        self._rows: dict[str, int] = {}
        self._spans: dict[str, list[datetime]] = {}
        self._addressed: set[str] = set()
        self._run = hashlib.sha256(os.urandom(16)).hexdigest()[:_ID]

    def add(self, document: str, table: str, rows: pa.RecordBatch) -> None:
        """Take rows of a document, in the table's schema without the column of documents."""
        if not rows.num_rows:
            return
        rows = rows.cast(pa.schema([each for each in TABLES[table] if each.name != "document"]))
        self._rows[document] = self._rows.get(document, 0) + rows.num_rows
        if table == "mail_rows" and pc.any(pc.not_equal(rows.column("client_ip"), "")).as_py():
            self._addressed.add(document)
        moments, days = self._when(table, rows)
        bounds = pc.min_max(moments).as_py()
        if bounds["min"] is not None:
            span = self._spans.setdefault(document, [bounds["min"], bounds["max"]])
            span[:] = [min(span[0], bounds["min"]), max(span[1], bounds["max"])]
        ids = pa.repeat(document, rows.num_rows)
        whole = pa.RecordBatch.from_arrays([ids, *rows.columns], names=["document", *rows.schema.names])
        found = pc.unique(days).to_pylist()
        for day in found:
            part = whole if len(found) == 1 else whole.filter(pc.equal(days, day))
            waiting = self._waiting.setdefault((table, day), [])
            waiting.append(part)
            if sum(each.num_rows for each in waiting) >= _ROWS_AT_ONCE:
                self._flush(table, day)

    def _when(self, table: str, rows: pa.RecordBatch) -> tuple[pa.Array, pa.Array]:
        """Give the rows' times in UTC, and the days they are kept under, by the log's own clock where that is all."""
        names = _TIMES.get(
            table, ("observed_at", "local_at") if "local_at" in rows.schema.names else ("observed_at",)
        )
        known = rows.column(names[0])
        moment = pc.coalesce(*(rows.column(name) for name in names)) if len(names) > 1 else known
        return known, pc.fill_null(pc.strftime(moment, format="%Y-%m-%d"), UNDATED)

    def done(self, document: str, name: str, kind: str, notes: Iterable[Text], gaps: Iterable[Gap]) -> None:
        """Say that a document was read to its end."""
        first, last = self._spans.get(document, (None, None))
        self.documents[document] = Kept(
            id=document,
            name=name,
            kind=kind,
            rows=self._rows.get(document, 0),
            first=first and first.replace(tzinfo=UTC),
            last=last and last.replace(tzinfo=UTC),
            addressed=document in self._addressed,
            read_at=datetime.now(UTC),
            notes=tuple(as_document(each) for each in notes),
            gaps=tuple((each.origin.line, as_document(each.reason), each.count) for each in gaps),
        )

    def finish(self) -> list[tuple[str, str]]:
        """Write what waits and close; gives table and day, and the file's name, of each file."""
        for table, day in list(self._waiting):
            self._flush(table, day)
        for writer in self._open.values():
            writer.close()
        name = f"{self._run}.parquet"
        return [(f"{table}/{day}", name) for table, day in self._open]

    def _flush(self, table: str, day: str) -> None:
        rows = pa.Table.from_batches(self._waiting.pop((table, day)))
        writer = self._open.get((table, day))
        if writer is None:
            place = self._lake.root / table / day
            place.mkdir(parents=True, exist_ok=True)
            writer = pq.ParquetWriter(place / f"{self._run}.parquet", rows.schema, compression="zstd")
            self._open[table, day] = writer
        writer.write_table(rows)


def content_id(blocks: Iterable[bytes]) -> str:
    """Give a document's id: the hash of its content, whatever it is called."""
    digest = hashlib.sha256()
    for block in blocks:
        digest.update(block)
    return digest.hexdigest()[:_ID]


@contextmanager
def alone(root: Path, waiting: Callable[[], None]) -> Iterator[None]:
    """
    Keep other runs away from a lake; the system lets the lock go with the process, however that ends.

    waiting:  called once where another run is there, which is waited for. Raises ConfigError for a folder that cannot be
              written.
    """
    with writing(root):
        root.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(root / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        said = False
        while not _taken(descriptor):
            if not said:
                waiting()
            said = True
            time.sleep(_LOOK_AGAIN_SECONDS)
        yield
    finally:
        os.close(descriptor)


def _taken(descriptor: int) -> bool:
    try:
        import fcntl
    except ImportError:  # Windows
        import msvcrt

        with suppress(OSError):
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]  # the other system's
            return True
        return False
    with suppress(BlockingIOError):
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    return False


@contextmanager
def writing(root: Path) -> Iterator[None]:
    """Raise ConfigError, with what to do, where a lake cannot be written."""
    try:
        yield
    except OSError as error:
        template = "The store cannot be written in {path}: {reason}. Make room or give the right to write, and run again; nothing is lost."
        reason = error.strerror or str(error)
        raise ConfigError((Text(template, path=str(root), reason=reason),)) from error


def organisations(folder: Path) -> tuple[str, ...]:
    """Name the organisations that have a lake in a folder."""
    return tuple(sorted(path.parent.name for path in folder.glob(f"*/{_MANIFEST}")))


def folder_of(organisation: str | None) -> str:
    """Give a folder's name for an organisation: readable, and one that no name can lead out of."""
    if not organisation:
        return "default"
    plain = re.sub(r"[^a-z0-9]+", "-", organisation.lower()).strip("-")[:40]
    return f"{plain or 'organisation'}-{hashlib.sha256(organisation.encode()).hexdigest()[:8]}"


def _without_addresses(rows: pa.RecordBatch) -> pa.RecordBatch:
    """Make empty addresses unknown: a summary that names none has lost them, and they do not mean "from inside"."""
    place = rows.schema.get_field_index("client_ip")
    if "direction" not in rows.schema.names:
        return rows
    empty = pc.and_(
        pc.fill_null(pc.equal(rows.column(place), ""), False), pc.is_null(rows.column("direction"))
    )
    return rows.set_column(
        place, "client_ip", pc.if_else(empty, pa.scalar(None, pa.string()), rows.column(place))
    )


def _text(document: object) -> Text:
    try:
        return from_document(document)
    except ValueError:
        return Text("What was noted here when it was read cannot be shown again.")


def _write_parquet(path: Path, rows: pa.Table) -> None:
    part = path.with_suffix(".part")
    pq.write_table(rows, part, compression="zstd")
    part.replace(path)


def _replace(path: Path, data: bytes) -> None:
    """Write a file so that a reader sees the old one or the new one, whole."""
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    with part.open("wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())
    part.replace(path)


def _names(folder: Path) -> list[str]:
    """Name what is in a folder; nothing is where none is."""
    try:
        return os.listdir(folder)
    except (FileNotFoundError, NotADirectoryError):
        return []


def _remove(paths: Iterable[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)


def _damaged(path: Path, reason: str) -> InputError:
    return InputError(
        Text(
            "The store cannot be read at {path}: {reason}. Move it away and hand the evidence over again.",
            path=str(path),
            reason=reason,
        ),
        Origin(str(path)),
    )
