"""
Maps from addresses to networks that a user has: iptoasn.com, MaxMind's and others' CSV, answers of Team Cymru in bulk.

They name networks in the inventory and judge nobody. Reverse names are DNS answers, which `dns_answers` reads.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import ip_network

from portero.core.evidence import Gap, Origin
from portero.core.network_names import network_map, packed
from portero.core.text import Text, count
from portero.sources.csv_rows import csv_rows, plain
from portero.sources.document import Counted, Document, Head, Item, Note, Source
from portero.sources.log_lines import log_lines

_IP = r"[0-9A-Fa-f.:]{3,45}"
# iptoasn.com: first and last address, number, country, name. https://iptoasn.com, 2026-11-24.
_RANGES = re.compile(rf"^({_IP})\t({_IP})\t(\d{{1,10}})\t[^\t]*\t(.*)$", re.MULTILINE)
# whois.cymru.com: number, address, in verbose answers prefix, country, registry and date, and the name. 2026-11-24.
_CYMRU = re.compile(rf"^(\d{{1,10}}|NA) *\| *({_IP}) *\|(?:(?:[^|\n]*\|){{4}})? *([^|\n]*)$", re.MULTILINE)
_CYMRU_HEADS = ("Bulk mode; whois.cymru.com", "AS ")
_FIELDS = {
    "network": ("network",),
    "first": ("start_ip", "ip_range_start", "ip_from"),
    "last": ("end_ip", "ip_range_end", "ip_to"),
    "number": ("autonomous_system_number", "asn", "as_number"),
    "name": ("autonomous_system_organization", "as_name", "asn_name", "as_organization"),
}
_MOST = 4_000_000  # ranges; the whole internet is a tenth of it
_Range = tuple[bytes, bytes, str]


def recognise(head: Head) -> bool:
    """Tell by a heading that pairs networks with numbers, or by lines that do."""
    names = {plain(name) for name in head.columns}
    if _bound(names, "number") and (_bound(names, "network") or _bound(names, "first")):
        return True
    start = head.text[:4096].lstrip()
    return _RANGES.match(start) is not None or (
        (start.startswith(_CYMRU_HEADS) or _CYMRU.match(start) is not None) and bool(_CYMRU.search(start))
    )


def _bound(names: set[str], field: str) -> bool:
    return any(plain(name) in names for name in _FIELDS[field])


def read(document: Document) -> Iterator[Item]:
    """Give the map, and how many ranges it has; what cannot be read is a Gap. Ranges that nobody announces are left out."""
    held: list[_Range] = []
    bad, first_bad, cut = 0, None, False
    for line, found in _rows(document):
        if isinstance(found, Gap):
            yield found
            continue
        if len(held) >= _MOST:
            cut = True
            break
        try:
            if each := _range(*found):
                held.append(each)
        except ValueError:
            bad, first_bad = bad + 1, first_bad or line
    if cut:
        reason = Text("The map has more than {n} ranges; the rest was not read.", n=_MOST)
        yield Gap(Origin(document.name), reason)
    if bad:
        one = "{n} line of the map cannot be read."
        many = "{n} lines of the map cannot be read."
        yield Gap(Origin(document.name, first_bad), count(one, many, bad), bad)
    yield network_map(held, Origin(document.name))
    yield Counted(len(held))
    yield Note(Text("It names the networks that addresses lie in; no judgement rests on it."))


def _rows(document: Document) -> Iterator[tuple[int | None, tuple[str, str, str, str] | Gap]]:
    """Give each line's number, and its first address or network, last address or nothing, number and name."""
    names = {plain(name) for name in document.head.columns}
    if _bound(names, "number"):
        for block in csv_rows(document, _FIELDS):
            if isinstance(block, Gap):
                yield None, block
                continue
            nothing = [""] * len(block.lines)
            columns = {
                name: [each or "" for each in block.cells[name].to_pylist()]
                if name in block.cells
                else nothing
                for name in _FIELDS
            }
            starts = columns["network"] if "network" in block.cells else columns["first"]
            yield from zip(
                block.lines.to_pylist(),
                zip(starts, columns["last"], columns["number"], columns["name"], strict=True),
                strict=True,
            )
        return
    for lines in log_lines(document):
        if isinstance(lines, Gap):
            yield None, lines
            continue
        for number, text in zip(lines.numbers.to_pylist(), lines.text.to_pylist(), strict=True):
            if found := _RANGES.match(text):
                yield number, (found[1], found[2], found[3], found[4])
            elif found := _CYMRU.match(text):
                yield number, (found[2], found[2], found[1], found[3])
            elif text.strip() and not text.startswith((*_CYMRU_HEADS, "Error: ")):
                yield number, ("", "", "", "")


def _range(first: str, last: str, number: str, name: str) -> _Range | None:
    """
    Read a range; None where no system announces it.

    Raises ValueError for what is no range.
    """
    if "/" in first:
        network = ip_network(first.strip(), strict=False)
        start, end = packed(str(network[0])), packed(str(network[-1]))
    else:
        start, end = packed(first.strip()), packed((last or first).strip())
    if start is None or end is None or start > end:
        raise ValueError(first)
    plain_number = number.strip().upper().removeprefix("AS")
    if plain_number in {"", "0", "NA"}:
        return None
    if not plain_number.isdecimal():
        raise ValueError(number)
    return start, end, f"AS{plain_number} {name.strip()[:200]}".rstrip()


SOURCE = Source("network-map", Text("Map of networks (autonomous systems)"), recognise, read)
