"""The queue's file: its tables, the folder with its lock, and how a commit is written as one statement."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from portero.core.text import Text
from portero.errors import ConfigError

DATABASE = "queue.sqlite"
BODIES = "bodies"
_LOCK = "lock"
_ROWS_IN_A_STATEMENT = 100

_SCHEMA = """
CREATE TABLE IF NOT EXISTS message(
  id INTEGER PRIMARY KEY,   -- the queue id; hexadecimal everywhere else
  state TEXT NOT NULL,      -- fresh, waiting, held, quarantined
  due_at REAL NOT NULL,     -- seconds since 1970
  envelope TEXT NOT NULL,   -- JSON
  content BLOB              -- dot-stuffed; NULL where it is the file bodies/ID
);
CREATE INDEX IF NOT EXISTS due ON message(due_at) WHERE state = 'waiting';
CREATE INDEX IF NOT EXISTS apart ON message(state) WHERE state IN ('held', 'quarantined');
CREATE TABLE IF NOT EXISTS kept(key TEXT PRIMARY KEY, value TEXT NOT NULL);
-- What a commit changes, as rows of one statement: each statement gives the interpreter's lock away and asks for it again,
-- and where two threads want it that costs more than the statement.
CREATE TEMP VIEW change AS SELECT '' AS kind, id, state, due_at, envelope, content FROM message;
CREATE TEMP TRIGGER put INSTEAD OF INSERT ON change WHEN new.kind = 'put' BEGIN
  INSERT INTO message VALUES (new.id, new.state, new.due_at, new.envelope, new.content);
END;
CREATE TEMP TRIGGER renew INSTEAD OF INSERT ON change WHEN new.kind = 'update' BEGIN
  UPDATE message SET state = new.state, due_at = new.due_at, envelope = new.envelope WHERE id = new.id;
END;
CREATE TEMP TRIGGER remove INSTEAD OF INSERT ON change WHEN new.kind = 'remove' BEGIN
  DELETE FROM message WHERE id IN (SELECT value FROM json_each(new.envelope));
END;
CREATE TEMP TRIGGER keep INSTEAD OF INSERT ON change WHEN new.kind = 'keep' BEGIN
  INSERT OR REPLACE INTO kept VALUES (new.state, new.envelope);
END;
"""


class SpoolBusy(Exception):  # noqa: N818  (what it means, not that it failed)
    """Another process holds the spool."""


def commit(
    connection: sqlite3.Connection,
    rows: Sequence[tuple[object, ...]],
    updates: Mapping[int, tuple[str, float, str]],
    removals: Sequence[int],
    kept: Mapping[str, str],
) -> None:
    """
    Write all this or nothing of it, and return when it is on disk. Raises sqlite3.Error.

    rows:      new messages: id, state, due_at, envelope, content.
    updates:   id to the new state, due_at and envelope.
    removals:  ids.
    kept:      texts by their keys.
    """
    changes: list[tuple[str, tuple[object, ...]]] = [("('put',?,?,?,?,?)", row) for row in rows]
    changes += [("('update',?,?,?,?,NULL)", (number, *values)) for number, values in updates.items()]
    if removals:
        changes.append(("('remove',NULL,NULL,NULL,?,NULL)", (json.dumps(removals),)))
    changes += [("('keep',NULL,?,NULL,?,NULL)", pair) for pair in kept.items()]
    if len(changes) <= _ROWS_IN_A_STATEMENT:
        # A statement outside a transaction is one.
        for part in (changes,) if changes else ():
            _execute(connection, part)
        return
    try:
        connection.execute("BEGIN IMMEDIATE")
        for part in _parts(changes, _ROWS_IN_A_STATEMENT):
            _execute(connection, part)
        connection.execute("COMMIT")
    except sqlite3.Error:
        with suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        raise


def _execute(connection: sqlite3.Connection, changes: Sequence[tuple[str, tuple[object, ...]]]) -> None:
    # As one of many: a single one is asked for its last row, which gives the interpreter's lock away once more.
    connection.executemany(
        "INSERT INTO change VALUES " + ",".join([marks for marks, _ in changes]),  # noqa: S608  (marks only)
        ([value for _, values in changes for value in values],),
    )


def _parts(items: list[Any], size: int) -> Iterator[list[Any]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


def connect(path: Path) -> sqlite3.Connection:
    """
    Open the file for writing, made where it is missing. Raises sqlite3.Error.

    What was committed is on disk when its statement returns.
    """
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=10)
    connection.execute("PRAGMA page_size = 16384")
    connection.execute("PRAGMA journal_mode = WAL")
    # FULL: each commit syncs the log before it returns. Source: sqlite.org/pragma.html#pragma_synchronous
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA wal_autocheckpoint = 1000")
    # A commit of large messages must fit, or its pages are written twice.
    connection.execute("PRAGMA cache_size = -16000")
    # Debian's SQLite overwrites each freed page with zeros, through the log: half of all that was written.
    connection.execute("PRAGMA secure_delete = FAST")
    connection.execute("PRAGMA mmap_size = 0")
    connection.execute("PRAGMA temp_store = MEMORY")
    connection.executescript(_SCHEMA)
    return connection


def open_folder(folder: Path) -> int:
    """
    Make the folders, closed to others, and give their lock as a descriptor; it ends with the process.

    Raises SpoolBusy, ConfigError.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        (folder / BODIES).mkdir(exist_ok=True, mode=0o700)
        descriptor = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise unusable(folder, error) from error
    try:
        _take(descriptor)
    except OSError:
        os.close(descriptor)
        raise SpoolBusy(str(folder)) from None
    return descriptor


def _take(descriptor: int) -> None:
    try:
        import fcntl
    except ImportError:  # Windows
        import msvcrt

        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]  # the other system's
        return
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def unusable(folder: Path, error: Exception) -> ConfigError:
    """Say that the folder cannot be used."""
    reason = getattr(error, "strerror", None) or str(error)
    return ConfigError(
        (
            Text(
                "The queue cannot be kept in {path}: {reason}. Name a folder that the relay may write in spool.",
                path=str(folder),
                reason=reason,
            ),
        )
    )
