"""The evidence tables in the embedded engine: filled in batches, spilled to disk when large, asked in SQL."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import duckdb
import pyarrow as pa

from portero.core.evidence import TABLES

# DuckDB names for the Arrow types the schemas use.
_TYPES = {
    pa.int32(): "INTEGER",
    pa.int64(): "BIGINT",
    pa.string(): "VARCHAR",
    pa.timestamp("us"): "TIMESTAMP",
}

# Each insert costs the engine the same again, so batches wait for one another up to this many rows.
_ROWS_AT_ONCE = 120_000

# A domain as evidence writes it: what follows the last "@", in lower case. A-labels are made later, of the distinct few.
_DOMAIN = "lower(rtrim(CASE WHEN {0} LIKE '%@%' THEN regexp_extract({0}, '@([^@]*)$', 1) END, '.> '))"


class EvidenceTables:
    """
    Holds evidence rows of one run.

    memory:  what the engine may hold before it spills to a temporary folder, as DuckDB writes sizes.
    """

    def __init__(self, folder: str, memory: str = "700MB") -> None:
        self.connection = duckdb.connect(
            ":memory:",
            config={
                "memory_limit": memory,
                "temp_directory": folder,
                # Rows carry their line, so their order in the table means nothing.
                "preserve_insertion_order": False,
            },
        )
        # Nothing in evidence may make the engine read another file or the network.
        self.connection.execute("SET enable_external_access = false; SET lock_configuration = true")
        self._waiting: dict[tuple[int, str], list[pa.RecordBatch]] = {}
        for table, schema in TABLES.items():
            columns = ", ".join(f"{field.name} {_TYPES[field.type]}" for field in schema)
            self.connection.execute(f"CREATE TABLE {table} ({columns})")

    def add(self, document: int, table: str, rows: pa.RecordBatch) -> None:
        """Append a batch of rows that stand in the document with this number."""
        waiting = self._waiting.setdefault((document, table), [])
        waiting.append(rows)
        if sum(batch.num_rows for batch in waiting) >= _ROWS_AT_ONCE:
            self._flush(document, table)

    def finish(self) -> None:
        """Append what still waits; queries see all rows only after it."""
        for document, table in list(self._waiting):
            self._flush(document, table)
        # A summary shows mail from inside by an empty address. Where all of a document's addresses are empty the export
        # lost them, and to read that as "from inside" would call every stranger one of ours.
        self.connection.execute(
            "UPDATE mail_rows SET client_ip = NULL WHERE client_ip = '' AND direction IS NULL AND document NOT IN "
            "(SELECT document FROM mail_rows WHERE client_ip <> '')"
        )

    def _flush(self, document: int, table: str) -> None:
        batches = self._waiting.pop((document, table))
        columns = ", ".join(field.name for field in TABLES[table] if field.name != "document")
        self.connection.register("incoming", pa.Table.from_batches(batches))
        self.connection.execute(
            f"INSERT INTO {table} (document, {columns}) SELECT {int(document)}, {columns} FROM incoming"  # noqa: S608 - own names
        )
        self.connection.unregister("incoming")

    def rows(self, query: str, parameters: list[object] | None = None) -> list[tuple[object, ...]]:
        """Ask a query and give its rows."""
        return self.connection.execute(query, parameters or []).fetchall()

    def spans(self) -> dict[int, tuple[int, datetime | None, datetime | None]]:
        """Give, for each document, how many rows it gave and the earliest and latest time in them (aware UTC)."""
        found: dict[int, tuple[int, datetime | None, datetime | None]] = {}
        for query in (
            "SELECT document, count(*), min(observed_at), max(observed_at) FROM mail_rows GROUP BY document",
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
                SELECT {_DOMAIN.format("coalesce(header_from, sender)")} AS name FROM mail_rows
                WHERE client_ip = '' AND coalesce(direction, 'originating') = 'originating' AND coalesce(connector, '') = ''
                UNION ALL
                SELECT {_DOMAIN.format("split_part(recipients, ';', 1)")} AS name FROM mail_rows
                WHERE direction = 'incoming' OR (direction IS NULL AND client_ip <> '')
                UNION ALL
                SELECT lower(envelope_to) AS name FROM report_rows
                WHERE reporter = 'Enterprise Outlook' AND lower(envelope_to) = lower(policy_domain)
            ), counted AS (SELECT name, count(*) AS number FROM inside WHERE name <> '' GROUP BY name)
            SELECT name FROM counted WHERE number * 100 >= (SELECT sum(number) FROM counted) ORDER BY number DESC, name
        """  # noqa: S608 - own constants
        found = tuple(str(row[0]) for row in self.rows(query))
        return found or tuple(str(row[0]) for row in self.rows(_BY_RECIPIENTS))

    def close(self) -> None:
        """Let the engine go, with what it spilled."""
        self.connection.close()


_BY_RECIPIENTS = f"""
WITH counted AS (
    SELECT {_DOMAIN.format("split_part(recipients, ';', 1)")} AS name, count(*) AS number FROM mail_rows
    WHERE recipients <> '' GROUP BY 1
)
SELECT name FROM counted WHERE name <> '' AND number * 2 > (SELECT sum(number) FROM counted)
"""  # noqa: S608 - own constants


def aware(moment: datetime | None) -> datetime | None:
    """Give a table's time, which is UTC without zone, as an aware time."""
    return None if moment is None else moment.replace(tzinfo=UTC)


@contextmanager
def evidence_tables(memory: str = "700MB") -> Iterator[EvidenceTables]:
    """Open evidence tables whose spill folder is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="portero-") as folder:
        tables = EvidenceTables(folder, memory)
        try:
            yield tables
        finally:
            tables.close()
