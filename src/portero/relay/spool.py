"""The spool: what 250 was answered for is on disk, many messages to one sync, and nothing else is promised."""

from __future__ import annotations

import os
import queue
import shutil
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

from portero.relay.envelope import Envelope, read_envelope
from portero.relay.queue_file import BODIES, DATABASE, commit, connect, open_folder, unusable

# One commit takes what waits, up to this: more would only make the first of them wait for the last.
_BATCH = 500

Done = Callable[[Exception | None], None]
Change = Literal["retry", "hold", "release", "drop"]
# The states from which each change leads somewhere. What is fresh is in the worker's hand.
_ALTERABLE: dict[Change, frozenset[str]] = {
    "retry": frozenset({"waiting", "held"}),
    "hold": frozenset({"waiting", "quarantined"}),
    "release": frozenset({"held", "quarantined"}),
    "drop": frozenset({"waiting", "held", "quarantined"}),
}


class Journal(Protocol):
    """Where the audit records of a batch go, after its commit."""

    def write(self, records: list[dict[str, object]]) -> None:
        """Append records. Raises OSError."""


@dataclass(slots=True)
class _Batch:
    """What one commit carries."""

    rows: list[tuple[object, ...]] = field(default_factory=list)
    row_octets: int = 0
    files: list[int] = field(default_factory=list)
    updates: dict[int, tuple[str, float, str]] = field(default_factory=dict)
    removals: list[int] = field(default_factory=list)
    unlink: list[int] = field(default_factory=list)
    kept: dict[str, str] = field(default_factory=dict)
    put_done: list[Done] = field(default_factory=list)
    put_records: list[dict[str, object]] = field(default_factory=list)
    done: list[Done] = field(default_factory=list)
    records: list[dict[str, object]] = field(default_factory=list)
    calls: list[tuple[Callable[[sqlite3.Connection], Any], Callable[[Any, Exception | None], None]]] = field(
        default_factory=list
    )


