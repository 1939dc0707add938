"""DHCP server's syslog: ``DHCPACK`` of ISC dhcpd, OpenBSD's and dnsmasq, with the device's hardware address and name."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow.compute as pc

from portero.core.evidence import Gap, Origin
from portero.core.text import Text
from portero.sources.document import Document, Head, Item, Source
from portero.sources.log_lines import filled, log_lines, macs, notes, stamps, starts_with_time
from portero.sources.session_rows import UNREADABLE, host_batch

_MESSAGES = r"DHCP(DISCOVER|OFFER|REQUEST|ACK|NAK|INFORM|RELEASE)\b"
_ACK = (
    r"\bDHCPACK on (?P<address>[0-9.]+) to (?P<mac>[0-9A-Fa-f:]{17})(?: \((?P<name>[^)]*)\))?"
    r"|\bDHCPACK\([^)]*\) (?P<address2>[0-9.]+) (?P<mac2>[0-9A-Fa-f:]{17})(?: (?P<name2>\S+))?"
    r"|\bDHCPACK to (?P<address3>[0-9.]+) \((?P<mac3>[0-9A-Fa-f:]{17})\)"
)
_NAMED = 20


def recognise(head: Head) -> bool:
    """Tell by a server's message behind a time."""
    # Most documents lack the words, and looking for them costs little.
    return ("dhcpd[" in head.text or "dnsmasq" in head.text) and starts_with_time(
        head.text, rf"\b(dhcpd|dnsmasq-dhcp|dnsmasq)\[\d+\]: (\d+ )?{_MESSAGES}"
    )


def read(document: Document) -> Iterator[Item]:
    """Stream what was acknowledged; the other messages do not say that a device has an address."""
    other, yearless, local, unread = 0, 0, False, 0
    for block in log_lines(document):
        if isinstance(block, Gap):
            yield block
            continue
        acks = block.filter(pc.match_substring_regex(block.text, r"\bDHCPACK\b"))
        other += (pc.sum(pc.greater(pc.binary_length(block.text), 0)).as_py() or 0) - len(acks.numbers)
        cells = pc.extract_regex(acks.text, _ACK)
        known = pc.is_valid(cells)
        for line in acks.numbers.filter(pc.invert(known)).to_pylist()[: max(0, _NAMED - unread)]:
            unread += 1
            yield Gap(Origin(document.name, line), UNREADABLE)
        rows, cells = acks.filter(known), cells.filter(known)
        if not len(rows.numbers):
            continue
        address, mac = (
            pc.coalesce(*(filled(pc.struct_field(cells, f"{name}{n}")) for n in ("", "2", "3")))
            for name in ("address", "mac")
        )
        name = pc.coalesce(*(filled(pc.struct_field(cells, f"name{n}")) for n in ("", "2")))
        when = stamps(rows.text)
        yearless += when.yearless
        local = local or when.local_at.null_count < len(when.local_at)
        yield host_batch(
            SOURCE.id,
            rows.numbers,
            {
                "observed_at": when.observed_at,
                "local_at": when.local_at,
                "address": address,
                "mac": macs(mac),
                "name": name,
            },
        )
    yield from notes(yearless, local, other)


SOURCE = Source("dhcp-log", Text("DHCP server log (dhcpd, dnsmasq)"), recognise, read)
