"""Zeek dhcp.log: leases seen on the wire, with the name that the device gave itself."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from portero.core.evidence import Gap
from portero.core.text import Text
from portero.sources.document import Document, Head, Item, Source
from portero.sources.log_lines import filled, macs, notes
from portero.sources.session_rows import NO_ADDRESS, host_batch
from portero.sources.zeek_rows import undated, zeek_rows, zeek_times

# Older logs have one row for each exchange and call the address assigned_ip.
_FIELDS = {
    "ts": ("ts",),
    "assigned": ("assigned_addr", "assigned_ip"),
    "client": ("client_addr", "id.orig_h"),
    "mac": ("mac",),
    "name": ("host_name", "client_fqdn"),
    "lease": ("lease_time",),
}


def recognise(head: Head) -> bool:
    """Tell by the hardware address beside an address that was assigned, asked for or used."""
    names = head.keys
    if not names:
        path = "#path\tdhcp" in head.text
        return path and "#fields\t" in head.text
    return {"ts", "mac"} <= names and bool(names & {"assigned_addr", "assigned_ip", "client_addr"})


def read(document: Document) -> Iterator[Item]:
    """Stream what says that a device had an address. Source: Zeek, base/protocols/dhcp."""
    other, dateless = 0, 0
    for block in zeek_rows(document, _FIELDS):
        if isinstance(block, Gap):
            yield block
            continue
        cells = block.cells
        nothing = pa.nulls(len(block.lines), pa.string())
        address = pc.coalesce(filled(cells.get("assigned", nothing)), filled(cells.get("client", nothing)))
        held = pc.and_(pc.is_valid(address), pc.invert(pc.is_in(address, NO_ADDRESS)))
        lines = block.lines.filter(held)
        other += len(block.lines) - len(lines)
        if not len(lines):
            continue
        moments = zeek_times(cells.get("ts", nothing)).filter(held)
        dateless += moments.null_count
        yield host_batch(
            SOURCE.id,
            lines,
            {
                "observed_at": moments,
                "address": address.filter(held),
                "mac": macs(cells.get("mac", nothing).filter(held)),
                "name": filled(cells.get("name", nothing).filter(held)),
            },
        )
    yield from undated(document.name, dateless)
    yield from notes(0, local=False, other=other)


SOURCE = Source("zeek-dhcp", Text("Zeek DHCP log (dhcp.log)"), recognise, read)
