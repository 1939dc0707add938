"""Get-MessageTraceV2 and its predecessors, as CSV or JSON: one row a mail and recipient, with one sender of unknown kind."""

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
from portero.sources.mail_rows import (
    TRACE_OUTCOMES,
    guids,
    integers,
    mail_batch,
    message_ids,
    of_texts,
    words,
)

_COLUMNS = {
    name: (name,)
    for name in (
        "MessageId",
        "Received",
        "SenderAddress",
        "RecipientAddress",
        "Subject",
        "Status",
        "FromIP",
        "Size",
        "MessageTraceId",
    )
}
# What many rows say; the size, the time and the ids are each row's own.
_REPEATED = frozenset({"SenderAddress", "RecipientAddress", "Status", "FromIP"})


def recognise(head: Head) -> bool:
    """Tell by the columns that a trace has and a detail has not."""
    return {"messagetraceid", "received", "senderaddress", "recipientaddress"} <= {
        name.lower() for name in head.columns or head.keys
    }


def read(document: Document) -> Iterator[Item]:
    """Stream the rows; Export-Csv writes times in the computer's own form (see `Times`)."""
    total, times = 0, Times(document, "Received")
    for block in rows(document, _COLUMNS, repeated=_REPEATED):
        if isinstance(block, Gap):
            yield block
            continue
        cells = block.cells
        recipients, received = cells.get("RecipientAddress"), cells.get("Received")
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
                "network_message_id": guids(cells.get("MessageTraceId")),
                "message_id": message_ids(cells.get("MessageId")),
                "observed_at": moments,
                "sender": cells.get("SenderAddress"),
                "recipients": None if recipients is None else of_texts(recipients, pc.utf8_lower),
                "client_ip": cells.get("FromIP"),
                "outcome": words(cells.get("Status"), lambda text: TRACE_OUTCOMES.get(text.strip().lower())),
                "subject": cells.get("Subject"),
                "size_octets": integers(cells.get("Size")),
            },
        )
    if gap := times.gap():
        yield gap
    if total in CUTS:
        reason = Text(
            "Exactly {rows} rows: probably cut by the export. Ask again for shorter periods.", rows=total
        )
        yield Note(reason)


SOURCE = Source("message-trace-v2", Text("Message trace (Get-MessageTraceV2)"), recognise, read)