class Spool:
    """
    The messages in a folder: one SQLite database with one writing connection, and a file for each large content.

    folder:  made where it is missing, closed to others.
    post:    runs a callable in the thread that answers clients, for example ``loop.call_soon_threadsafe``.
    soon:    runs a callable once that thread has done what it is at, for example by ``loop.call_soon``: what comes
             together is then handed over together, and wakes the writer once. True says that nobody waits for it.
             It gives how many new messages are enough to hand over without waiting longer.
             None hands over at once.
    A message is accepted by its commit: a file without its row is an orphan, swept at the next start, and never was
    a promise. A message that is finished may be sent once more where the process dies before its removal commits.
    Raises SpoolBusy where another process has it, ConfigError where the folder cannot be used.
    """

    # After the disk has refused a write it is tried again so much later.
    rest_seconds = 2.0

    def __init__(
        self,
        folder: Path,
        post: Callable[..., object],
        journal: Journal | None = None,
        *,
        free_octets: int = 0,
        soon: Callable[[Callable[[], None], bool], float] | None = None,
    ) -> None:
        self._soon = soon
        self._gathered: list[tuple[Any, ...] | None] = []
        # What is planned to hand it over: nothing, something patient, something prompt.
        self._planned = self._new = 0
        self._enough = 1.0
        self.folder = folder
        self.bodies = folder / BODIES
        self.free_octets = free_octets
        self._counts: Counter[str] = Counter()
        self.octets = 0
        self.commits = 0
        self.refused = 0
        self.full = False
        self._refusal = ""
        self._resting_until = 0.0
        self._post = post
        self._journal = journal
        self._work: queue.SimpleQueue[list[tuple[Any, ...] | None]] = queue.SimpleQueue()
        self._left = _Batch()
        self._lock = open_folder(folder)
        try:
            self._connection = connect(folder / DATABASE)
            self._recover()
        except (sqlite3.Error, OSError) as error:
            os.close(self._lock)
            raise unusable(folder, error) from error
        # Before the first mail is taken, not only at the caller's first tick.
        self.look()
        self._last = max(self._newest(), time.time_ns() // 1000)
        self._thread = threading.Thread(target=self._run, name="spool", daemon=True)
        self._thread.start()

    def next_id(self) -> int:
        """Give an id above all that were given, microseconds since 1970 where the clock allows."""
        self._last = max(self._last + 1, time.time_ns() // 1000)
        return self._last

    @property
    def counts(self) -> Counter[str]:
        """Count the messages by state."""
        return self._counts

    @property
    def ready(self) -> bool:
        """Tell whether a message may be taken: there is room, and the disk did not refuse one a moment ago."""
        return not self.full and time.monotonic() >= self._resting_until

    @property
    def trouble(self) -> str:
        """Give why no message may be taken, for the log; "" where one may."""
        if self.full:
            return f"less than {self.free_octets} octets are free"
        return "" if self.ready else self._refusal

    def look(self) -> None:
        """Measure the free space; the caller does so every second or so."""
        with suppress(OSError):
            self.full = shutil.disk_usage(self.folder).free < self.free_octets

    def put(
        self, envelope: Envelope, content: bytes | None, done: Done, record: dict[str, object] | None = None
    ) -> None:
        """
        Keep a message; `done` gets None once it is durable, or the error.

        content:  dot-stuffed, or None where it was written to `path_of`: that file is the spool's from now on.
        record:   its audit record, written where the message was taken.
        """
        self._new += 1
        self._hand(("put", envelope, envelope.to_json(), content, done, record))

    def _hand(self, item: tuple[Any, ...] | None, *, patient: bool = False) -> None:
        self._gathered.append(item)
        wanted = 1 if patient else 2
        if self._soon is None:
            self._hand_over()
        elif self._planned < wanted:
            self._planned = wanted
            self._enough = self._soon(self._hand_over, patient)
        elif self._new >= self._enough:
            self._hand_over()

    def _hand_over(self) -> None:
        self._planned = self._new = 0
        if self._gathered:
            gathered, self._gathered = self._gathered, []
            self._work.put(gathered)

    def update(self, envelope: Envelope, was: str, done: Done | None = None) -> None:
        """Keep what changed in an envelope; `was` is the state it had in the table."""
        self._hand(("update", envelope, was, envelope.to_json(), done))

    def remove(self, envelope: Envelope, was: str, done: Done | None = None) -> None:
        """Take a message out; a commit that comes later than its delivery repeats it at worst."""
        self._hand(("remove", envelope, was, done), patient=True)

    def note(self, record: dict[str, object]) -> None:
        """Write an audit record behind the next commit."""
        self._hand(("note", record), patient=True)

    def keep(self, key: str, value: str) -> None:
        """Keep a text under a key over restarts."""
        self._hand(("keep", key, value))

    def call(
        self,
        work: Callable[[sqlite3.Connection], Any],
        answer: Callable[[Any, Exception | None], None],
    ) -> None:
        """Run work on the writing connection, in its order among the other changes."""
        self._hand(("call", work, answer))

    def alter(
        self, change: Change, numbers: list[int], answer: Callable[[Any, Exception | None], None]
    ) -> None:
        """Change what waits by hand; `answer` gets what became of each: its new state, ``gone``, ``missing`` or why not."""
        self.call(lambda connection: self._alter_all(connection, change, numbers), answer)

    def path_of(self, number: int) -> Path:
        """Give the file of a large content."""
        return self.bodies / f"{number:x}"

    def close(self) -> None:
        """Commit what waits and let go of the folder."""
        self._gathered.append(None)
        self._hand_over()
        self._thread.join()
        self._connection.close()
        os.close(self._lock)

    def _run(self) -> None:
        going = True
        while going:
            # What a failed commit has left is tried again even when nobody writes.
            try:
                items = self._work.get(
                    timeout=self.rest_seconds
                    if self._left.removals or self._left.updates or self._left.unlink
                    else None
                )
            except queue.Empty:
                items = []
            batch, self._left = self._left, _Batch()
            while True:
                for item in items:
                    if item is None:
                        going = False
                    else:
                        self._add(batch, item)
                if not going or len(batch.rows) >= _BATCH:
                    break
                try:
                    items = self._work.get_nowait()
                except queue.Empty:
                    break
            self._commit(batch)

    def _add(self, batch: _Batch, item: tuple[Any, ...]) -> None:
        kind = item[0]
        if kind == "put":
            _, envelope, text, content, done, record = item
            if record is not None:
                batch.put_records.append(record)
            batch.rows.append((envelope.id, envelope.state, envelope.due_at, text, content))
            batch.put_done.append(done)
            if content is None:
                batch.files.append(envelope.id)
            batch.row_octets += envelope.size
            self._counts[envelope.state] += 1
            self.octets += envelope.size
        elif kind == "remove":
            _, envelope, was, done = item
            batch.removals.append(envelope.id)
            batch.updates.pop(envelope.id, None)
            self._counts[was] -= 1
            self.octets -= envelope.size
            if envelope.filed:
                batch.unlink.append(envelope.id)
            if done is not None:
                batch.done.append(done)
        elif kind == "update":
            _, envelope, was, text, done = item
            batch.updates[envelope.id] = (envelope.state, envelope.due_at, text)
            self._counts[was] -= 1
            self._counts[envelope.state] += 1
            if done is not None:
                batch.done.append(done)
        elif kind == "note":
            batch.records.append(item[1])
        elif kind == "keep":
            batch.kept[item[1]] = item[2]
        elif kind == "call":
            batch.calls.append((item[1], item[2]))

    def _commit(self, batch: _Batch) -> None:
        error: Exception | None = None
        try:
            self._sync_files(batch.files)
            self._write(batch)
        except (sqlite3.Error, OSError) as refused:
            error = refused
            self._give_back(batch, refused)
        else:
            batch.records += batch.put_records
        if error is None:
            self._unlink(batch.unlink)
        self.commits += 1
        self._record(batch.records)
        # Answers to `put` tell the clients; what is to be tried again keeps its `done` until it was.
        calls = [(done, error) for done in batch.put_done]
        if error is None:
            calls += [(done, None) for done in batch.done]
        if calls:
            self._tell(_answer_all, calls)
        for work, answer in batch.calls:
            if error is not None:
                # What it would change may be among the marks that could not be written.
                self._tell(answer, None, error)
                continue
            try:
                result, failure = work(self._connection), None
                self._connection.commit()
            except (sqlite3.Error, OSError) as refused:
                self._connection.rollback()
                result, failure = None, refused
            self._tell(answer, result, failure)

    def _unlink(self, numbers: list[int]) -> None:
        for number in numbers:
            with suppress(OSError):
                self.path_of(number).unlink()

    def _tell(self, function: Callable[..., object], *words: object) -> None:
        # The thread that answers may be gone already when the last commit ends.
        with suppress(RuntimeError):
            self._post(function, *words)

    def _write(self, batch: _Batch) -> None:
        commit(self._connection, batch.rows, batch.updates, batch.removals, batch.kept)

    def _sync_files(self, numbers: list[int]) -> None:
        for number in numbers:
            descriptor = os.open(self.path_of(number), os.O_RDWR)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        if numbers and hasattr(os, "O_DIRECTORY"):
            descriptor = os.open(self.bodies, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)

    def _give_back(self, batch: _Batch, error: Exception) -> None:
        """
        After a refusal: the new messages were never taken; the marks of old ones are tried again.

        Where the sync failed, the rows may stand in the log until the next commit writes over them, and a process that is
        killed before finds them at its start. Until then their files stay: the message arrives though nobody promised
        it. Of a full disk the log holds no end, and the room is wanted.
        """
        self._resting_until = time.monotonic() + self.rest_seconds
        self._refusal = str(error)
        self.refused += len(batch.rows)
        for row in batch.rows:
            self._counts[str(row[1])] -= 1
        self.octets -= batch.row_octets
        self._left.updates = batch.updates
        self._left.removals = batch.removals
        self._left.unlink = batch.unlink
        self._left.kept = batch.kept
        if isinstance(error, sqlite3.Error) and not _says_full(error):
            self._left.unlink += batch.files
            if batch.files:
                # A commit with nothing to write would write over nothing.
                self._left.kept["settled"] = f"{batch.files[-1]:x}"
        else:
            self._unlink(batch.files)
        self._left.done = batch.done

    def _alter_all(
        self, connection: sqlite3.Connection, change: Change, numbers: list[int]
    ) -> dict[int, str]:
        told: dict[int, str] = {}
        for each in numbers:
            try:
                told[each] = self._alter(connection, change, each)
            except sqlite3.Error as error:
                # Each change stands by itself: those before it are made.
                told[each] = why_not(error)
        return told

    def _alter(self, connection: sqlite3.Connection, change: Change, number: int) -> str:
        row = connection.execute(
            "SELECT envelope, state, due_at FROM message WHERE id = ?", (number,)
        ).fetchone()
        if row is None:
            return "missing"
        envelope = _as_stored(*row)
        if envelope.state not in _ALTERABLE[change]:
            return "unchanged"
        record: dict[str, object] = {
            "at": time.time(),
            "event": change,
            "id": envelope.queue_id,
            "device": envelope.device,
        }
        if change == "drop":
            connection.execute("DELETE FROM message WHERE id = ?", (number,))
            self._counts[envelope.state] -= 1
            self.octets -= envelope.size
            if envelope.filed:
                with suppress(OSError):
                    self.path_of(number).unlink()
            self._record([record])
            return "gone"
        was, envelope.state = envelope.state, "held" if change == "hold" else "waiting"
        envelope.due_at = 0.0
        connection.execute(
            "UPDATE message SET state = ?, due_at = ?, envelope = ? WHERE id = ?",
            (envelope.state, envelope.due_at, envelope.to_json(), number),
        )
        self._counts[was] -= 1
        self._counts[envelope.state] += 1
        self._record([record])
        return envelope.state

    def _record(self, records: list[dict[str, object]]) -> None:
        if not records or self._journal is None:
            return
        try:
            self._journal.write(records)
        except OSError:
            # The trail is not the promise: mail goes on, the records wait for room, up to a bound.
            self._left.records = records[-10_000:]

    def _recover(self) -> None:
        """Take up what the last run left: fresh messages are due, files without a row are swept."""
        connection = self._connection
        # A fresh row has no index entry and its worker is gone.
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("UPDATE message SET state = 'waiting', due_at = 0 WHERE state = 'fresh'")
        connection.execute("COMMIT")
        for state, number, octets in connection.execute(
            "SELECT state, count(*), total(json_extract(envelope, '$.size')) FROM message GROUP BY state"
        ):
            self._counts[state] = number
            self.octets += int(octets)
        filed = {number for (number,) in connection.execute("SELECT id FROM message WHERE content IS NULL")}
        for path in self.bodies.iterdir():
            try:
                number = int(path.name, 16)
            except ValueError:
                continue
            if number not in filed:
                path.unlink()

    def _newest(self) -> int:
        [(newest,)] = self._connection.execute("SELECT coalesce(max(id), 0) FROM message")
        return int(newest)


def why_not(error: Exception) -> str:
    """Say why a change by hand was not made: ``full`` where the disk is, else what it said."""
    return "full" if isinstance(error, sqlite3.Error) and _says_full(error) else str(error)


def _says_full(error: sqlite3.Error) -> bool:
    return getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_FULL


def _answer_all(calls: list[tuple[Done, Exception | None]]) -> None:
    for done, error in calls:
        done(error)


class Reader:
    """Reads a spool beside its writer, or while no relay runs; it never writes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        address = (self.folder / DATABASE).resolve().as_uri() + "?mode=ro"
        with closing(sqlite3.connect(address, uri=True, timeout=10)) as connection:
            yield connection

    def due(self, now: float, limit: int) -> list[Envelope]:
        """Give waiting messages whose time has come, the longest due first."""
        with self._open() as connection:
            rows = connection.execute(
                "SELECT envelope FROM message WHERE state = 'waiting' AND due_at <= ? ORDER BY due_at LIMIT ?",
                (now, limit),
            ).fetchall()
        found = []
        for (text,) in rows:
            # One row that cannot be read must not keep the others waiting; it stays where it is.
            with suppress(ValueError, KeyError, TypeError):
                found.append(read_envelope(text))
        return found

    def next_due(self) -> float | None:
        """Give the time of the next waiting message, or None where none waits."""
        with self._open() as connection:
            [(moment,)] = connection.execute("SELECT min(due_at) FROM message WHERE state = 'waiting'")
        return None if moment is None else float(moment)

    def messages(self, states: Iterable[str] = (), limit: int = 1000) -> list[Envelope]:
        """Give the messages in these states, all states by default, oldest first."""
        wanted = tuple(states)
        where = f"WHERE state IN ({','.join('?' * len(wanted))})" if wanted else ""
        with self._open() as connection:
            rows = connection.execute(
                f"SELECT envelope, state, due_at FROM message {where} ORDER BY id LIMIT ?",  # noqa: S608  (marks only)
                (*wanted, limit),
            ).fetchall()
        return [_as_stored(*row) for row in rows]

    def count(self) -> dict[str, int]:
        """Count the messages by state."""
        with self._open() as connection:
            return dict(connection.execute("SELECT state, count(*) FROM message GROUP BY state").fetchall())

    def message(self, number: int) -> Envelope | None:
        """Give one message's envelope, or None where it is not in the queue."""
        with self._open() as connection:
            row = connection.execute(
                "SELECT envelope, state, due_at FROM message WHERE id = ?", (number,)
            ).fetchone()
        return None if row is None else _as_stored(*row)

    def content(self, envelope: Envelope) -> bytes | None:
        """Give a message's content, dot-stuffed; None where it is not there whole."""
        if envelope.filed:
            try:
                content = (self.folder / BODIES / envelope.queue_id).read_bytes()
            except OSError:
                return None
        else:
            with self._open() as connection:
                row = connection.execute(
                    "SELECT content FROM message WHERE id = ?", (envelope.id,)
                ).fetchone()
            if row is None or row[0] is None:
                return None
            content = bytes(row[0])
        return content if len(content) == envelope.size else None

    def kept(self, key: str) -> str | None:
        """Give the text kept under a key."""
        with self._open() as connection:
            row = connection.execute("SELECT value FROM kept WHERE key = ?", (key,)).fetchone()
        return None if row is None else str(row[0])


def _as_stored(text: str, state: str, due_at: float) -> Envelope:
    envelope = read_envelope(text)
    # The columns rule: a restart makes fresh rows due without rewriting their text.
    envelope.state, envelope.due_at = state, due_at
    return envelope
