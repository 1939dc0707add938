"""
Packet logs of Linux and of routers built on it: netfilter (``SRC= DST= DPT=``), UniFi, Proxmox, and MikroTik.

Source: netfilter's LOG target; MikroTik's firewall log (``src:port->dst:port``); reference data-formats section 13.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from portero.core.text import Text
from portero.sources.document import Document, Head, Item, Source
from portero.sources.log_lines import macs, matches, part
from portero.sources.session_rows import Columns, connections

_NETFILTER = r"\bIN=\S* .*\bSRC=\S+ DST=\S+ .*\bPROTO=\S+"
_MIKROTIK = r"\bfirewall,\w+ .*\bproto \w+.*->"
_ENDS = r"(?P<client>\[[0-9A-Fa-f:.]+\]|[0-9.]+):(?P<sport>\d+)->(?P<server>\[[0-9A-Fa-f:.]+\]|[0-9.]+):(?P<port>\d+)"
# The administrator words the prefix; what it usually says of the decision.
_NO = r"(?i)(\b|[-_\[])(drop|dropped|reject|rejected|deny|denied|block|blocked|-d-|ufw block)(\b|[-_\]: ])|-D-\d"
_YES = r"(?i)(\b|[-_\[])(accept|accepted|allow|allowed|pass|permit)(\b|[-_\]: ])|-A-\d"


def recognise(head: Head) -> bool:
    """Tell by the cells of a packet, or by MikroTik's arrow between its ends."""
    return re.search(rf"{_NETFILTER}|{_MIKROTIK}", head.text) is not None


def read(document: Document) -> Iterator[Item]:
    """Stream packets to mail ports; rules usually log the first packet of a connection."""
    return connections(document, SOURCE.id, rf"{_NETFILTER}|{_MIKROTIK}", _columns)


def _columns(text: pa.Array) -> Columns:
    ends = pc.extract_regex(text, _ENDS)
    tcp = matches(text, r"\bPROTO=(TCP|6)\b|\bproto TCP\b")
    port = pc.coalesce(part(text, r"\bDPT=(?P<v>\d{1,5})\b"), pc.struct_field(ends, "port"))
    client = pc.coalesce(
        part(text, r"\bSRC=(?P<v>[0-9A-Fa-f.:]+)"), pc.ascii_trim(pc.struct_field(ends, "client"), "[]")
    )
    # netfilter's MAC= holds the destination's address, the source's, and the type.
    mac = pc.coalesce(
        part(text, r"\bMAC=(?:[0-9a-fA-F]{2}:){6}(?P<v>(?:[0-9a-fA-F]{2}:){5}[0-9a-fA-F]{2})"),
        part(text, r"\bsrc-mac (?P<v>[0-9A-Fa-f:]{17})"),
    )
    said = part(text, r"^(?P<v>.*?)(?:\bIN=|\bproto )")
    denied, opened = matches(said, _NO), matches(said, _YES)
    # A rule's wording that says both, or neither, says nothing.
    verdict = pc.if_else(
        pc.xor(denied, opened), pc.if_else(denied, "denied", "opened"), pa.scalar(None, pa.string())
    )
    return {
        "client_ip": pc.if_else(tcp, client, "-"),
        "client_mac": macs(mac),
        "server_ip": pc.coalesce(
            part(text, r"\bDST=(?P<v>[0-9A-Fa-f.:]+)"), pc.ascii_trim(pc.struct_field(ends, "server"), "[]")
        ),
        "server_port": pc.if_else(tcp, port, "0").cast(pa.int64()),
        "verdict": verdict,
        "sessions": pa.repeat(pa.scalar(1, pa.int64()), len(text)),
    }


SOURCE = Source("packet-log", Text("Packet log of iptables, UniFi or MikroTik"), recognise, read)
