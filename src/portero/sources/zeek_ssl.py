"""Zeek ssl.log: encrypted sessions, of which those to mail ports name the mail exchanger that was asked for."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

from portero.core.evidence import Gap
from portero.core.text import Text
from portero.sources.document import Document, Head, Item, Source
from portero.sources.log_lines import notes
from portero.sources.session_rows import session_batch, to_mail_port
from portero.sources.zeek_rows import is_zeek, undated, whole_numbers, zeek_rows, zeek_times

_FIELDS = {
    name: (name,) for name in ("ts", "id.orig_h", "id.resp_h", "id.resp_p", "server_name", "established")
}


def recognise(head: Head) -> bool:
    """Tell by the path and the fields that only this log has."""
    return is_zeek(head, "ssl", frozenset({"id.orig_h", "id.resp_h", "id.resp_p", "established"}))


def read(document: Document) -> Iterator[Item]:
    """Stream encrypted sessions to mail ports. Source: Zeek, base/protocols/ssl."""
    other, dateless = 0, 0
    for block in zeek_rows(document, _FIELDS):
        if isinstance(block, Gap):
            yield block
            continue
        ports = whole_numbers(block.cells.get("id.resp_p"))
        if ports is None:
            other += len(block.lines)
            continue
        kept = to_mail_port(ports)
        lines = block.lines.filter(kept)
        other += len(kept) - len(lines)
        if not len(lines):
            continue
        cells = {name: column.filter(kept) for name, column in block.cells.items()}
        moments = zeek_times(cells["ts"]) if "ts" in cells else pa.nulls(len(lines), pa.timestamp("us"))
        dateless += moments.null_count
        yield session_batch(
            SOURCE.id,
            lines,
            {
                "observed_at": moments,
                "client_ip": cells.get("id.orig_h"),
                "server_ip": cells.get("id.resp_h"),
                "server_name": cells.get("server_name"),
                "server_port": ports.filter(kept),
                "verdict": pa.repeat("opened", len(lines)),
                "sessions": pa.repeat(pa.scalar(1, pa.int64()), len(lines)),
            },
        )
    yield from undated(document.name, dateless)
    yield from notes(0, local=False, other=other)


SOURCE = Source("zeek-ssl", Text("Zeek TLS log (ssl.log)"), recognise, read)
