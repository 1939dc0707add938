"""Extended report: the CSV of Start-HistoricalSearch -ReportType MessageTraceDetail, one row an event, with P1 and P2."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from portero.core.evidence import Gap
from portero.core.text import Text, count
from portero.sources.csv_rows import CUTS, Rows, csv_rows
from portero.sources.custom_data import NO_ADDRESS, session, threats
from portero.sources.document import Batch, Document, Head, Item, Note, Source
from portero.sources.local_times import Times
from portero.sources.mail_rows import connectors, guids, integers, mail_batch, message_ids, words

_NEEDED = (
    "date_time_utc",
    "connector_id",
    "source",
    "event_id",
    "message_id",
    "network_message_id",
    "recipient_address",
    "total_bytes",
    "message_subject",
    "sender_address",
    "return_path",
    "directionality",
    "original_client_ip",
    "custom_data",
)
_COLUMNS = {name: (name,) for name in _NEEDED}
# The events that say how a mail came in or how it ended; the others are steps inside the service.
_OUTCOMES = {
    "RECEIVE": None,
    "AGENTINFO": None,
    "DELIVER": "delivered",
    "SEND": "delivered",
    "FAIL": "failed",
    "EXPAND": "expanded",
    "DROP": "blocked",
    "DEFER": "pending",
}
_DIRECTIONS = {"1": "incoming", "incoming": "incoming", "2": "originating", "originating": "originating"}
_TEXT = pa.scalar(None, pa.string())


def recognise(head: Head) -> bool:
    """Tell by the columns in which this report shows one event and both senders."""
    return {"date_time_utc", "event_id", "sender_address", "return_path"} <= {
        name.lower() for name in head.columns
    }


def read(document: Document) -> Iterator[Item]:
    """Stream the events of arrival and of end. Source: reference data-formats section 5.3."""
    total, kept, times = 0, 0, Times(document, "date_time_utc")
    for block in csv_rows(document, _COLUMNS):
        if isinstance(block, Gap):
            yield block
            continue
        total += len(block.lines)
        wanted = pc.is_in(_events(block), value_set=pa.array(list(_OUTCOMES)))
        lines = block.lines.filter(wanted)
        if not len(lines):
            continue
        kept += len(lines)
        yield _batch(Rows(lines, {name: cells.filter(wanted) for name, cells in block.cells.items()}), times)
    if gap := times.gap(local=False):
        yield gap
    if total > kept:
        one = "{n} row is a step inside the service and says nothing about arrival or end."
        many = "{n} rows are steps inside the service and say nothing about arrival or end."
        yield Note(count(one, many, total - kept))
    if total in CUTS:
        reason = Text(
            "Exactly {rows} rows: probably cut by the export. Ask again for shorter periods.", rows=total
        )
        yield Note(reason)


def _events(block: Rows) -> pa.Array:
    return pc.ascii_upper(pc.ascii_trim_whitespace(block.cells["event_id"]))


def _batch(block: Rows, times: Times) -> Batch:
    cells, events = block.cells, _events(block)
    arrival = pc.equal(events, "RECEIVE")
    # Delivery into a mailbox names the store driver too, so that only its arrivals are own mail.
    submitted = pc.and_(arrival, pc.equal(_upper(cells.get("source"), events), "STOREDRIVER"))
    direction = words(cells.get("directionality"), lambda text: _DIRECTIONS.get(text.strip().lower()))
    if direction is None:
        direction = pa.nulls(len(block.lines), pa.string())
    direction = pc.if_else(submitted, "originating", direction)
    return_path, connector = cells["return_path"], connectors(cells.get("connector_id"))
    client, ehlo = _session(cells, len(block.lines))
    inside = pc.and_(pc.is_null(client), pc.fill_null(pc.equal(direction, "originating"), False))
    recipients = cells.get("recipient_address")
    return mail_batch(
        SOURCE.id,
        block.lines,
        {
            "network_message_id": guids(cells.get("network_message_id")),
            "message_id": message_ids(cells.get("message_id")),
            "observed_at": times.read(cells["date_time_utc"], block.lines),
            "mail_from": _or_null(pc.equal(return_path, ""), pc.ascii_trim(return_path, " <>")),
            "header_from": cells["sender_address"],
            "recipients": None if recipients is None else pc.utf8_lower(recipients),
            "client_ip": pc.if_else(inside, "", client),
            "ehlo": ehlo,
            # Behind arrival the column names the connector by which a mail left.
            "connector": None if connector is None else _or_null(pc.invert(arrival), connector),
            "direction": direction,
            "outcome": words(events, _OUTCOMES.get),
            "threat": None if (data := cells.get("custom_data")) is None else threats(data),
            "subject": cells.get("message_subject"),
            "size_octets": integers(cells.get("total_bytes")),
        },
    )


def _upper(cells: pa.Array | None, like: pa.Array) -> pa.Array:
    return pa.repeat("", len(like)) if cells is None else pc.ascii_upper(cells)


def _or_null(unknown: pa.Array, cells: pa.Array) -> pa.Array:
    return pc.if_else(unknown, _TEXT, cells)


def _session(cells: dict[str, pa.Array], rows: int) -> tuple[pa.Array, pa.Array]:
    """Give client address and EHLO name, null where no column tells them: the column first, then custom_data."""
    none = pa.nulls(rows, pa.string())
    client = cells.get("original_client_ip", none)
    client = _or_null(pc.equal(client, ""), client)
    data = cells.get("custom_data")
    if data is None:
        return client, none
    address, name = session(data)
    address = pc.coalesce(client, address)
    return _or_null(pc.equal(address, NO_ADDRESS), address), name


SOURCE = Source("message-trace-extended", Text("Message trace, Extended report"), recognise, read)
