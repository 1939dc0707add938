"""Rows of mail evidence built by hand, folded by the embedded engine."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

import pyarrow as pa

from portero.core.evidence_rows import MAIL_ROWS
from portero.core.exchange.settings import Settings, Tenant, read_settings
from portero.engine.evidence_tables import EvidenceTables, evidence_tables
from portero.engine.fold import Folded, fold

START = datetime(2026, 9, 1, 8)  # noqa: DTZ001  (tables hold UTC without zone)
_SCHEMA = pa.schema([field for field in MAIL_ROWS if field.name != "document"])

Row = Mapping[str, object]


def batch(rows: Iterable[Row]) -> pa.RecordBatch:
    """Give rows as a source gives them; what a row does not name is null."""
    return pa.RecordBatch.from_pylist([dict(row) for row in rows], schema=_SCHEMA)


def settings(*domains: str) -> Settings:
    """Give the settings of an organisation of which only the domains are known."""
    return read_settings(Tenant(), domains or ("contoso.example",))


def folded(
    *documents: Sequence[Row],
    held: int = 1 << 30,
    watch: Callable[[EvidenceTables], None] = lambda _: None,
    sizes: int = 1000,
) -> Folded:
    """
    Fold rows by document.

    held:   octets that are kept beside the engine before it stores them.
    watch:  is shown the tables before the fold.
    sizes:  rows in a batch.
    """
    with evidence_tables(held=held) as tables:
        for number, rows in enumerate(documents):
            for first in range(0, len(rows), sizes):
                tables.add(number, "mail_rows", batch(rows[first : first + sizes]))
        tables.finish()
        watch(tables)
        return fold(tables, settings(), tuple(f"{number}.csv" for number in range(len(documents))))
