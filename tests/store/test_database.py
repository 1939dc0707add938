"""Any database of the state goes to the newest shape and back, and says what is wrong with a URL without its password."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, inspect, text

from portero.errors import ConfigError, SourceUnavailable
from portero.store.state.database import migrate, open_database
from portero.store.state.tables import METADATA


def names(engine: Engine) -> set[str]:
    return set(inspect(engine).get_table_names()) - {"alembic_version"}


def test_the_migrations_lead_to_the_tables(engine: Engine) -> None:
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []


def test_forwards_back_and_forwards_again(engine: Engine) -> None:
    assert names(engine) == set(METADATA.tables)
    migrate(engine, "base")
    assert names(engine) == set()
    migrate(engine)
    assert names(engine) == set(METADATA.tables)


def test_a_newer_state_is_left_alone(engine: Engine) -> None:
    with engine.begin() as connection:
        newest = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one()
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(ConfigError, match="newer version"):
        migrate(engine)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :newest"), {"newest": newest})


@pytest.mark.parametrize("url", ["", "nonsense", "mysql://user:secret@host/name", "sqlite+none:///x"])
def test_what_is_no_url_is_said_without_repeating_it(url: str) -> None:
    with pytest.raises(ConfigError) as caught:
        open_database(url)
    assert "secret" not in str(caught.value)


def test_a_database_out_of_reach_is_said(tmp_path: Path) -> None:
    with pytest.raises(SourceUnavailable):
        open_database(f"sqlite:///{tmp_path / 'absent' / 'state.db'}")
