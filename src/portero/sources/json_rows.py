"""JSON as columns: streams the records of any wrapping with bounded memory, and names what is broken."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping

import pyarrow as pa

from portero.core.evidence import Gap, Origin
from portero.core.text import Text, count
from portero.sources.csv_rows import NAMED_GAPS, Rows, csv_rows, plain
from portero.sources.document import Document
from portero.sources.text import HEAD_OCTETS, utf8_blocks

_BLOCK_RECORDS = 8192
_REMEMBERED_NAMES = 1000  # different property names, beyond which they are compared anew
_WRAPPERS = frozenset({"value", "results", "records"})
_WRAPPED = re.compile(rf'"({"|".join(sorted(_WRAPPERS))})"\s*:\s*\[', re.IGNORECASE)
_BETWEEN = (
    " \t\r\n,[]}\x1e\ufeff"  # what may stand between records: concatenated arrays, lines, text sequences
)
_FAULT = object()
_DECODER = json.JSONDecoder()
_Record = dict[str, object]


def rows(
    document: Document,
    fields: Mapping[str, tuple[str, ...]],
    table: str = "",
    repeated: frozenset[str] = frozenset(),
) -> Iterator[Rows | Gap]:
    """
    Stream the wanted fields of a document that is CSV or JSON; see `csv_rows` and `json_rows`.

    repeated:  fields whose texts repeat; from CSV their cells come as dictionary arrays.
    """
    return json_rows(document, fields, table) if document.head.keys else csv_rows(document, fields, repeated)


def json_rows(
    document: Document, fields: Mapping[str, tuple[str, ...]], table: str = ""
) -> Iterator[Rows | Gap]:
    """
    Stream the wanted fields of JSON records: one object, lines, arrays, ``value``, ``results``, ``records``.

    fields:  field name -> accepted property names, compared by `plain`.
    table:   for streamed hunting tables, the table that is wanted; records of another category are counted.
    Cells are text as in CSV: ``""`` is a null property, null is one that the record lacks; lists and objects are JSON.
    Raises nothing for bad content. Lines are the records' numbers.
    """
    scanner = _Scanner(document)
    wanted = {plain(alias): field for field, aliases in fields.items() for alias in aliases}
    names: dict[str, str | None] = {}
    lines: list[int] = []
    found: list[dict[str, str]] = []
    other = 0
    for item in scanner.records():
        if isinstance(item, Gap):
            yield item
            continue
        number, record = item
        cells = {} if _is_other(record, table) else _cells(record, wanted, names)
        if not cells:
            other += 1
            continue
        lines.append(number)
        found.append(cells)
        if len(found) == _BLOCK_RECORDS:
            yield _columns(lines, found, fields)
            lines, found = [], []
    if found:
        yield _columns(lines, found, fields)
    yield from scanner.rest()
    if other:
        one, many = "{n} record is of another kind.", "{n} records are of another kind."
        yield Gap(Origin(document.name), count(one, many, other), other)


def _is_other(record: _Record, table: str) -> bool:
    category = record.get("category")
    return bool(table) and isinstance(category, str) and not category.endswith(f"-{table}")


def _cells(record: _Record, wanted: dict[str, str], names: dict[str, str | None]) -> dict[str, str]:
    """Give a record's wanted properties as text; a streamed record keeps them in ``properties``."""
    inner = record.get("properties")
    cells: dict[str, str] = {}
    for name, value in (inner if isinstance(inner, dict) else record).items():
        if name in names:
            field = names[name]
        else:
            field = wanted.get(plain(name))
            if len(names) < _REMEMBERED_NAMES:
                names[name] = field
        if field is not None:
            cells.setdefault(field, _text(value))
    return cells


def _text(value: object) -> str:
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if text.isascii() else text.encode("utf-8", "replace").decode()  # a lone surrogate is no text


def _columns(lines: list[int], found: list[dict[str, str]], fields: Iterable[str]) -> Rows:
    present = set().union(*found)
    cells = {
        field: pa.array([record.get(field) for record in found], pa.string())
        for field in fields
        if field in present
    }
    return Rows(pa.array(lines, pa.int64()), cells)


class _Scanner:
    """Reads one record after the other from a buffer that grows only as far as the longest record may."""

    def __init__(self, document: Document) -> None:
        self.name, self.record_octets = document.name, document.limits.record_octets
        self.blocks = utf8_blocks(document.open(), document.head.encoding)
        self.buffer, self.at = "", 0
        self.number, self.broken = 0, 0

    def records(self) -> Iterator[tuple[int, _Record] | Gap]:
        """
        Give every record with its number, and a gap for the first few that are broken.

        A wrapper that is too long for the buffer, or cut, is stepped into: its other members are passed over and the
        elements of its list are met like any records.
        """
        while start := self._next():
            value = self._value()
            if isinstance(value, dict):
                yield from self._opened(value)
            elif start == "{" and _WRAPPED.search(self.buffer, self.at, self.at + HEAD_OCTETS):
                self.at += 1
            elif start == '"' and isinstance(value, str):
                self._pass_over(value)
            else:
                yield from self._fault()

    def rest(self) -> Iterator[Gap]:
        """Count the broken records beyond those that were named."""
        if self.broken > NAMED_GAPS:
            n = self.broken - NAMED_GAPS
            one, many = "{n} more record cannot be read.", "{n} more records cannot be read."
            yield Gap(Origin(self.name), count(one, many, n), n)

    def _opened(self, value: _Record) -> Iterator[tuple[int, _Record]]:
        """Open a wrapper that fits into the buffer as a whole."""
        inner = next((v for k, v in value.items() if k.lower() in _WRAPPERS and isinstance(v, list)), None)
        for each in [value] if inner is None else inner:
            self.number += 1
            yield self.number, each if isinstance(each, dict) else {}

    def _pass_over(self, member: str) -> None:
        """Pass over a member's value, unless it is the list of records."""
        if self._next(" \t\r\n:") != "[" or member.lower() not in _WRAPPERS:
            self._value()

    def _next(self, skipped: str = _BETWEEN) -> str:
        """Go to the next character that means something; ``""`` at the end."""
        while True:
            while self.at < len(self.buffer):
                if self.buffer[self.at] not in skipped:
                    return self.buffer[self.at]
                self.at += 1
            if not self._more():
                return ""

    def _more(self) -> bool:
        block = next(self.blocks, None)
        if block is None:
            return False
        self.buffer, self.at = self.buffer[self.at :] + block.decode("utf-8", "replace"), 0
        return True

    def _value(self) -> object:
        """Decode the value that starts here and go behind it; where none can be read stay, and give _FAULT."""
        while True:
            try:
                value, end = _DECODER.raw_decode(self.buffer, self.at)
            except RecursionError:
                return _FAULT
            except ValueError:
                if len(self.buffer) - self.at < self.record_octets and self._more():
                    continue
                return _FAULT
            if end - self.at > self.record_octets and isinstance(value, dict):
                return _FAULT
            self.at = end
            return value

    def _fault(self) -> Iterator[Gap]:
        """Name what cannot be read and go on behind the end of its line."""
        self.number += 1
        self.broken += 1
        if self.broken <= NAMED_GAPS:
            reason = Text(
                "This record cannot be read: it is cut, damaged, nested too deeply or too long. The rest of its line was"
                " skipped. Export the file again."
            )
            yield Gap(Origin(self.name, self.number), reason)
        while (end := self.buffer.find("\n", self.at)) < 0:
            self.at = len(self.buffer)
            if not self._more():
                return
        self.at = end + 1
