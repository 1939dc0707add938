"""Get-DhcpServerv4Lease and its reservations, exported to CSV or JSON: who holds which address now."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from portero.core.evidence import Gap
from portero.core.text import Text
from portero.sources.csv_rows import plain
from portero.sources.document import Document, Head, Item, Source
from portero.sources.json_rows import rows
from portero.sources.log_lines import filled, macs, matches, notes
from portero.sources.session_rows import host_batch

_FIELDS = {
    "address": ("IPAddress",),
    "mac": ("ClientId",),
    "name": ("HostName", "Name"),
    "state": ("AddressState",),
    "remark": ("Description",),
}


def recognise(head: Head) -> bool:
    """Tell by the properties that only a lease or a reservation has."""
    return {"ipaddress", "scopeid", "clientid"} <= {plain(name) for name in head.columns or head.keys}


def read(document: Document) -> Iterator[Item]:
    """
    Stream the leases that are held; the export does not say since when.

    Source: Microsoft, Get-DhcpServerv4Lease; AddressState is Active, Declined, Expired or a reservation's form of them.
    """
    other = 0
    for block in rows(document, _FIELDS):
        if isinstance(block, Gap):
            yield block
            continue
        nothing = pa.nulls(len(block.lines), pa.string())
        state = pc.coalesce(block.cells.get("state", nothing), "Active")
        address = pc.coalesce(block.cells.get("address", nothing), "")
        # JSON shows an address object where the script did not turn it into text.
        address = pc.coalesce(
            pc.struct_field(pc.extract_regex(address, r'"IPAddressToString": ?"(?P<v>[^"]*)"'), "v"), address
        )
        held = pc.and_(
            matches(state, "(?i)^(active|activereservation|0|1)$"), matches(address, r"^[0-9a-fA-F.:]{3,45}$")
        )
        lines = block.lines.filter(held)
        other += len(held) - len(lines)
        cells = {name: column.filter(held) for name, column in block.cells.items()}
        nothing = pa.nulls(len(lines), pa.string())
        yield host_batch(
            SOURCE.id,
            lines,
            {
                "address": address.filter(held),
                "mac": macs(cells.get("mac", nothing)),
                "name": pc.ascii_rtrim(filled(cells.get("name", nothing)), "."),
                "remark": filled(cells.get("remark", nothing)),
            },
        )
    yield from notes(0, local=False, other=other)


SOURCE = Source("windows-dhcp-leases", Text("Windows DHCP leases (Get-DhcpServerv4Lease)"), recognise, read)
