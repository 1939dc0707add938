"""Leases of ISC Kea: the memfile's CSV of either family, or the answer of ``lease4-get-all`` as JSON. Times are UTC."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from portero.core.evidence import Gap, Origin
from portero.core.text import Text
from portero.sources.csv_rows import Rows, csv_rows, plain
from portero.sources.document import Document, Head, Item, Source
from portero.sources.log_lines import filled, macs, unix_times
from portero.sources.session_rows import host_batch
from portero.sources.text import utf8_blocks
from portero.sources.zeek_rows import whole_numbers

_FIELDS = {
    "address": ("address", "ip-address"),
    "mac": ("hwaddr", "hw-address"),
    "name": ("hostname",),
    "expire": ("expire",),
    "cltt": ("cltt",),
    "lifetime": ("valid_lifetime", "valid-lft"),
    "state": ("state",),
    "comment": ("user_context",),
}
_ANSWER_OCTETS = 256 << 20  # an answer is one JSON value and is read whole


def recognise(head: Head) -> bool:
    """Tell by the names that only Kea uses together."""
    if head.keys:
        return {"ip-address", "valid-lft"} <= head.keys and "leases" in head.keys
    return {"address", "validlifetime", "expire", "subnetid"} <= {plain(name) for name in head.columns}


def read(document: Document) -> Iterator[Item]:
    """Stream one statement for each lease that is or was given; state 1 (declined) is none. Source: Kea ARM, memfile."""
    for block in _answer(document) if document.head.keys else csv_rows(document, _FIELDS):
        if isinstance(block, Gap):
            yield block
            continue
        nothing = pa.nulls(len(block.lines), pa.string())
        kept = pc.invert(pc.fill_null(pc.equal(block.cells.get("state", nothing), "1"), False))
        lines = block.lines.filter(kept)
        cells = {name: column.filter(kept) for name, column in block.cells.items()}
        nothing = pa.nulls(len(lines), pa.string())
        until = unix_times(cells.get("expire", nothing))
        lifetime = whole_numbers(cells.get("lifetime", nothing))
        start = unix_times(cells.get("cltt", nothing))
        # A lifetime of 4294967295 seconds is for ever and says nothing about the start.
        finite = pc.if_else(pc.less(lifetime, 4_294_967_295), lifetime, pa.scalar(None, pa.int64()))
        length = pc.multiply(finite, 1_000_000).cast(pa.duration("us"))
        yield host_batch(
            SOURCE.id,
            lines,
            {
                "observed_at": pc.coalesce(start, pc.subtract(until, length)),
                "until_at": pc.coalesce(until, pc.add(start, length)),
                "address": filled(cells.get("address", nothing)),
                "mac": macs(cells.get("mac", nothing)),
                "name": pc.ascii_rtrim(filled(cells.get("name", nothing)), "."),
            },
        )


def _answer(document: Document) -> Iterator[Rows | Gap]:
    """Read the answer to a command: a list of answers, or one, with ``arguments.leases``."""
    text = bytearray()
    for block in utf8_blocks(document.open(), document.head.encoding):
        text += block
        if len(text) > _ANSWER_OCTETS:
            yield Gap(
                Origin(document.name), Text("The answer is too large. Hand over the lease file instead.")
            )
            return
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        yield Gap(Origin(document.name), Text("The JSON text is cut or damaged. Export the leases again."))
        return
    leases = [
        lease
        for answer in (value if isinstance(value, list) else [value])
        if isinstance(answer, dict)
        for lease in _leases(answer)
    ]
    cells = {
        field: pa.array(
            [_text(next((each[n] for n in names if n in each), None)) for each in leases], pa.string()
        )
        for field, names in _FIELDS.items()
    }
    yield Rows(pa.arange(1, len(leases) + 1), cells)


def _leases(answer: dict[str, object]) -> list[dict[str, object]]:
    held = answer.get("arguments", answer)
    found = held.get("leases") if isinstance(held, dict) else None
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def _text(value: object) -> str | None:
    return None if value is None else str(value).encode("utf-8", "replace").decode()


SOURCE = Source("kea-leases", Text("ISC Kea leases"), recognise, read)
