"""Zeek logs as columns: tab-separated with their own heading lines, or JSON with dotted keys."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import pyarrow as pa
import pyarrow.compute as pc

from portero.core.evidence import Gap, Origin
from portero.core.text import count
from portero.sources.csv_rows import Rows
from portero.sources.document import Document, Head
from portero.sources.json_rows import json_rows
from portero.sources.log_lines import Lines, log_lines, unix_times
from portero.sources.mail_rows import iso_times


def is_zeek(head: Head, path: str, fields: frozenset[str]) -> bool:
    """Tell whether a head is of Zeek's log of this path, with these fields; JSON logs seldom name their path."""
    if head.keys:
        return fields <= head.keys
    named = re.search(r"^#path[ \t\\x09]+(\S+)", head.text, re.MULTILINE)
    heading = re.search(r"^#fields(.+)$", head.text, re.MULTILINE)
    if heading is None:
        return False
    found = set(re.split(r"[\t,; |]", heading[1].strip()))
    return fields <= found and (named is None or named[1] == path)


def zeek_rows(document: Document, fields: Mapping[str, tuple[str, ...]]) -> Iterator[Rows | Gap]:
    """
    Stream the wanted fields of a Zeek log; an unset field is null and an empty one ``""``.

    fields:  field name -> Zeek's names, first that is there wins. A field that the log lacks is absent.
    Source: Zeek's ASCII writer: ``#separator``, ``#unset_field``, ``#empty_field``, escapes ``\\xNN``.
    """
    if document.head.keys:
        yield from json_rows(document, fields)
        return
    reader = _Reader(document.name)
    for block in log_lines(document):
        if isinstance(block, Gap):
            yield block
        else:
            yield from reader.read(block, fields)
    yield from reader.rest()


class _Reader:
    """Reads blocks of lines under the heading that was last met; concatenated logs have several."""

    def __init__(self, name: str) -> None:
        self.name, self.names = name, tuple[str, ...]()
        self.separator, self.unset, self.empty = "\t", "-", "(empty)"
        self.broken = 0

    def read(self, block: Lines, fields: Mapping[str, tuple[str, ...]]) -> Iterator[Rows | Gap]:
        written = pc.greater(pc.binary_length(block.text), 0)
        block = block.filter(written)
        heads = pc.starts_with(block.text, "#")
        places = (
            [index for index, head in enumerate(heads.to_pylist()) if head] if pc.any(heads).as_py() else []
        )
        start = 0
        for place in [*places, len(block.text)]:
            if place > start and self.names:
                yield from self._rows(
                    Lines(block.numbers.slice(start, place - start), block.text.slice(start, place - start)),
                    fields,
                )
            elif place > start:
                self.broken += place - start
            if place < len(block.text):
                self._heading(block.text[place].as_py())
            start = place + 1

    def rest(self) -> Iterator[Gap]:
        """Count the records that could not be read."""
        if self.broken:
            one = "{n} line has another number of cells than the log's heading and was not read."
            many = "{n} lines have another number of cells than the log's heading and were not read."
            yield Gap(Origin(self.name), count(one, many, self.broken), self.broken)

    def _heading(self, line: str) -> None:
        word, _, value = line.partition(self.separator)
        if line.startswith("#separator"):
            self.separator = _unescaped(re.split(r"[ \t]+", line, maxsplit=1)[-1]) or "\t"
        elif word == "#fields":
            self.names = tuple(value.split(self.separator))
        elif word == "#unset_field":
            self.unset = value
        elif word == "#empty_field":
            self.empty = value

    def _rows(self, block: Lines, fields: Mapping[str, tuple[str, ...]]) -> Iterator[Rows]:
        cells = pc.split_pattern(block.text, self.separator)
        sound = pc.equal(pc.list_value_length(cells), len(self.names))
        self.broken += len(block.text) - (pc.sum(sound).as_py() or 0)
        cells, numbers = cells.filter(sound), block.numbers.filter(sound)
        if not len(numbers):
            return
        found = {}
        for field, names in fields.items():
            place = next((self.names.index(name) for name in names if name in self.names), None)
            if place is not None:
                found[field] = self._column(pc.list_element(cells, place))
        yield Rows(numbers, found)

    def _column(self, cells: pa.Array) -> pa.Array:
        cells = pc.if_else(pc.equal(cells, self.unset), pa.scalar(None, pa.string()), cells)
        cells = pc.if_else(pc.equal(cells, self.empty), "", cells)
        if not pc.any(pc.match_substring(cells, "\\x")).as_py():
            return cells
        return pa.array(
            [None if text is None else _unescaped(text) for text in cells.to_pylist()], pa.string()
        )


def _unescaped(text: str) -> str:
    r"""Undo ``\xNN``; octets that are no UTF-8 become U+FFFD."""
    raw = re.sub(
        rb"\\x([0-9A-Fa-f]{2})", lambda found: bytes([int(found[1], 16)]), text.encode("utf-8", "replace")
    )
    return raw.decode("utf-8", "replace")


def zeek_times(cells: pa.Array) -> pa.Array:
    """Read ``ts``: seconds since 1970, or ISO 8601 where the JSON writer was set to that; else null."""
    return pc.coalesce(unix_times(cells), iso_times(cells))


def undated(name: str, number: int) -> Iterator[Gap]:
    """Count the rows whose time cannot be read."""
    if number:
        one, many = "{n} row has no time that can be read.", "{n} rows have no time that can be read."
        yield Gap(Origin(name), count(one, many, number), number)


def listed(cells: pa.Array | None) -> pa.Array | None:
    """Give a set of mailboxes, JSON or joined by commas, joined by ``;``, without angle brackets and quotes."""
    if cells is None:
        return None
    return pc.replace_substring_regex(pc.replace_substring_regex(cells, r'[\[\]"<> ]', ""), ",", ";")


def first_mailbox(cells: pa.Array | None) -> pa.Array | None:
    """Give the mailbox of a header or envelope value: what stands in angle brackets, else the first word."""
    if cells is None:
        return None
    bracketed = pc.struct_field(pc.extract_regex(cells, r"<(?P<v>[^<>]*)>"), "v")
    return pc.coalesce(
        bracketed, pc.struct_field(pc.extract_regex(cells, r"(?P<v>[^\s<>,;\"]*@[^\s<>,;\"]*)"), "v")
    )


def whole_numbers(cells: pa.Array | None) -> pa.Array | None:
    """Give whole numbers; anything else is null."""
    if cells is None:
        return None
    regular = pc.fill_null(pc.match_substring_regex(cells, r"^\d{1,18}$"), False)
    return pc.if_else(regular, cells, pa.scalar(None, pa.string())).cast(pa.int64())
