"""
Cisco ASA and Firepower syslog: connections built, torn down, denied, or hit by an access list.

In ``Built outbound`` the first endpoint is the destination and in ``Built inbound`` it is the source; the endpoint in
brackets is the one after translation. Source: Cisco ASA syslog messages 302013, 302014, 106023, 106100.
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

_MARK = r"%(ASA|FTD|PIX)-([a-z]+-)?\d-"
_MARKER = rf"{_MARK}(302013|106023|106100|106001|106015)"
# interface:address/port, with the translated endpoint in brackets; a user may follow.
_END = r"[^\s:]+:(?P<{0}>[0-9A-Fa-f.:]+)/(?P<{0}port>\d+) \((?P<{0}nat>[^/)]+)/\d+\)"
_BUILT = rf"Built (?P<way>outbound|inbound) (?:Probe )?TCP connection \d+ for {_END.format('a')}(?: ?\([^)]*\))? to {_END.format('b')}"
_DENIED = r"(?i)Deny tcp src [^\s:]+:(?P<client>[0-9A-Fa-f.:]+)/(?P<sport>\d+)(?: ?\([^)]*\))? dst [^\s:]+:(?P<server>[0-9A-Fa-f.:]+)/(?P<port>\d+)"
_HIT = (
    r"access-list \S+ (?P<verdict>permitted|denied|est-allowed) tcp [^\s/]+/(?P<client>[0-9A-Fa-f.:]+)\(\d+\)(?: ?\([^)]*\))? -> "
    r"[^\s/]+/(?P<server>[0-9A-Fa-f.:]+)\((?P<port>\d+)\)(?: ?\([^)]*\))? hit-cnt (?P<hits>\d+)"
)


def recognise(head: Head) -> bool:
    """Tell by the mark of a message, at the start of a line or behind a syslog header."""
    # Most documents lack the mark, and looking for it costs little.
    return (
        any(mark in head.text for mark in ("%ASA-", "%FTD-", "%PIX-"))
        and re.search(
            r"^(?!log \d)[^\n=]{0,160}?%(ASA|FTD|PIX)-([a-z]+-)?\d-\d{6}: ", head.text, re.MULTILINE
        )
        is not None
    )


def read(document: Document) -> Iterator[Item]:
    """Stream connections to mail ports; a teardown repeats its connection and is passed over."""
    return connections(document, SOURCE.id, _MARKER, _columns)


def _columns(text: pa.Array) -> Columns:
    built, denied, hit = (pc.extract_regex(text, form) for form in (_BUILT, _DENIED, _HIT))
    out = pc.equal(pc.struct_field(built, "way"), "outbound")

    def of_built(first: str, second: str) -> pa.Array:
        return pc.if_else(out, pc.struct_field(built, first), pc.struct_field(built, second))

    client_built, nat = of_built("b", "a"), of_built("bnat", "anat")
    port = pc.coalesce(
        of_built("aport", "bport"), pc.struct_field(denied, "port"), pc.struct_field(hit, "port")
    )
    # UDP, ICMP and inter-firewall lines are no mail: they are given a port that is none.
    tcp = matches(text, r"(?i)\btcp\b")
    words = pc.struct_field(hit, "verdict")
    verdict = pc.coalesce(
        pc.if_else(pc.is_valid(built), "opened", pa.scalar(None, pa.string())),
        pc.if_else(pc.is_valid(denied), "denied", pa.scalar(None, pa.string())),
        verdicts(words),
    )
    client = pc.coalesce(client_built, pc.struct_field(denied, "client"), pc.struct_field(hit, "client"))
    return {
        "client_ip": pc.if_else(tcp, client, "-"),
        "egress_ip": pc.if_else(pc.equal(nat, client_built), "", nat),
        "server_ip": pc.coalesce(
            of_built("a", "b"), pc.struct_field(denied, "server"), pc.struct_field(hit, "server")
        ),
        "server_port": pc.if_else(tcp, port, "0").cast(pa.int64()),
        "verdict": verdict,
        "sessions": pc.coalesce(pc.struct_field(hit, "hits"), "1").cast(pa.int64()),
    }


SOURCE = Source("cisco-asa", Text("Cisco ASA or Firepower log"), recognise, read)
