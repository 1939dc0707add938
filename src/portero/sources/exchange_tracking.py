"""
Message tracking logs of Exchange servers on premises, as files or from Get-MessageTrackingLog.

A server hides the devices behind it from Exchange Online: what it took from whom, and where it sent it, stands here.
Source: reference data-formats section 13; Microsoft's page on message tracking names the 30 fields.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import IO, cast

import pyarrow as pa
import pyarrow.compute as pc

from portero.core.evidence import Gap, Origin
from portero.core.text import Text, count
from portero.sources.csv_rows import Rows, csv_rows, heading, plain
from portero.sources.custom_data import value
from portero.sources.document import Batch, Document, Head, Item, Note, Source
from portero.sources.json_rows import rows
from portero.sources.local_times import Times
from portero.sources.mail_rows import integers, message_ids
from portero.sources.session_rows import session_batch
from portero.sources.text import utf8_blocks

_NAMES = [
    "date-time",
    "client-ip",
    "client-hostname",
    "server-ip",
    "server-hostname",
    "source-context",
    "connector-id",
    "source",
    "event-id",
    "internal-message-id",
    "message-id",
    "network-message-id",
    "recipient-address",
    "recipient-status",
    "total-bytes",
    "recipient-count",
    "related-recipient-address",
    "reference",
    "message-subject",
    "sender-address",
    "return-path",
    "message-info",
    "directionality",
    "tenant-id",
    "original-client-ip",
    "original-server-ip",
    "custom-data",
    "transport-traffic-type",
    "log-id",
    "schema-version",
]
_WANTED = {
    "time": ("date-time", "Timestamp"),
    "client": ("client-ip",),
    "client_name": ("client-hostname",),
    "server": ("server-ip",),
    "server_name": ("server-hostname",),
    "context": ("source-context",),
    "source": ("source",),
    "event": ("event-id",),
    "message": ("message-id",),
    "recipients": ("recipient-address", "Recipients"),
    "status": ("recipient-status",),
    "bytes": ("total-bytes",),
    "subject": ("message-subject",),
    "sender": ("sender-address", "Sender"),
    "return_path": ("return-path",),
    "original": ("original-client-ip",),
    "custom": ("custom-data", "EventData"),
}
_VERDICTS = {"RECEIVE": "opened", "SEND": "opened", "SENDEXTERNAL": "opened", "FAIL": "denied"}
# A line of a log that was cut off its heading: a time, six texts, the source, the event.
_LINE = re.compile(
    r'\d{4}-\d\d-\d\dT[\d:.]+Z,(?:[^,"\n]*|"(?:[^"]|"")*"),(?:[^,"\n]*,){3}(?:[^,"\n]*|"(?:[^"]|"")*"),[^,\n]*,'
    r"(?:SMTP|STOREDRIVER|ROUTING|AGENT|DSN|ADMIN|GATEWAY|PICKUP|QUEUE|MAILBOXRULE|ORAR|POISONMESSAGE|PUBLICFOLDER|"
    r"REDUNDANCY|RESOLVER|SAFETYNET|BOOTLOADER|APPROVAL|DNS|MEETINGMESSAGEPROCESSOR),[A-Z]+,"
)
_FIELDS = re.compile(r"^#Fields: *(date-time,client-ip,[^\r\n]*\bevent-id\b[^\r\n]*)", re.MULTILINE)
_TEXT = pa.scalar(None, pa.string())


def recognise(head: Head) -> bool:
    """Tell by the log's own heading, by a line without it, or by the properties of Get-MessageTrackingLog."""
    names = {plain(name) for name in head.columns or head.keys}
    if {"eventid", "internalmessageid", "sourcecontext", "clientip"} <= names:
        return "datetimeutc" not in names  # the Extended report of Exchange Online
    return _FIELDS.search(head.text) is not None or _LINE.match(head.text) is not None


def read(document: Document) -> Iterator[Item]:
    """Stream what servers took over SMTP, sent over SMTP and failed to send; other steps are counted."""
    total, kept = 0, 0
    held, shift = _as_table(document)
    times = Times(held, "date-time", _WANTED["time"])
    for block in rows(held, _WANTED) if held.head.keys else csv_rows(held, _WANTED):
        if isinstance(block, Gap):
            yield replace(block, origin=_shifted(block.origin, shift))
            continue
        total += len(block.lines)
        written = block.cells.get("event", pa.nulls(len(block.lines), pa.string()))
        events = pc.ascii_upper(pc.ascii_trim_whitespace(written))
        smtp = pc.equal(pc.ascii_upper(block.cells.get("source", events)), "SMTP")
        wanted = pc.and_(pc.is_in(events, value_set=pa.array(list(_VERDICTS))), pc.fill_null(smtp, False))
        lines = pc.subtract(block.lines.filter(wanted), shift)
        if not len(lines):
            continue
        kept += len(lines)
        cells = {name: column.filter(wanted) for name, column in block.cells.items()}
        yield _batch(Rows(lines, cells), events.filter(wanted), times)
    if gap := times.gap():
        yield gap
    if total > kept:
        one = "{n} event is a step inside the servers and was passed over."
        many = "{n} events are steps inside the servers and were passed over."
        yield Note(count(one, many, total - kept))


