"""Message trace detail, of Get-MessageTraceDetailV2 or Microsoft Graph: one row an event, its facts as XML in ``Data``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.parsers import expat

import pyarrow as pa
import pyarrow.compute as pc

from portero.core.evidence import Gap, Origin
from portero.core.text import Text, count
from portero.sources.csv_rows import Rows
from portero.sources.custom_data import NO_ADDRESS, session, threats, value
from portero.sources.document import Batch, Document, Head, Item, Note, Source
from portero.sources.json_rows import rows
from portero.sources.local_times import Times
from portero.sources.mail_rows import connectors, guids, mail_batch, message_ids, words

_COLUMNS = {
    "time": ("Date", "dateTime"),
    "message": ("MessageId",),
    "trace": ("MessageTraceId",),
    "id": ("id",),
    "event": ("Event",),
    "data": ("Data",),
    "sender": ("SenderAddress",),
    "recipient": ("RecipientAddress",),
}
# The first word of an event; what is not here is a step inside the service.
_OUTCOMES = {
    "receive": None,
    "deliver": "delivered",
    "send": "delivered",
    "fail": "failed",
    "expand": "expanded",
    "drop": "blocked",
    "defer": "pending",
    "quarantine": "quarantined",
    "spam": "junked",
}
_XML_CHARACTERS = 1 << 20
# An element's value stands in an attribute named for its type.
_TYPES = ("String", "Integer", "Long", "Double", "Bool", "DateTime", "Blob")
_DIRECTIONS = {"internet": "incoming"}
_TEXT = pa.scalar(None, pa.string())


def recognise(head: Head) -> bool:
    """Tell by the columns of one event; a trace has a sender's status instead."""
    names = {name.lower() for name in head.columns or head.keys}
    return {"event", "action", "data", "messageid"} <= names and not names.isdisjoint({"date", "datetime"})


def read(document: Document) -> Iterator[Item]:
    """
    Stream the events of arrival and of end. Source: reference data-formats sections 3.2 and 4.

    Graph's ``id`` is not said to be the trace's, so mails of Graph join the others by Message-ID where there is one.
    """
    total, kept, broken, times = 0, 0, 0, Times(document, "Date", _COLUMNS["time"])
    for block in rows(document, _COLUMNS):
        if isinstance(block, Gap):
            yield block
            continue
        total += len(block.lines)
        events = _events(block)
        wanted = pc.is_in(events, value_set=pa.array(list(_OUTCOMES)))
        lines = block.lines.filter(wanted)
        if not len(lines):
            continue
        kept += len(lines)
        batch, bad = _batch(
            Rows(lines, {name: cells.filter(wanted) for name, cells in block.cells.items()}), times
        )
        broken += bad
        yield batch
    if gap := times.gap():
        yield gap
    if broken:
        one = "{n} row's Data is no XML that can be read; its session is not known."
        many = "{n} rows' Data is no XML that can be read; their sessions are not known."
        yield Gap(Origin(document.name), count(one, many, broken), broken)
    if total > kept:
        one = "{n} row is a step inside the service and says nothing about arrival or end."
        many = "{n} rows are steps inside the service and say nothing about arrival or end."
        yield Note(count(one, many, total - kept))


def _events(block: Rows) -> pa.Array:
    cells = block.cells.get("event")
    if cells is None:
        return pa.nulls(len(block.lines), pa.string())
    return pc.struct_field(pc.extract_regex(pc.ascii_lower(cells), r"^\s*(?P<word>[a-z]+)"), "word")


def _batch(block: Rows, times: Times) -> tuple[Batch, int]:
    cells, events, rows_ = block.cells, _events(block), len(block.lines)
    none = pa.nulls(rows_, pa.string())
    facts = [mep_facts(text) for text in cells.get("data", none).to_pylist()]
    arrival = pc.equal(events, "receive")

    def fact(name: str) -> pa.Array:
        return pa.array([None if each is None else each.get(name) for each in facts], pa.string())

    data = fact("CustomData")
    address, name = session(data)
    address = pc.coalesce(fact("ProxiedClientIPAddress"), address, fact("CIP"))
    ehlo = pc.coalesce(fact("ProxiedClientHostname"), name, fact("H"))
    return_path, connector = fact("ReturnPath"), connectors(fact("ConnectorId"))
    message, recipients, time = (
        message_ids(cells.get("message", none)),
        cells.get("recipient"),
        cells.get("time"),
    )
    own = pc.equal(pc.fill_null(message, ""), "")
    trace = cells.get("trace")
    batch = mail_batch(
        SOURCE.id,
        block.lines,
        {
            "network_message_id": guids(
                pc.if_else(own, cells.get("id", none), _TEXT) if trace is None else trace
            ),
            "message_id": message,
            "observed_at": None if time is None else times.read(time, block.lines),
            "sender": cells.get("sender"),
            "mail_from": pc.if_else(pc.equal(return_path, ""), _TEXT, pc.ascii_trim(return_path, " <>")),
            "recipients": None if recipients is None else pc.utf8_lower(recipients),
            "client_ip": pc.if_else(pc.is_in(address, pa.array(["", NO_ADDRESS])), _TEXT, address),
            "ehlo": pc.if_else(pc.equal(ehlo, ""), _TEXT, ehlo),
            # Behind arrival the element names the connector by which a mail left.
            "connector": None if connector is None else pc.if_else(arrival, connector, _TEXT),
            "direction": words(value(data, "FromEntity"), lambda text: _DIRECTIONS.get(text.strip().lower())),
            "outcome": words(events, _OUTCOMES.get),
            "threat": threats(data),
        },
    )
    return batch, sum(1 for each in facts if each is None)


def mep_facts(text: str | None) -> dict[str, str] | None:
    """
    Give name and value of the ``MEP`` elements of a Data cell; {} for an empty cell, None where it is no XML.

    Declarations of types and entities end the reading: no cell has them.
    """
    if text is None or not text.strip():
        return {}
    if len(text) > _XML_CHARACTERS:
        return None
    found: dict[str, str] = {}

    def start(tag: str, attributes: dict[str, str]) -> None:
        name = attributes.get("Name")
        if tag.upper() == "MEP" and name:
            written = next((attributes[kind] for kind in _TYPES if kind in attributes), None)
            if written is not None:
                found.setdefault(name, written)

    def refuse(*_: object) -> None:
        raise ValueError

    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(re.sub(r"^\s*<\?xml[^>]*\?>", "", text).strip(), True)
    except (expat.ExpatError, ValueError):
        return None
    return found


SOURCE = Source("message-trace-detail", Text("Message trace detail"), recognise, read)
