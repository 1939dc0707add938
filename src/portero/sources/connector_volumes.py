"""Inbound and outbound messages reports of the admin centre: mail by connector and TLS version, in sums."""

from __future__ import annotations

from collections.abc import Iterator

from portero.core.evidence import Gap, Origin
from portero.core.text import Text, count
from portero.sources.csv_rows import plain
from portero.sources.document import Document, Head, Item, Note, Source
from portero.sources.report_cells import COUNTED_ONLY, Cells, Sums, whole

_COLUMNS = {
    "time": ("Date", "Date (UTC)"),
    "connector": ("Connector direction and name", "Connector name", "Connector"),
    "direction": ("Connector direction", "Direction"),
    "kind": ("Connector type",),
    "plain": ("No TLS",),
    "volume": ("Volume", "Message count", "Count"),
}


def recognise(head: Head) -> bool:
    """Tell by a volume beside TLS versions and a connector."""
    names = {plain(name) for name in head.columns}
    return (
        "notls" in names
        and bool(names & {"volume", "messagecount", "count"})
        and any(name.startswith("connector") for name in names)
    )


def read(document: Document) -> Iterator[Item]:
    """Say how much mail each connector carried, and how much of it without TLS."""
    cells, all_, without = Cells(document, _COLUMNS), Sums(), Sums()
    for found in cells.rows():
        if isinstance(found, Gap):
            yield found
            continue
        line, row = found
        number = whole(row["volume"])
        if number is None:
            yield Gap(Origin(document.name, line), Text("The row's volume is no number."))
            continue
        group = (" ".join(filter(None, (row["direction"], row["connector"], row["kind"])))[:300] or "?",)
        all_.add(group, number)
        without.add(group, whole(row["plain"]) or 0)
    bare = dict(without.largest())
    for key, number in all_.largest():
        one = "Connector {connector}: {n} mail, {bare} of them without TLS."
        many = "Connector {connector}: {n} mails, {bare} of them without TLS."
        yield Note(count(one, many, number, connector=key[0], bare=bare.get(key, 0)))
    yield from all_.rest()
    yield cells.counted()
    yield Note(COUNTED_ONLY)


SOURCE = Source("connector-volumes", Text("Inbound and outbound messages report"), recognise, read)
