"""
Palo Alto traffic log: cells by position without a heading as syslog sends them, or the web interface's export with one.

Times are the firewall's local ones. Source: PAN-OS syslog field descriptions, traffic log; new versions add cells behind.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from portero.core.evidence import Gap, Origin
from portero.core.text import Text, count
from portero.sources.csv_rows import Rows, csv_rows, plain
from portero.sources.document import Document, Head, Item, Source
from portero.sources.log_lines import Stamps, filled, matches, notes, part, zoned
from portero.sources.session_rows import (
    NO_ADDRESS,
    Columns,
    connections,
    session_batch,
    to_mail_port,
    verdicts,
)

_CELL = r'(?:"(?:[^"]|"")*"|[^,]*)'
_MARKER = r"^[^,]*,\d{4}/\d\d/\d\d \d\d:\d\d:\d\d,[^,]*,TRAFFIC,"
_POSITIONS = (
    *("", "received", "", "", "subtype", "", "generated", "client", "server", "nat", "", "", "", ""),
    *("app", "", "", "", "", "", "", "", "", "repeated", "", "port", "", "", "", "protocol", "action"),
    *("", "sent"),
)
_LINE = "^" + ",".join(f"(?P<{name}>{_CELL})" if name else _CELL for name in _POSITIONS)
_COLUMNS = {
    "type": ("Type", "type"),
    "received": ("Receive Time", "receive_time"),
    "generated": ("Generate Time", "Generated Time", "time_generated"),
    "client": ("Source address", "Source Address", "src"),
    "server": ("Destination address", "Destination Address", "dst"),
    "nat": ("NAT Source IP", "natsrc"),
    "repeated": ("Repeat Count", "repeatcnt"),
    "port": ("Destination Port", "dport"),
    "protocol": ("IP Protocol", "proto"),
    "action": ("Action", "action"),
    "sent": ("Bytes Sent", "bytes_sent"),
}


def recognise(head: Head) -> bool:
    """Tell by the cells' positions, or by the web export's heading."""
    names = {plain(name) for name in head.columns}
    if {"natsourceip", "sourceaddress", "destinationport", "ipprotocol"} <= names:
        return True
    # Most documents lack the word, and looking for it costs little.
    return ",TRAFFIC," in head.text and re.search(_MARKER, head.text, re.MULTILINE) is not None


def read(document: Document) -> Iterator[Item]:
    """Stream connections to mail ports."""
    if "natsourceip" in {plain(name) for name in document.head.columns}:
        return _exported(document)
    return connections(document, SOURCE.id, _MARKER, _columns, _times)


def _columns(text: pa.Array) -> Columns:
    cells = pc.extract_regex(text, _LINE)
    return _session({name: pc.struct_field(cells, name) for name in _POSITIONS if name})


def _times(text: pa.Array) -> Stamps:
    return _local(part(text, r"^[^,]*,[^,]*,[^,]*,[^,]*,[^,]*,[^,]*,(?P<v>[^,]*),"))


def _local(cells: pa.Array) -> Stamps:
    moments = pc.replace_substring(pc.replace_substring(cells, "/", "-"), " ", "T")
    zone = part(moments, r"\d(?P<v>Z|[+-]\d\d:\d\d)$")
    return zoned(pc.replace_substring_regex(moments, r"(Z|[+-]\d\d:\d\d)$", ""), zone)


def _session(cells: dict[str, pa.Array]) -> dict[str, pa.Array]:
    cells = {name: pc.ascii_trim(column, '" ') for name, column in cells.items()}
    tcp = pc.is_in(pc.ascii_lower(cells["protocol"]), pa.array(["tcp", "6"]))
    nat = filled(cells["nat"])
    # An address of zeros says that the session was not translated; so does the client's own.
    same = pc.or_(pc.is_in(nat, NO_ADDRESS), pc.fill_null(pc.equal(nat, cells["client"]), False))
    port = pc.if_else(matches(cells["port"], r"^\d{1,5}$"), cells["port"], "0")
    return {
        "client_ip": filled(cells["client"]),
        "egress_ip": pc.if_else(same, "", nat),
        "server_ip": filled(cells["server"]),
        "server_port": pc.if_else(tcp, port, "0").cast(pa.int64()),
        "verdict": verdicts(cells["action"]),
        "sessions": pc.coalesce(_number(cells["repeated"]), pa.scalar(1, pa.int64()))
        if "repeated" in cells
        else None,
        "octets": _number(cells["sent"]) if "sent" in cells else None,
    }


def _number(cells: pa.Array) -> pa.Array:
    return pc.if_else(matches(cells, r"^\d{1,18}$"), cells, pa.scalar(None, pa.string())).cast(pa.int64())


def _exported(document: Document) -> Iterator[Item]:
    other, local, undated = 0, False, 0
    for block in csv_rows(document, _COLUMNS):
        if isinstance(block, Gap):
            yield block
            continue
        session = _session(block.cells)
        traffic = block.cells.get("type")
        kept = to_mail_port(session["server_port"])
        if traffic is not None:
            kept = pc.and_(kept, pc.equal(pc.ascii_lower(traffic), "traffic"))
        other += len(kept) - (pc.sum(kept).as_py() or 0)
        rows = Rows(
            block.lines.filter(kept), {name: cells.filter(kept) for name, cells in block.cells.items()}
        )
        if not len(rows.lines):
            continue
        times = rows.cells.get("generated", rows.cells.get("received"))
        when = (
            Stamps(*(pa.nulls(len(rows.lines), pa.timestamp("us")),) * 2) if times is None else _local(times)
        )
        local = local or when.local_at.null_count < len(when.local_at)
        undated += pc.sum(pc.and_(pc.is_null(when.local_at), pc.is_null(when.observed_at))).as_py() or 0
        columns = {name: None if cells is None else cells.filter(kept) for name, cells in session.items()}
        yield session_batch(
            SOURCE.id, rows.lines, {**columns, "observed_at": when.observed_at, "local_at": when.local_at}
        )
    if undated:
        one, many = "{n} row has no time that can be read.", "{n} rows have no time that can be read."
        yield Gap(Origin(document.name), count(one, many, undated), undated)
    yield from notes(0, local, other)


SOURCE = Source("paloalto-traffic", Text("Palo Alto traffic log"), recognise, read)
