"""The state on each database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from portero.store.state.database import migrate, open_database
from support import postgres


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    if postgres.programs() is None:
        pytest.skip("no PostgreSQL server on this machine: the state was tried on SQLite alone")
    with postgres.server() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    if request.param == "sqlite":
        opened = open_database(f"sqlite:///{tmp_path / 'state.db'}")
        yield opened
    else:
        opened = open_database(request.getfixturevalue("postgres_url"))
        yield opened
        migrate(opened, "base")
        with opened.begin() as connection:
            connection.execute(text("DROP TABLE alembic_version"))
    opened.dispose()
