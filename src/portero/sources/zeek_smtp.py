"""Zeek smtp.log: mail sessions seen on the wire; after STARTTLS only the EHLO name and the address remain."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from portero.core.evidence import Gap
from portero.core.text import Text
from portero.sources.document import Document, Head, Item, Source
from portero.sources.mail_rows import message_ids
from portero.sources.session_rows import session_batch
from portero.sources.zeek_rows import (
    first_mailbox,
    is_zeek,
    listed,
    undated,
    whole_numbers,
    zeek_rows,
    zeek_times,
)

_FIELDS = {
    name: (name,)
    for name in (
        *("ts", "id.orig_h", "id.resp_h", "id.resp_p", "helo", "mailfrom", "rcptto", "from", "msg_id"),
        *("subject", "last_reply"),
    )
}


def recognise(head: Head) -> bool:
    """Tell by the path and the fields that only this log has; JSON records leave out what is unset."""
    if head.keys:
        return {"id.orig_h", "id.resp_p", "trans_depth"} <= head.keys and not {"host", "method"} <= head.keys
    return is_zeek(head, "smtp", frozenset({"id.orig_h", "id.resp_h", "trans_depth", "helo"}))


def read(document: Document) -> Iterator[Item]:
    """Stream mail sessions. Source: Zeek, base/protocols/smtp."""
    dateless = 0
    for block in zeek_rows(document, _FIELDS):
        if isinstance(block, Gap):
            yield block
            continue
        cells, lines = block.cells, block.lines
        moments = zeek_times(cells["ts"]) if "ts" in cells else pa.nulls(len(lines), pa.timestamp("us"))
        dateless += moments.null_count
        yield session_batch(
            SOURCE.id,
            lines,
            {
                "observed_at": moments,
                "client_ip": cells.get("id.orig_h"),
                "server_ip": cells.get("id.resp_h"),
                "server_port": whole_numbers(cells.get("id.resp_p")),
                # The analyser speaks of sessions in which both sides spoke.
                "verdict": pa.repeat("opened", len(lines)),
                "sessions": pa.repeat(pa.scalar(1, pa.int64()), len(lines)),
                "ehlo": cells.get("helo"),
                "mail_from": _envelope(cells.get("mailfrom")),
                "header_from": first_mailbox(cells.get("from")),
                "recipients": listed(cells.get("rcptto")),
                "message_id": message_ids(cells.get("msg_id")),
                "subject": cells.get("subject"),
                "reply": cells.get("last_reply"),
            },
        )
    yield from undated(document.name, dateless)


def _envelope(cells: pa.Array | None) -> pa.Array | None:
    """Give P1: the null reverse-path ``<>`` is written as an empty field."""
    if cells is None:
        return None
    empty = pc.is_in(cells, pa.array(["", "<>"]))
    return pc.if_else(pc.fill_null(empty, False), "", first_mailbox(cells))


SOURCE = Source("zeek-smtp", Text("Zeek mail log (smtp.log)"), recognise, read)
