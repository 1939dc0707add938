"""The organisation's mails one by one, kept as Parquet after the fold, so that a number can be opened later."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC
from io import BytesIO
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from portero.core.evidence import Origin
from portero.core.flow import FlowKey
from portero.core.recorded import Mail
from portero.engine.evidence_tables import EvidenceTables
from portero.engine.fold_queries import KEYS, LINE_BITS

# Rows of one address lie together, so that whoever asks for a sender reads a few groups and not all of them.
_GROUP_ROWS = 20_000


def keep_mails(tables: EvidenceTables, documents: Sequence[str]) -> bytes:
    """
    Give the mails of a fold as a Parquet file; to be called after it.

    documents:  names by the documents' numbers.
    """
    found = tables.rows("SELECT DISTINCT witness FROM numbered_rows WHERE witness IS NOT NULL")
    places = ", ".join(f"first_{n}" for n in range(len(found))) or "CAST(NULL AS BIGINT)"
    keys = ", ".join(f"f.k_{name}" for name in KEYS)
    # The names are of this package.
    query = (
        f"SELECT {keys}, m.observed_at, p.low AS author, m.subject, m.outcome, m.size_octets, coalesce({places}) AS place"  # noqa: S608
        " FROM flowed m JOIN flows f ON m.flow = f.flow LEFT JOIN people p ON m.author_no = p.no"
        " ORDER BY k_client_ip, observed_at"
    )
    rows = tables.connection.sql(query).to_arrow_table()
    place = rows.column("place")
    number = pc.shift_right(place, LINE_BITS)
    line = pc.subtract(place, pc.shift_left(number, LINE_BITS))
    name = pc.take(pa.array([*documents, ""], pa.string()), pc.fill_null(number, len(documents)))
    rows = rows.drop_columns(["place"]).append_column("document", name).append_column("line", line)
    out = BytesIO()
    pq.write_table(rows, out, compression="zstd", row_group_size=_GROUP_ROWS)
    return out.getvalue()


def read_mails(path: Path, keys: Sequence[FlowKey], most: int) -> tuple[int, tuple[Mail, ...]]:
    """
    Give how many mails came by some ways of sending, and the newest of them.

    Raises FileNotFoundError where none were kept.
    """
    wanted = set(keys)
    if not path.is_file():
        raise FileNotFoundError(path)
    addresses = [each.client_ip for each in wanted if each.client_ip is not None]
    rule = pc.field("k_client_ip").isin(pa.array(addresses, pa.string()))
    if len(addresses) < len(wanted):
        rule = rule | pc.field("k_client_ip").is_null()
    rows = pq.read_table(path, filters=rule)
    held = [rows.column(f"k_{name}").to_pylist() for name in KEYS]
    these = [n for n, values in enumerate(zip(*held, strict=True)) if FlowKey(*values) in wanted]
    found = rows.take(pa.array(these, pa.int64()))
    newest = found.take(pc.sort_indices(found, [("observed_at", "descending")])[:most])
    return found.num_rows, tuple(_mail(row) for row in newest.to_pylist())


def _mail(row: dict[str, object]) -> Mail:
    at, line, size = row["observed_at"], row["line"], row["size_octets"]
    return Mail(
        key=FlowKey(*(_text(row[f"k_{name}"]) for name in KEYS)),
        at=at.replace(tzinfo=UTC) if at is not None else None,  # type: ignore[attr-defined]  # the table's times
        author=_text(row["author"]),
        subject=_text(row["subject"]),
        outcome=_text(row["outcome"]),
        size=size if isinstance(size, int) else None,
        origin=Origin(str(row["document"]), line if isinstance(line, int) else None),
    )


def _text(value: object) -> str | None:
    return None if value is None else str(value)
