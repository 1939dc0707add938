"""
Firewall traffic in CEF or LEEF: ``src=``, ``dst=``, ``dpt=`` behind a header of bars, whoever wrote it.

Sources: ArcSight Common Event Format (escapes ``\\=`` and ``\\|``); IBM QRadar Log Event Extended Format 1.0 and 2.0.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from portero.core.text import Text
from portero.sources.document import Document, Head, Item, Source
from portero.sources.log_lines import Stamps, filled, macs, matches, part, stamps, unix_times
from portero.sources.mail_rows import iso_times
from portero.sources.session_rows import NO_ADDRESS, Columns, connections, verdicts

_HEADER = r"(?:CEF:\s?[01]|LEEF:[12](?:\.0)?)(?:\|[^|\n]*){4,7}"
_BARE = r"^[01]\|[^|\n]+\|[^|\n]+\|[^|\n]*\|[^|\n]*\|[^|\n]+\|[^|\n]*\|"  # a collector cut "CEF:" off
_BETWEEN = r"(?:^|[\s|^])"


def recognise(head: Head) -> bool:
    """Tell by the header of bars and an address behind it."""
    # Most documents lack the word, and looking for it costs little.
    return (
        "src=" in head.text
        and re.search(rf"(?:{_HEADER}|{_BARE})[^\n]*\bsrc=", head.text, re.MULTILINE) is not None
    )


def read(document: Document) -> Iterator[Item]:
    """Stream events that name a mail port as destination."""
    return connections(document, SOURCE.id, rf"({_HEADER}|{_BARE}).*(dpt|dstPort)=", _columns, _times)


def _value(text: pa.Array, *keys: str) -> pa.Array:
    """Give the first key's value that is there; values that hold blanks end at the next key."""
    found = [part(text, rf"{_BETWEEN}{key}=(?P<v>[^\s^|]*)") for key in keys]
    return filled(pc.coalesce(*found))


def _columns(text: pa.Array) -> Columns:
    protocol = pc.ascii_lower(_value(text, "proto", "protocol"))
    tcp = pc.fill_null(pc.is_in(protocol, pa.array(["tcp", "6"])), True)
    port = _value(text, "dpt", "dstPort")
    port = pc.if_else(matches(port, r"^\d{1,5}$"), port, "0")
    translated = _value(text, "sourceTranslatedAddress", "srcPostNAT", "NATSourceIP")
    client = _value(text, "src")
    nat = pc.if_else(pc.equal(translated, client), "", translated)
    return {
        # An event without source is no connection that could be tied to a host.
        "client_ip": pc.if_else(pc.and_(tcp, pc.is_valid(client)), client, "-"),
        "client_name": _value(text, "shost", "identHostName"),
        "client_mac": macs(_value(text, "smac", "srcMAC")),
        "egress_ip": pc.if_else(pc.is_in(nat, NO_ADDRESS), "", nat),
        "server_ip": _value(text, "dst"),
        "server_name": _value(text, "dhost"),
        "server_port": pc.if_else(pc.and_(tcp, pc.is_valid(client)), port, "0").cast(pa.int64()),
        "verdict": verdicts(_value(text, "act", "action")),
        "sessions": pc.coalesce(_number(_value(text, "cnt")), pa.scalar(1, pa.int64())),
        "octets": _number(_value(text, "out", "srcBytes")),
    }


def _number(cells: pa.Array) -> pa.Array:
    return pc.if_else(matches(cells, r"^\d{1,18}$"), cells, pa.scalar(None, pa.string())).cast(pa.int64())


def _times(text: pa.Array) -> Stamps:
    """Take the event's own time where it names its zone, else the time of the syslog header."""
    event = pc.coalesce(
        unix_times(_value(text, "rt", "start", "end", "devTime")),
        iso_times(_zoned(_value(text, "\\w*utcTime"))),
    )
    header = stamps(text)
    observed = pc.coalesce(event, header.observed_at)
    local = pc.if_else(pc.is_valid(observed), pa.scalar(None, pa.timestamp("us")), header.local_at)
    return Stamps(observed, local, header.yearless)


def _zoned(cells: pa.Array) -> pa.Array:
    return pc.if_else(matches(cells, "Z$"), cells, pa.scalar(None, pa.string()))


SOURCE = Source("cef-traffic", Text("Firewall events in CEF or LEEF"), recognise, read)
