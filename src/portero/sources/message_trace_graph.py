"""Message trace of Microsoft Graph as JSON or CSV: one row a mail and recipient, with one sender of unknown kind."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from portero.core.evidence import Gap
from portero.core.text import Text
from portero.sources.csv_rows import CUTS
from portero.sources.document import Document, Head, Item, Note, Source
from portero.sources.json_rows import rows
from portero.sources.local_times import Times
from portero.sources.mail_rows import TRACE_OUTCOMES, guids, integers, mail_batch, message_ids, words

_COLUMNS = {
    name: (name,)
    for name in (
        "id",
        "senderAddress",
        "recipientAddress",
        "messageId",
        "receivedDateTime",
        "subject",
        "size",
        "fromIP",
        "status",
    )
}


def recognise(head: Head) -> bool:
    """Tell by the time, which the cmdlets call Received; PowerShell writes the names with capitals."""
    return {"receiveddatetime", "senderaddress", "recipientaddress"} <= {
        name.lower() for name in head.columns or head.keys
    }


def read(document: Document) -> Iterator[Item]:
    """Stream the rows. Source: reference data-formats section 4 (entity exchangeMessageTrace)."""
    total, times = 0, Times(document, "receivedDateTime")
    for block in rows(document, _COLUMNS):
        if isinstance(block, Gap):
            yield block
            continue
        cells = block.cells
        received, recipients = cells.get("receivedDateTime"), cells.get("recipientAddress")
        moments = (
            pa.nulls(len(block.lines), pa.timestamp("us"))
            if received is None
            else times.read(received, block.lines)
        )
        total += len(block.lines)
        yield mail_batch(
            SOURCE.id,
            block.lines,
            {
                "network_message_id": guids(cells.get("id")),
                "message_id": message_ids(cells.get("messageId")),
                "observed_at": moments,
                "sender": cells.get("senderAddress"),
                "recipients": None if recipients is None else pc.utf8_lower(recipients),
                "client_ip": cells.get("fromIP"),
                "outcome": words(cells.get("status"), lambda text: TRACE_OUTCOMES.get(text.strip().lower())),
                "subject": cells.get("subject"),
                "size_octets": integers(cells.get("size")),
            },
        )
    if gap := times.gap(local=False):
        yield gap
    if total in CUTS:
        reason = Text(
            "Exactly {rows} rows: probably cut by the export. Ask again for shorter periods.", rows=total
        )
        yield Note(reason)


SOURCE = Source("message-trace-graph", Text("Message trace (Microsoft Graph)"), recognise, read)
