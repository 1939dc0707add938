"""Zeek conn.log: connections seen on the wire, with the state in which they ended."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from portero.core.evidence import Gap
from portero.core.text import Text
from portero.sources.document import Document, Head, Item, Source
from portero.sources.log_lines import notes
from portero.sources.session_rows import session_batch, to_mail_port
from portero.sources.zeek_rows import is_zeek, undated, whole_numbers, zeek_rows, zeek_times

_FIELDS = {
    name: (name,)
    for name in (
        "ts",
        "id.orig_h",
        "id.resp_h",
        "id.resp_p",
        "proto",
        "conn_state",
        "orig_bytes",
        "orig_l2_addr",
    )
}
# Nothing came back, or a refusal did. Every other state saw an answer, or only a part of the connection.
_STATES = {"S0": "unanswered", "REJ": "denied", "RSTOS0": "unanswered", "SH": "unanswered"}
_OPENED = frozenset({"S1", "SF", "S2", "S3", "RSTO", "RSTR", "RSTRH", "SHR"})


def recognise(head: Head) -> bool:
    """Tell by the path and the fields that only this log has."""
    return is_zeek(head, "conn", frozenset({"id.orig_h", "id.resp_h", "id.resp_p", "proto", "conn_state"}))


def read(document: Document) -> Iterator[Item]:
    """Stream connections to mail ports. Source: Zeek, base/protocols/conn, ``conn_state``."""
    other, dateless = 0, 0
    for block in zeek_rows(document, _FIELDS):
        if isinstance(block, Gap):
            yield block
            continue
        cells = block.cells
        ports = whole_numbers(cells.get("id.resp_p"))
        if ports is None or not {"id.orig_h", "proto"} <= cells.keys():
            other += len(block.lines)
            continue
        kept = pc.and_(to_mail_port(ports), pc.fill_null(pc.equal(cells["proto"], "tcp"), False))
        lines = block.lines.filter(kept)
        other += len(kept) - len(lines)
        if not len(lines):
            continue
        cells = {name: column.filter(kept) for name, column in cells.items()}
        moments = zeek_times(cells["ts"]) if "ts" in cells else pa.nulls(len(lines), pa.timestamp("us"))
        dateless += moments.null_count
        yield session_batch(
            SOURCE.id,
            lines,
            {
                "observed_at": moments,
                "client_ip": cells["id.orig_h"],
                "client_mac": cells.get("orig_l2_addr"),
                "server_ip": cells.get("id.resp_h"),
                "server_port": ports.filter(kept),
                "verdict": _verdict(cells.get("conn_state")),
                "sessions": pa.repeat(pa.scalar(1, pa.int64()), len(lines)),
                "octets": whole_numbers(cells.get("orig_bytes")),
            },
        )
    yield from undated(document.name, dateless)
    yield from notes(0, local=False, other=other)


def _verdict(states: pa.Array | None) -> pa.Array | None:
    if states is None:
        return None
    coded = states.dictionary_encode()
    meanings = [
        "opened" if state in _OPENED else _STATES.get(state or "") for state in coded.dictionary.to_pylist()
    ]
    return pa.array(meanings, pa.string()).take(coded.indices)


SOURCE = Source("zeek-conn", Text("Zeek connection log (conn.log)"), recognise, read)
