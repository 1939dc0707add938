"""
Flow records: nfdump's CSV of both generations, its JSON, and collectors' CSV or JSON by the names of NetFlow and IPFIX.

nfdump prints times by the clock of the computer that ran it. Sampled flows undercount. Sources: nfdump(1); RFC 7012.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from portero.core.evidence import Gap
from portero.core.text import Text
from portero.sources.csv_rows import plain
from portero.sources.document import Document, Head, Item, Source
from portero.sources.json_rows import rows
from portero.sources.log_lines import Lines, filled, log_lines, notes, unix_times, zoned
from portero.sources.session_rows import NO_ADDRESS, session_batch, to_mail_port
from portero.sources.zeek_rows import undated, whole_numbers

_FIELDS = {
    "first": (
        *(
            "ts",
            "firstSeen",
            "first",
            "t_first",
            "flowStartMilliseconds",
            "flowStartSeconds",
            "FIRST_SWITCHED",
        ),
        *("start", "flow_start", "timestamp", "time_flow_start_ns", "timeReceived", "start_time"),
    ),
    "client": (
        *("sa", "srcAddr", "src4_addr", "src6_addr", "IPV4_SRC_ADDR", "IPV6_SRC_ADDR", "sourceIPv4Address"),
        *("sourceIPv6Address", "src_addr", "src_ip", "source_ip", "saddr"),
    ),
    "server": (
        *(
            "da",
            "dstAddr",
            "dst4_addr",
            "dst6_addr",
            "IPV4_DST_ADDR",
            "IPV6_DST_ADDR",
            "destinationIPv4Address",
        ),
        *("destinationIPv6Address", "dst_addr", "dst_ip", "dest_ip", "destination_ip", "daddr"),
    ),
    "nat": (
        "src4_xlt_ip",
        "nsa",
        "postNATSourceIPv4Address",
        "XLATE_SRC_ADDR_IPV4",
        "postNATSourceIPv6Address",
    ),
    "port": (
        *("dp", "dstPort", "dst_port", "L4_DST_PORT", "destinationTransportPort", "dest_port", "dport"),
        "destination_port",
    ),
    "protocol": ("pr", "proto", "PROTOCOL", "protocolIdentifier", "protocol"),
    "octets": ("ibyt", "bytes", "in_bytes", "IN_BYTES", "octetDeltaCount", "octetTotalCount", "bytes_in"),
    "flows": ("flows", "aggr_flows"),
    "mac": ("in_src_mac", "sourceMacAddress", "IN_SRC_MAC", "ismc"),
}
_RAW = re.compile(r"^Flow Record:\s*$", re.MULTILINE)
_RAW_NAMES = dict(
    pair.split("=")
    for pair in [
        "first=first",
        "src addr=client",
        "dst addr=server",
        "dst port=port",
        "proto=protocol",
        "in bytes=octets",
        "src xlt ip=nat",
        "in src mac=mac",
        "aggr flows=flows",
    ]
)


def recognise(head: Head) -> bool:
    """Tell by both addresses, the port and the protocol; or by nfdump's raw form."""
    if not head.columns and not head.keys:
        return _RAW.search(head.text) is not None and "RecordCount" in head.text
    names = {plain(name) for name in head.columns or head.keys}
    wanted = ("first", "client", "server", "port", "protocol", "octets")
    return all(not names.isdisjoint(plain(alias) for alias in _FIELDS[field]) for field in wanted)


