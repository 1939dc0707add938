"""A commit of the queue's file: all of it or nothing, in one statement or in several."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from portero.relay.queue_file import DATABASE, commit, connect


def rows(start: int, number: int) -> list[tuple[object, ...]]:
    return [(each, "fresh", 0.0, "{}", b"x") for each in range(start, start + number)]


def held(path: Path) -> dict[int, tuple[object, ...]]:
    """What another connection sees, which is what was committed."""
    with sqlite3.connect(path) as other:
        return {each[0]: each[1:] for each in other.execute("SELECT * FROM message")}


@pytest.mark.parametrize("number", [3, 100, 350])
def test_everything_of_a_commit_is_written(tmp_path: Path, number: int) -> None:
    path = tmp_path / DATABASE
    connection = connect(path)
    commit(connection, rows(1, number), {}, [], {})
    assert held(path).keys() == set(range(1, number + 1))

    updates = dict.fromkeys(range(2, number + 1), ("waiting", 7.0, '{"a":1}'))
    commit(connection, rows(1000, 2), updates, [1], {"key": "old"})
    commit(connection, [], {}, [1000], {"key": "new"})
    found = held(path)
    assert found.pop(1001) == ("fresh", 0.0, "{}", b"x")
    assert found == dict.fromkeys(updates, ("waiting", 7.0, '{"a":1}', b"x"))
    assert connection.execute("SELECT * FROM kept").fetchall() == [("key", "new")]
    connection.close()


@pytest.mark.parametrize("number", [3, 350])
def test_of_a_commit_that_fails_nothing_is_written(tmp_path: Path, number: int) -> None:
    path = tmp_path / DATABASE
    connection = connect(path)
    commit(connection, rows(1, 1), {}, [], {})
    with pytest.raises(sqlite3.IntegrityError):
        # The last row has an id that is taken.
        commit(connection, [*rows(2, number), *rows(1, 1)], {}, [], {})
    assert held(path).keys() == {1}
    assert not connection.in_transaction
    commit(connection, rows(2, 1), {}, [], {})
    assert held(path).keys() == {1, 2}
    connection.close()


def test_what_ordinary_tools_see_are_two_tables(tmp_path: Path) -> None:
    """The view that a commit writes to is the connection's own."""
    path = tmp_path / DATABASE
    connect(path).close()
    with sqlite3.connect(path) as other:
        names = other.execute(
            "SELECT name FROM sqlite_master WHERE type IN ('table', 'view', 'trigger')"
        ).fetchall()
    assert sorted(name for (name,) in names) == ["kept", "message"]
