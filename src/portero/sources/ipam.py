"""Address plans: CSV of Infoblox, NetBox, phpIPAM or a spreadsheet, bound by what its columns are called and hold."""

from __future__ import annotations

import csv
import io
import ipaddress
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from portero.core.evidence import Gap
from portero.core.text import Text
from portero.sources.csv_rows import csv_rows, plain
from portero.sources.document import Document, Head, Item, Source
from portero.sources.log_lines import filled, macs, matches, notes
from portero.sources.session_rows import host_batch

_FIELDS = {
    "address": (
        *(
            "ip",
            "address",
            "ip_address",
            "ip addr",
            "ipaddr",
            "ip address",
            "ipv4",
            "ipv4 address",
            "ipv6 address",
        ),
        *(
            "host address",
            "address*",
            "dirección ip",
            "direccion ip",
            "dirección",
            "primary ip",
            "primary_ip4",
        ),
    ),
    "name": (
        *(
            "hostname",
            "host name",
            "dns_name",
            "dns name",
            "fqdn",
            "name",
            "host",
            "device",
            "device name",
            "equipo",
        ),
        *("nombre", "nombre de host", "assigned object", "computer name", "asset name"),
    ),
    "mac": (
        *(
            "mac",
            "mac_address",
            "mac address",
            "hwaddr",
            "hw address",
            "hardware address",
            "ethernet address",
        ),
        *("dirección mac", "direccion mac", "mac addr"),
    ),
    "maker": (
        "manufacturer",
        "vendor",
        "make",
        "fabricante",
        "model",
        "modelo",
        "device type",
        "type",
        "tipo",
    ),
    "remark": (
        "description",
        "comment",
        "comments",
        "note",
        "notes",
        "descripción",
        "descripcion",
        "comentario",
    ),
    "owner": (
        "owner",
        "site",
        "tenant",
        "location",
        "customer",
        "propietario",
        "sede",
        "ubicación",
        "ubicacion",
    ),
}
# Columns of tables that hold addresses of connections, mail or people rather than of hosts.
_FOREIGN = {
    *(
        "sender",
        "senderaddress",
        "recipient",
        "recipientaddress",
        "subject",
        "timestamp",
        "port",
        "sourceport",
    ),
    *(
        "protocol",
        "proto",
        "action",
        "scopeid",
        "addressstate",
        "validlifetime",
        "clientip",
        "bytes",
        "headerfrom",
    ),
    *("destinationport", "spf", "dkim", "dmarc", "userprincipalname", "username", "eventtime", "msgid"),
}


def recognise(head: Head) -> bool:
    """Tell by a column of addresses and one of names or hardware addresses, and an address in the first record."""
    names = [plain(name) for name in head.columns]
    found = {field: _place(names, field) for field in ("address", "name", "mac")}
    place = found["address"]
    if place is None or (found["name"] is None and found["mac"] is None) or not _FOREIGN.isdisjoint(names):
        return False
    lines = (line for line in head.text.splitlines()[1:200] if line.strip() and not line.startswith("#"))
    records = csv.reader(io.StringIO("\n".join(lines)), delimiter=head.delimiter)
    try:
        values = [
            record[place].strip()
            for record, _ in zip(records, range(20), strict=False)
            if place < len(record)
        ]
    except csv.Error:
        return False
    return any(_is_address(value) for value in values)


def _place(names: list[str], field: str) -> int | None:
    return next((names.index(plain(alias)) for alias in _FIELDS[field] if plain(alias) in names), None)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_interface(text)
    except ValueError:
        return False
    return True


def read(document: Document) -> Iterator[Item]:
    """Stream the rows that have an address; a mask behind it (``10.0.0.5/24``) is cut off. Several rows may share one."""
    other = 0
    for block in csv_rows(document, _FIELDS):
        if isinstance(block, Gap):
            yield block
            continue
        nothing = pa.nulls(len(block.lines), pa.string())
        address = pc.replace_substring_regex(
            pc.ascii_trim_whitespace(block.cells.get("address", nothing)), r"/\d{1,3}$", ""
        )
        held = matches(address, r"^(\d{1,3}(\.\d{1,3}){3}|[0-9a-fA-F:.]*:[0-9a-fA-F:.]*)$")
        lines = block.lines.filter(held)
        other += len(held) - len(lines)
        cells = {
            name: pc.utf8_trim_whitespace(pc.coalesce(column, "")).filter(held)
            for name, column in block.cells.items()
        }
        nothing = pa.nulls(len(lines), pa.string())
        columns = {field: filled(cells.get(field, nothing)) for field in ("name", "maker", "remark", "owner")}
        yield host_batch(
            SOURCE.id,
            lines,
            {**columns, "address": address.filter(held), "mac": macs(cells.get("mac", nothing))},
        )
    yield from notes(0, local=False, other=other)


SOURCE = Source("ipam", Text("Address plan or inventory of hosts (IPAM)"), recognise, read)
