"""Connector report: the CSV of Start-HistoricalSearch -ReportType ConnectorReport, mail by connector or by none."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from portero.core.evidence import Gap
from portero.core.text import Text
from portero.sources.csv_rows import CUTS, Rows, csv_rows, plain
from portero.sources.document import Batch, Document, Head, Item, Note, Source
from portero.sources.local_times import Times
from portero.sources.mail_rows import connectors, guids, integers, mail_batch, message_ids, words

# Only the sender's column is known (reference data-formats 5.4); the others are bound by the names that the same
# service uses in its sister reports and in the admin centre.
_COLUMNS = {
    "time": ("date_time_utc", "origin_timestamp_utc", "Date (UTC)", "received_utc", "Date", "Received"),
    "sender": ("sender_address", "Sender"),
    "return_path": ("return_path", "mail_from", "P1 sender"),
    "recipient": ("recipient_address", "Recipient"),
    "subject": ("message_subject", "Subject"),
    "message": ("message_id", "Internet message ID"),
    "trace": ("network_message_id", "message_trace_id"),
    "client": ("original_client_ip", "client_ip", "from_ip", "sender_ip"),
    "connector": ("connector_name", "connector_id", "connector", "Connector direction and name"),
    "direction": ("directionality", "direction"),
    "size": ("total_bytes", "message_size", "size"),
}
_ALIASES = {plain(alias) for field in ("connector",) for alias in _COLUMNS[field]}
_DIRECTIONS = {
    "1": "incoming",
    "incoming": "incoming",
    "received": "incoming",
    "inbound": "incoming",
    "2": "originating",
    "originating": "originating",
    "sent": "originating",
    "outbound": "originating",
}
_TEXT = pa.scalar(None, pa.string())


def recognise(head: Head) -> bool:
    """Tell by single mails with a connector or the TLS version, and without what the other trace reports have."""
    names = {plain(name) for name in head.columns}
    single = names & {"messageid", "networkmessageid", "messagetraceid", "recipientaddress", "messagesubject"}
    kind = names & _ALIASES or any(name.startswith(("tls", "connector")) for name in names)
    others = {"recipientstatus", "eventid", "senderfromaddress", "status", "messagessent"}
    return "senderaddress" in names and bool(single) and bool(kind) and names.isdisjoint(others)


def read(document: Document) -> Iterator[Item]:
    """Stream the mails; the one sender is of unknown kind unless the report shows the return path beside it."""
    total, times, named = 0, Times(document, "date_time_utc", _COLUMNS["time"]), False
    for block in csv_rows(document, _COLUMNS):
        if isinstance(block, Gap):
            yield block
            continue
        total += len(block.lines)
        named = named or "connector" in block.cells
        yield _batch(block, times)
    if gap := times.gap(local=False):
        yield gap
    if total and not named:
        reason = Text(
            "The report does not name connectors, so it is not known whether it was made for mail without one."
        )
        yield Note(reason)
    if total in CUTS:
        reason = Text(
            "Exactly {rows} rows: probably cut by the export. Ask again for shorter periods.", rows=total
        )
        yield Note(reason)


def _batch(block: Rows, times: Times) -> Batch:
    cells = block.cells
    time, recipients, client = cells.get("time"), cells.get("recipient"), cells.get("client")
    return_path, connector = cells.get("return_path"), connectors(cells.get("connector"))
    direction = words(cells.get("direction"), lambda text: _DIRECTIONS.get(text.strip().lower()))
    if connector is not None and direction is not None:
        # A connector by which mail left is no inbound one.
        connector = pc.if_else(pc.fill_null(pc.equal(direction, "originating"), False), _TEXT, connector)
    return mail_batch(
        SOURCE.id,
        block.lines,
        {
            "network_message_id": guids(cells.get("trace")),
            "message_id": message_ids(cells.get("message")),
            "observed_at": None if time is None else times.read(time, block.lines),
            "sender": cells.get("sender"),
            "mail_from": None
            if return_path is None
            else pc.if_else(pc.equal(return_path, ""), _TEXT, pc.ascii_trim(return_path, " <>")),
            "recipients": None if recipients is None else pc.utf8_lower(recipients),
            "client_ip": None if client is None else pc.if_else(pc.equal(client, ""), _TEXT, client),
            "connector": connector,
            "direction": direction,
            "subject": cells.get("subject"),
            "size_octets": integers(cells.get("size")),
        },
    )


SOURCE = Source("connector-report", Text("Connector report"), recognise, read)
