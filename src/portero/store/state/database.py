"""Opens the database of the state and brings it to the shape this version knows."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from portero.core.text import Text
from portero.errors import ConfigError, SourceUnavailable

_MIGRATIONS = Path(__file__).with_name("migrations")


def open_database(url: str) -> Engine:
    """
    Open a database and migrate it forwards.

    url:  SQLAlchemy's form, for example ``sqlite:////var/lib/portero/state.db`` or ``postgresql://user@host/name``.
    Raises ConfigError for a URL that names no usable database or a state of a newer version, SourceUnavailable where
    the server does not answer.
    """
    try:
        parsed = make_url(url)
        if parsed.drivername in {"postgres", "postgresql"}:
            parsed = parsed.set(drivername="postgresql+psycopg")
        if parsed.get_backend_name() not in {"sqlite", "postgresql"}:
            raise ArgumentError(parsed.get_backend_name())
        engine = create_engine(parsed, pool_pre_ping=True)
    except (ArgumentError, NoSuchModuleError):
        # The URL may hold a password, so it is not repeated.
        raise ConfigError(
            (Text("The database URL is none. Write sqlite:///FILE or postgresql://USER@HOST/NAME."),)
        ) from None
    except ModuleNotFoundError:
        raise ConfigError(
            (Text("PostgreSQL needs the extra postgres: pip install “portero[postgres]”."),)
        ) from None
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    try:
        migrate(engine)
    except SQLAlchemyError as error:
        raise SourceUnavailable(
            Text("The database does not answer: {error}.", error=str(getattr(error, "orig", error)).strip())
        ) from error
    return engine


def migrate(engine: Engine, revision: str = "head") -> None:
    """Bring the state to a revision, forwards or back; ``base`` leaves nothing."""
    known = {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}
    with engine.connect() as connection:
        current = MigrationContext.configure(connection).get_current_revision()
    if current is not None and current not in known:
        raise ConfigError(
            (
                Text(
                    "The database was written by a newer version of portero. Use that version, or an earlier backup."
                ),
            )
        )
    order = [script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()]
    back = revision == "base" or (
        current is not None and revision in order and order.index(revision) > order.index(current)
    )
    with engine.connect() as connection:
        config = _config()
        config.attributes["connection"] = connection
        (command.downgrade if back else command.upgrade)(config, revision)


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """Give a connection whose changes are all kept at the end, or none."""
    with engine.connect().execution_options(portero_write=True) as connection, connection.begin():
        yield connection


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.set_main_option("path_separator", "os")
    return config


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    # The driver would begin transactions by itself, and only before some statements.
    connection.isolation_level = None
    # FULL: what was confirmed survives a power cut (https://sqlite.org/pragma.html#pragma_synchronous).
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=10000"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    # A reader that turns writer half-way can be refused; a writer takes its turn at once.
    writes = connection.get_execution_options().get("portero_write")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