def read(document: Document) -> Iterator[Item]:
    """Stream flows to mail ports."""
    other, dateless, local = 0, 0, False
    for block in _raw(document) if _RAW.search(document.head.text) else rows(document, _FIELDS):
        if isinstance(block, Gap):
            yield block
            continue
        lines, cells = block.lines, block.cells
        nothing = pa.nulls(len(lines), pa.string())
        protocol = pc.ascii_lower(pc.ascii_trim_whitespace(cells.get("protocol", nothing)))
        tcp = pc.fill_null(pc.is_in(protocol, pa.array(["tcp", "6"])), False)
        ports: pa.Array = whole_numbers(pc.ascii_trim_whitespace(cells.get("port", nothing)))
        client = filled(pc.ascii_trim_whitespace(cells.get("client", nothing)))
        kept = pc.and_(pc.and_(to_mail_port(ports), tcp), pc.is_valid(client))
        other += len(kept) - (pc.sum(kept).as_py() or 0)
        lines = lines.filter(kept)
        if not len(lines):
            continue
        cells = {name: pc.ascii_trim_whitespace(column).filter(kept) for name, column in cells.items()}
        nothing = pa.nulls(len(lines), pa.string())
        moments, clock = _times(cells.get("first", nothing))
        local = local or clock.null_count < len(clock)
        dateless += pc.sum(pc.and_(pc.is_null(moments), pc.is_null(clock))).as_py() or 0
        nat = filled(cells.get("nat", nothing))
        same = pc.or_(pc.fill_null(pc.equal(nat, client.filter(kept)), False), _zeros(nat))
        flows = pc.coalesce(whole_numbers(cells.get("flows", nothing)), pa.scalar(1, pa.int64()))
        yield session_batch(
            SOURCE.id,
            lines,
            {
                "observed_at": moments,
                "local_at": clock,
                "client_ip": client.filter(kept),
                "client_mac": _mac(cells.get("mac", nothing)),
                "egress_ip": pc.if_else(same, "", nat),
                "server_ip": filled(cells.get("server", nothing)),
                "server_port": ports.filter(kept),
                "sessions": pc.max_element_wise(flows, pa.scalar(1, pa.int64())),
                "octets": whole_numbers(cells.get("octets", nothing)),
            },
        )
    yield from undated(document.name, dateless)
    yield from notes(0, local, other)


def _zeros(cells: pa.Array) -> pa.Array:
    return pc.is_in(cells, NO_ADDRESS)


def _mac(cells: pa.Array) -> pa.Array:
    known = pc.and_(pc.is_valid(cells), pc.not_equal(cells, "00:00:00:00:00:00"))
    return pc.if_else(pc.fill_null(known, False), cells, pa.scalar(None, pa.string()))


def _times(cells: pa.Array) -> tuple[pa.Array, pa.Array]:
    """Give UTC times, and times by the computer's own clock where no zone is written."""
    exact = unix_times(cells)
    text = pc.replace_substring(cells, " ", "T")
    zone = pc.struct_field(pc.extract_regex(text, r"\d(?P<v>Z|[+-]\d\d:?\d\d)$"), "v")
    when = zoned(pc.replace_substring_regex(text, r"(Z|[+-]\d\d:?\d\d)$", ""), zone)
    none = pa.scalar(None, pa.timestamp("us"))
    return pc.coalesce(exact, when.observed_at), pc.if_else(pc.is_valid(exact), none, when.local_at)


class _Raw:
    """One block of records of the raw form, as `rows` gives them."""

    def __init__(self, lines: list[int], records: list[dict[str, str]]) -> None:
        self.lines = pa.array(lines, pa.int64())
        names = set().union(*records)
        self.cells = {name: pa.array([each.get(name) for each in records], pa.string()) for name in names}


def _raw(document: Document) -> Iterator[_Raw | Gap]:
    """Read nfdump -o raw: one ``name = value`` a line, a record behind each "Flow Record:"."""
    lines: list[int] = []
    records: list[dict[str, str]] = []
    for block in log_lines(document):
        if isinstance(block, Gap):
            yield block
            continue
        for number, name, value in _pairs(block):
            if name == "Flow Record":
                if len(records) >= 8192:
                    yield _Raw(lines, records)
                    lines, records = [], []
                lines.append(number)
                records.append({})
            elif records and (field := _RAW_NAMES.get(name)):
                records[-1].setdefault(field, value)
    if records:
        yield _Raw(lines, records)


def _pairs(block: Lines) -> Iterator[tuple[int, str, str]]:
    """Give the lines that matter: a record's start, and its wanted fields, of several words the first."""
    parts = pc.extract_regex(
        block.text, r"^(?P<start>Flow Record):|^\s+(?P<name>[a-z][a-z0-9 ]*?)\s*=\s*(?P<value>\S+)"
    )
    for number, part in zip(block.numbers.to_pylist(), parts.to_pylist(), strict=True):
        if part is not None:
            yield number, part["start"] or part["name"], part["value"]


SOURCE = Source("netflow", Text("Flow records (NetFlow, IPFIX, nfdump)"), recognise, read)
