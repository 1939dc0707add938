"""Summary download of the admin centre's message trace as CSV: one row a mail and recipient."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from portero.core.evidence import Gap, Origin
from portero.core.text import Text, count
from portero.sources.csv_rows import csv_rows
from portero.sources.document import Document, Head, Item, Source
from portero.sources.local_times import Times
from portero.sources.mail_rows import (
    TRACE_OUTCOMES,
    WITHOUT_IDS,
    guids,
    integers,
    mail_batch,
    message_ids,
    words,
)

# The headings are not documented; these are the forms met (reference data-formats section 5.1).
_UTC = "Date (UTC)"
_COLUMNS = {
    "time": (_UTC,),
    "sender": ("Sender address", "Sender"),
    "recipient": ("Recipient address", "Recipient"),
    "subject": ("Subject",),
    "status": ("Status",),
    "message": ("Message ID",),
    "trace": ("Network message ID", "Message Trace ID"),
    "client": ("From IP",),
    "size": ("Size",),
}


def recognise(head: Head) -> bool:
    """Tell by headings for people, with spaces, which the cmdlets never write."""
    names = {name.lower() for name in head.columns}
    people = {"sender", "sender address"} & names and {"recipient", "recipient address"} & names
    return bool(people) and {"subject", "status"} <= names


def read(document: Document) -> Iterator[Item]:
    """Stream the rows; a time is used only under a heading that says UTC, since the portal shows its own zone."""
    total, times = 0, Times(document, _UTC)
    zoned = known = False
    for block in csv_rows(document, _COLUMNS):
        if isinstance(block, Gap):
            yield block
            continue
        cells, recipients = block.cells, block.cells.get("recipient")
        zoned, known = "time" in cells, "trace" in cells or "message" in cells
        total += len(block.lines)
        yield mail_batch(
            SOURCE.id,
            block.lines,
            {
                "network_message_id": guids(cells.get("trace")),
                "message_id": message_ids(cells.get("message")),
                "observed_at": times.read(cells["time"], block.lines) if zoned else None,
                "sender": cells.get("sender"),
                "recipients": None if recipients is None else pc.utf8_lower(recipients),
                "client_ip": _known(cells.get("client")),
                "outcome": words(cells.get("status"), _outcome),
                "subject": cells.get("subject"),
                "size_octets": integers(cells.get("size")),
            },
        )
    if total and not known:
        yield Gap(Origin(document.name), WITHOUT_IDS, total)
    if total and not zoned:
        one = "{n} row has a time of unknown zone. Use Get-MessageTraceV2, which writes UTC."
        many = "{n} rows have times of unknown zone. Use Get-MessageTraceV2, which writes UTC."
        yield Gap(Origin(document.name), count(one, many, total), total)
    if gap := times.gap(local=False):
        yield gap


def _known(cells: pa.Array | None) -> pa.Array | None:
    """Read an empty address as unknown: nobody documents that this download writes it for mail from within."""
    return None if cells is None else pc.if_else(pc.equal(cells, ""), pa.scalar(None, pa.string()), cells)


def _outcome(text: str) -> str | None:
    return TRACE_OUTCOMES.get(text.replace(" ", "").lower())


SOURCE = Source("message-trace-summary", Text("Message trace, Summary download"), recognise, read)
