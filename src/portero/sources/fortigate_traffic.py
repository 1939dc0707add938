"""
FortiGate traffic log: ``key=value`` pairs, quoted or (before version 6) not.

Source: FortiOS log message reference, log id 0000000013 and its kin; reference data-formats section 13.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from portero.core.text import Text
from portero.sources.document import Document, Head, Item, Source
from portero.sources.log_lines import Stamps, filled, macs, part, stamps, unix_times, zoned
from portero.sources.mail_rows import integers
from portero.sources.session_rows import NO_ADDRESS, Columns, connections, verdicts

_MARKER = r'\btype="?traffic\b'


def recognise(head: Head) -> bool:
    """Tell by the keys that every traffic line has."""
    return re.search(r'\bdevid="?\w+[^\n]*\btype="?traffic"?[ ,][^\n]*\bsrcip=', head.text) is not None


def read(document: Document) -> Iterator[Item]:
    """Stream connections to mail ports, both the forwarded ones and those of the device itself."""
    return connections(document, SOURCE.id, _MARKER, _columns, _times)


def _value(text: pa.Array, key: str) -> pa.Array:
    """Give a key's value, between quotation marks or up to the next blank or comma."""
    quoted = part(text, rf'(?:^|[\s,>]){key}="(?P<v>[^"]*)"')
    return filled(pc.coalesce(quoted, part(text, rf'(?:^|[\s,>]){key}=(?P<v>[^\s",]+)')))


def _columns(text: pa.Array) -> Columns:
    # Without trandisp, or with zeros, the log does not say whether there was a translation.
    way, address = _value(text, "trandisp"), _value(text, "transip")
    address = pc.if_else(pc.is_in(address, NO_ADDRESS), pa.scalar(None, pa.string()), address)
    source_nat = pc.is_in(way, pa.array(["snat", "snat+dnat"]))
    egress = pc.if_else(source_nat, address, pc.if_else(pc.equal(way, "noop"), "", None))
    action = _value(text, "action")
    return {
        "client_ip": _value(text, "srcip"),
        "client_name": _value(text, "srcname"),
        "client_mac": macs(pc.coalesce(_value(text, "srcmac"), _value(text, "mastersrcmac"))),
        "egress_ip": egress,
        "server_ip": _value(text, "dstip"),
        "server_name": pc.coalesce(_value(text, "hostname"), _value(text, "dstname")),
        "server_port": integers(pc.coalesce(_value(text, "dstport"), "0")),
        # "deny" is blocked and "start" opened; anything else says that it was allowed and how it ended.
        "verdict": pc.if_else(pc.is_null(action), None, pc.coalesce(verdicts(action), "opened")),
        "sessions": pa.repeat(pa.scalar(1, pa.int64()), len(text)),
        "octets": integers(_value(text, "sentbyte")),
    }


def _times(text: pa.Array) -> Stamps:
    """Take the exact time since 1970 first, then date and time with the zone, which older versions leave out."""
    exact = unix_times(_value(text, "eventtime"))
    local = pc.binary_join_element_wise(_value(text, "date"), _value(text, "time"), "T")
    zone = part(_value(text, "tz"), r"(?P<v>[+-]\d\d:?\d\d)")
    written, header = zoned(local, zone), stamps(text)
    observed = pc.coalesce(exact, written.observed_at, header.observed_at)
    clock = pc.coalesce(written.local_at, header.local_at)
    return Stamps(observed, pc.if_else(pc.is_valid(observed), pa.scalar(None, pa.timestamp("us")), clock))


SOURCE = Source("fortigate-traffic", Text("FortiGate traffic log"), recognise, read)
