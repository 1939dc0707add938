"""
pfSense and OPNsense filter log: cells by position behind ``filterlog``, in either syslog form.

Source: the raw filter log format in the pfSense documentation; an OPNsense tracker is a hash and stands where it does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from portero.core.text import Text
from portero.sources.document import Document, Head, Item, Source
from portero.sources.log_lines import matches
from portero.sources.session_rows import Columns, connections, verdicts

_MARKER = r"\bfilterlog(\[\d+\]: |: | +\d+ - )"
_START = r"filterlog(?:\[\d+\]:|:| +\d+ - \S+) (?:[^,]*,){4}(?P<interface>[^,]*),[^,]*,(?P<action>[^,]*),(?P<way>[^,]*)"
# Behind the version: IPv4 has tos, ecn, ttl, id, offset, flags, protocol id, protocol; IPv6 class, flow, hops, protocol, id.
_FOUR = (
    _START
    + r",4,(?:[^,]*,){7}(?P<protocol>[^,]*),[^,]*,(?P<client>[^,]*),(?P<server>[^,]*),(?P<sport>\d*),(?P<port>\d*)"
)
_SIX = (
    _START
    + r",6,(?:[^,]*,){3}(?P<protocol>[^,]*),[^,]*,[^,]*,(?P<client>[^,]*),(?P<server>[^,]*),(?P<sport>\d*),(?P<port>\d*)"
)


def recognise(head: Head) -> bool:
    """Tell by the program's name and the cells behind it."""
    form = r"\bfilterlog(\[\d+\]:|:| +\d+ - \S+) \d*,[^,\n]*,[^,\n]*,\w*,[^,\n]+,\w+(-\w+)?,\w+,(in|out|in/out),[46],"
    return re.search(form, head.text) is not None


def read(document: Document) -> Iterator[Item]:
    """Stream connections to mail ports; passed ones are there only when the rule logs them."""
    return connections(document, SOURCE.id, _MARKER, _columns)


def _columns(text: pa.Array) -> Columns:
    four, six = pc.extract_regex(text, _FOUR), pc.extract_regex(text, _SIX)

    def field(name: str) -> pa.Array:
        return pc.coalesce(pc.struct_field(four, name), pc.struct_field(six, name))

    # UDP and ICMP lines have other cells here; they are no mail and get a port that is none.
    tcp = pc.equal(pc.ascii_lower(field("protocol")), "tcp")
    port = pc.if_else(matches(field("port"), r"^\d{1,5}$"), field("port"), "0")
    return {
        "client_ip": pc.if_else(tcp, field("client"), "-"),
        "server_ip": field("server"),
        "server_port": pc.if_else(tcp, port, "0").cast(pa.int64()),
        "verdict": verdicts(field("action")),
        "sessions": pa.repeat(pa.scalar(1, pa.int64()), len(text)),
    }


SOURCE = Source("filterlog", Text("pfSense or OPNsense filter log"), recognise, read)