def _shifted(origin: Origin, shift: int) -> Origin:
    return origin if origin.line is None else replace(origin, line=origin.line - shift)


def _batch(block: Rows, events: pa.Array, times: Times) -> Batch:
    cells = block.cells
    none = pa.nulls(len(block.lines), pa.string())
    took = pc.equal(events, "RECEIVE")

    def cell(name: str) -> pa.Array:
        found = cells.get(name, none)
        return pc.if_else(pc.equal(found, ""), _TEXT, found)

    custom = cell("custom")
    # The front end takes the mail and hands it to the transport service of the same server, which writes this line.
    proxied = pc.coalesce(cell("original"), value(custom, "ProxiedClientIPAddress"))
    name = value(custom, "ProxiedClientHostname")
    return_path, time = cell("return_path"), cells.get("time")
    return session_batch(
        SOURCE.id,
        block.lines,
        {
            "observed_at": None if time is None else times.read(time, block.lines),
            "client_ip": pc.if_else(took, pc.coalesce(proxied, cell("client")), cell("client")),
            "client_name": pc.if_else(took, pc.coalesce(name, cell("client_name")), cell("client_name")),
            "server_ip": cell("server"),
            "server_name": cell("server_name"),
            "verdict": pa.array([_VERDICTS[event] for event in events.to_pylist()], pa.string()),
            "sessions": pa.repeat(1, len(block.lines)).cast(pa.int64()),
            "octets": integers(cells.get("bytes")),
            "ehlo": pc.if_else(took, name, _TEXT),
            "mail_from": pc.ascii_trim(return_path, " <>"),
            "header_from": cell("sender"),
            "recipients": pc.utf8_lower(cell("recipients")),
            "message_id": message_ids(cell("message")),
            "subject": cell("subject"),
            "reply": pc.if_else(took, _TEXT, pc.coalesce(cell("status"), cell("context"))),
        },
    )


def _as_table(document: Document) -> tuple[Document, int]:
    """Give the log as CSV under one heading, and by how much its line numbers are too large; comments become empty lines."""
    head = document.head
    if head.columns and "event-id" not in head.columns and plain(" ".join(head.columns)).find("eventid") >= 0:
        return document, 0
    if head.keys:
        return document, 0
    named = _FIELDS.search(head.text)
    names = named[1].strip() if named else ",".join(_NAMES)
    commented = head.text.startswith("#")

    def open_() -> IO[bytes]:
        stream = cast("IO[bytes]", _Commentless(document, names.encode(), commented=commented))
        return cast("IO[bytes]", io.BufferedReader(cast("io.RawIOBase", stream)))

    columns, delimiter, _ = heading(names)
    return replace(
        document, head=Head(names.encode(), "utf-8", names, columns, delimiter), open=open_, size=None
    ), 0 if commented else 1


class _Commentless(io.RawIOBase):
    """A log's octets, the first line in place of a comment or before all others, and comments empty."""

    def __init__(self, document: Document, names: bytes, *, commented: bool) -> None:
        self._blocks = utf8_blocks(document.open(), document.head.encoding)
        self._rest = names if commented else names + b"\n"
        self._fresh = True  # whether the next octet begins a line
        self._inside = False  # whether a comment goes on in the next block

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        view = memoryview(cast("bytearray", buffer))
        while not self._rest:
            block = next(self._blocks, None)
            if block is None:
                return 0
            self._rest = self._without_comments(block)
        part, self._rest = self._rest[: len(view)], self._rest[len(view) :]
        view[: len(part)] = part
        return len(part)

    def _without_comments(self, block: bytes) -> bytes:
        if self._inside:
            at = block.find(b"\n")
            if at < 0:
                return b""
            block, self._inside = block[at:], False
        elif self._fresh and block.startswith(b"#"):
            at = block.find(b"\n")
            self._inside = at < 0
            block = b"" if at < 0 else block[at:]
        block = re.sub(rb"\n#[^\n]*(?=\n)", b"\n", block)
        at = block.rfind(b"\n#")
        if at >= 0 and block.find(b"\n", at + 1) < 0:
            block, self._inside = block[: at + 1], True
        self._fresh = block.endswith(b"\n") and not self._inside
        return block


SOURCE = Source("exchange-tracking", Text("Exchange Server message tracking log"), recognise, read)
