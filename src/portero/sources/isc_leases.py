"""
Lease file of ISC dhcpd and of OpenBSD's: blocks of statements; a later block of the same address wins.

Times are UTC, as calendar dates or ``epoch N``. Source: dhcpd.leases(5).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime

import pyarrow as pa

from portero.core.evidence import Gap, Origin
from portero.core.text import Text
from portero.sources.document import Batch, Document, Head, Item, Source
from portero.sources.log_lines import log_lines, macs
from portero.sources.session_rows import host_batch

_OPEN = re.compile(r"^\s*(?:lease|iaaddr)\s+(?P<address>[0-9A-Fa-f.:]+)\s*\{")
_TIME = re.compile(
    r"^\s*(?P<name>starts|ends|cltt)\s+(?:\d\s+(?P<date>\d{4}/\d\d?/\d\d?\s+\d\d?:\d\d:\d\d)|epoch\s+(?P<epoch>\d{1,11}))"
)
_MAC = re.compile(r"^\s*hardware ethernet\s+(?P<mac>[0-9A-Fa-f:]+)\s*;")
_NAME = re.compile(r'^\s*client-hostname\s+"(?P<name>[^"]*)"')
_CLASS = re.compile(r'^\s*(?:set\s+)?vendor-class-identifier\s*=?\s*"(?P<text>[^"]*)"')
_IAAS = re.compile(r"^\s*ia-(?:na|ta)\s")
_CLTT = re.compile(r"^\s*cltt\s")
_ROWS = 8192
_Lease = dict[str, object]


def recognise(head: Head) -> bool:
    """Tell by a block of a lease, of either family."""
    return re.search(r"^\s*(lease [0-9.]+ \{|ia-(na|ta|pd) \")", head.text, re.MULTILINE) is not None


def read(document: Document) -> Iterator[Item]:
    """Stream one statement for each block; delegated prefixes name no host and are left out."""
    lease: _Lease | None = None
    started: datetime | None = None
    found: list[_Lease] = []
    for block in log_lines(document):
        if isinstance(block, Gap):
            yield block
            continue
        for number, line in zip(block.numbers.to_pylist(), block.text.to_pylist(), strict=True):
            if opened := _OPEN.match(line):
                lease = {"line": number, "address": opened["address"], "from": started}
            elif lease is not None and line.strip() == "}":
                found.append(lease)
                lease = None
            elif lease is not None:
                _statement(line, lease)
            elif _IAAS.match(line):
                started = None
            elif _CLTT.match(line):
                started = _moment(line)
        if len(found) >= _ROWS:
            yield _batch(found)
            found = []
    if lease is not None:
        reason = Text("The last lease is cut off: the file is incomplete. Copy it again.")
        yield Gap(Origin(document.name, int(str(lease["line"]))), reason)
    if found:
        yield _batch(found)


def _statement(line: str, lease: _Lease) -> None:
    if held := _TIME.match(line):
        if held["name"] == "starts" or (held["name"] == "cltt" and lease["from"] is None):
            lease["from"] = _moment(line)
        elif held["name"] == "ends":
            lease["until"] = _moment(line)
    elif held := _MAC.match(line):
        lease["mac"] = held["mac"]
    elif held := _NAME.match(line):
        lease["name"] = held["name"] or None
    elif held := _CLASS.match(line):
        lease["maker"] = held["text"] or None


def _moment(line: str) -> datetime | None:
    """Read a statement's time as UTC; one that no calendar has, and ``never``, are None."""
    held = _TIME.match(line)
    if held is None:
        return None
    try:
        if held["epoch"]:
            return datetime.fromtimestamp(int(held["epoch"]), UTC).replace(tzinfo=None)
        return datetime.strptime(" ".join(held["date"].split()), "%Y/%m/%d %H:%M:%S")  # noqa: DTZ007 - UTC without zone
    except (ValueError, OverflowError, OSError):
        return None


def _batch(found: list[_Lease]) -> Batch:
    def column(name: str, kind: pa.DataType) -> pa.Array:
        return pa.array([each.get(name) for each in found], kind)

    return host_batch(
        SOURCE.id,
        column("line", pa.int64()),
        {
            "observed_at": column("from", pa.timestamp("us")),
            "until_at": column("until", pa.timestamp("us")),
            "address": column("address", pa.string()),
            "mac": macs(column("mac", pa.string())),
            "name": column("name", pa.string()),
            "maker": column("maker", pa.string()),
        },
    )


SOURCE = Source("isc-leases", Text("ISC dhcpd lease file"), recognise, read)
