"""
Windows DHCP audit log (``DhcpSrvLog-Mon.log``): a long preamble, then one event a line, MM/DD/YY in local time.

Source: Microsoft, "DHCP server audit log"; events 10 (new), 11 (renewed), 20 (BOOTP) say that a device has an address.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from portero.core.evidence import Gap, Origin
from portero.core.text import Text
from portero.sources.csv_rows import plain
from portero.sources.document import Document, Head, Item, Source
from portero.sources.log_lines import Lines, filled, log_lines, macs, matches, notes
from portero.sources.mail_rows import iso_times
from portero.sources.session_rows import UNREADABLE, host_batch

_HEADING = re.compile(r"^ID,\s*Date,\s*Time,.*MAC", re.MULTILINE)
_GIVEN = r"^(10|11|20),"
_NAMED = 20


def recognise(head: Head) -> bool:
    """Tell by the heading below the preamble; the preamble's language follows Windows."""
    return _HEADING.search(head.text) is not None


def read(document: Document) -> Iterator[Item]:
    """Stream the events that give an address."""
    found = re.search(_HEADING.pattern + r"[^\r\n]*", document.head.text, re.MULTILINE)
    names = [plain(name) for name in found[0].split(",")] if found else []
    other, unread, dated = 0, 0, False
    for block in log_lines(document):
        if isinstance(block, Gap):
            yield block
            continue
        given = block.filter(matches(block.text, _GIVEN))
        other += (pc.sum(matches(block.text, r"^\d{2,},")).as_py() or 0) - len(given.numbers)
        if not len(given.numbers):
            continue
        cells = _cells(given, names)
        sound = matches(cells["address"], r"^[0-9.]{7,15}$")
        for line in given.numbers.filter(pc.invert(sound)).to_pylist()[: max(0, _NAMED - unread)]:
            unread += 1
            yield Gap(Origin(document.name, line), UNREADABLE)
        moments = _times(cells["date"], cells["time"])
        dated = dated or moments.null_count < len(moments)
        yield host_batch(
            SOURCE.id,
            given.numbers.filter(sound),
            {
                "local_at": moments.filter(sound),
                "address": cells["address"].filter(sound),
                "mac": macs(cells["mac"].filter(sound)),
                "name": pc.ascii_rtrim(filled(cells["name"].filter(sound)), "."),
                "maker": filled(cells["maker"].filter(sound)),
            },
        )
    yield from notes(0, dated, other)


def _cells(block: Lines, names: list[str]) -> dict[str, pa.Array]:
    """Split the events by their heading; a quoted cell keeps its commas."""
    places = {
        field: next((names.index(alias) for alias in aliases if alias in names), None)
        for field, aliases in {
            "date": ("date",),
            "time": ("time",),
            "address": ("ipaddress",),
            "name": ("hostname",),
            "mac": ("macaddress",),
            "maker": ("vendorclassascii",),
        }.items()
    }
    lines = block.text.to_pylist()
    split = [next(csv.reader([line]), []) if '"' in line else line.split(",") for line in lines]
    return {
        field: pa.array(
            [row[place].strip() if place is not None and place < len(row) else "" for row in split],
            pa.string(),
        )
        for field, place in places.items()
    }


def _times(date: pa.Array, time: pa.Array) -> pa.Array:
    parts = pc.extract_regex(date, r"^(?P<month>\d\d)/(?P<day>\d\d)/(?P<year>\d\d(?:\d\d)?)$")
    year = pc.struct_field(parts, "year")
    year = pc.if_else(pc.equal(pc.utf8_length(year), 2), pc.binary_join_element_wise("20", year, ""), year)
    day = pc.binary_join_element_wise(
        year, pc.struct_field(parts, "month"), pc.struct_field(parts, "day"), "-"
    )
    return iso_times(pc.binary_join_element_wise(day, time, "T"))


SOURCE = Source("windows-dhcp-log", Text("Windows DHCP audit log"), recognise, read)
