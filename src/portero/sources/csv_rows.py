"""CSV as columns: streams delimited text in Arrow blocks with true physical line numbers, and names the broken records."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from portero.core.evidence import Gap, Origin
from portero.core.evidence_rows import texts
from portero.core.text import Text, count
from portero.sources.document import Document
from portero.sources.text import utf8_blocks

# Every compute call on a block costs the same again whatever its size, so blocks are large.
_BLOCK_OCTETS = 4 << 20
NAMED_GAPS = 20  # broken records named one by one; the others are counted together
CUTS = frozenset({1_000, 5_000, 10_000, 20_000, 50_000, 100_000})  # reference data-formats section 5
_CODED = pa.dictionary(pa.int32(), pa.string())
_TYPE = r"^System\.(\w+\[\]|Collections\.[\w.]+(`\d+\[.*\])?)$"


@dataclass(frozen=True, slots=True)
class Rows:
    """
    One block of records.

    lines:  int64, physical line of each record's start.
    cells:  field name -> strings, ``""`` where a cell is empty, null where the export wrote a type's name instead of
            the data; a field whose column the document lacks is absent. Of a field that was asked for as one of
            repeated texts, a dictionary array of strings.
    """

    lines: pa.Array
    cells: dict[str, pa.Array]


def plain(name: str) -> str:
    """Give a column's name in the form used to compare it: letters and digits only, lower case."""
    return re.sub(r"[\W_]+", "", name).casefold()


def heading(text: str) -> tuple[tuple[str, ...], str, int]:
    """Give the column names, the delimiter and the number of physical lines before the first record."""
    skipped = 0
    while text.startswith("#TYPE") or (text and text[0] in "\r\n"):
        _, _, text = text.partition("\n")
        skipped += 1
    first = text.partition("\n")[0].rstrip("\r")
    delimiter = max(",;\t", key=first.count)
    try:
        names = next(csv.reader(io.StringIO(first, newline=""), delimiter=delimiter), [])
    except csv.Error:
        # An endless cell: no heading of any export.
        return (), delimiter, skipped + 1
    return tuple(name.strip() for name in names), delimiter, skipped + 1


def csv_rows(
    document: Document, fields: Mapping[str, tuple[str, ...]], repeated: frozenset[str] = frozenset()
) -> Iterator[Rows | Gap]:
    """
    Stream the wanted fields of a CSV document.

    fields:    field name -> accepted column names, first match wins; compared by `plain`.
    repeated:  fields whose texts repeat; their cells come as dictionary arrays, so that a text is looked at once.
    Raises nothing for bad content: a record with a wrong number of cells becomes a Gap with its line.
    """
    blocks = utf8_blocks(document.open(), document.head.encoding, _BLOCK_OCTETS)
    buffer = next(blocks, b"")
    names, delimiter, preamble = heading(buffer[: 1 << 16].decode("utf-8", "replace"))
    for _ in range(preamble):
        buffer = buffer.partition(b"\n")[2]
    index = {plain(name): number for number, name in reversed(list(enumerate(names)))}
    found = {
        field: next((index[plain(a)] for a in aliases if plain(a) in index), None)
        for field, aliases in fields.items()
    }
    columns = {field: number for field, number in found.items() if number is not None}
    reader = _Blocks(document.name, len(names), delimiter, columns, repeated, preamble + 1)
    level = True
    for block in blocks:
        buffer += block
        if level:
            cut = buffer.rfind(b"\n") + 1
            if (rows := reader.level(buffer[:cut])) is not None:
                yield rows
                buffer = buffer[cut:]
                continue
            # In a document that has one record of several lines there are more.
            level = False
        cut = _boundary(buffer)
        # A quoted value that stays open for longer than this is taken for a broken record.
        if not cut and len(buffer) > document.limits.record_octets:
            cut = buffer.find(b"\n") + 1
        if cut:
            yield from reader.read(buffer[:cut])
            buffer = buffer[cut:]
    if buffer:
        if buffer.count(b'"') % 2:
            yield Gap(
                Origin(document.name, reader.line + buffer.count(b"\n", 0, buffer.rfind(b'"'))),
                Text(
                    "A quotation mark is opened and never closed: the file is cut or damaged. Export it again."
                ),
            )
        yield from reader.read(buffer)
    yield from reader.rest()


def _boundary(buffer: bytes) -> int:
    """Give the end of the last record that is complete: behind a newline with an even number of quotes before it."""
    end = buffer.rfind(b"\n") + 1
    odd = buffer.count(b'"', 0, end) % 2
    while end and odd:
        before = buffer.rfind(b"\n", 0, end - 1) + 1
        odd ^= buffer.count(b'"', before, end) % 2
        end = before
    return end


def _whole(column: pa.ChunkedArray) -> pa.Array:
    """Give a column as one array, without a copy where it is one."""
    return column.chunk(0) if column.num_chunks == 1 else pa.array(column, column.type)


def _without_blank_lines(rows: Rows) -> Rows:
    """Drop the records that are no more than an empty line."""
    # Most columns hold something in every record, and one that does settles it.
    first = next(iter(rows.cells.values()), None)
    if first is None or not pc.any(pc.equal(texts(first), "")).as_py():
        return rows
    filled = pa.array([False]).take(pa.array([0] * len(rows.lines)))
    for cells in rows.cells.values():
        filled = pc.or_(filled, pc.fill_null(pc.not_equal(texts(cells), ""), True))
    return Rows(
        rows.lines.filter(filled), {field: cells.filter(filled) for field, cells in rows.cells.items()}
    )


class _Blocks:
    """Parses blocks of whole records one after the other and keeps the physical line."""

    def __init__(
        self,
        name: str,
        width: int,
        delimiter: str,
        found: dict[str, int],
        repeated: frozenset[str],
        line: int,
    ) -> None:
        self.name, self.width, self.delimiter, self.found, self.line = name, width, delimiter, found, line
        self.repeated = repeated
        self.broken = 0
        # By field, the first line whose cell the export lost, and how many there are.
        self.lost: dict[str, tuple[int, int]] = {}
        self.names = [str(number) for number in range(width)]
        coded = {str(found[field]) for field in repeated if field in found}
        self.types = {name: _CODED if name in coded else pa.string() for name in self.names}

    def level(self, block: bytes) -> Rows | None:
        """
        Parse a block that ends with a line; None where it is not for certain that every line of it is a record.

        Where there are as many records as lines, none goes over several lines, unless the last one is open.
        """
        newlines = block.count(b"\n")
        if not newlines or block.count(b'"', block.rfind(b"\n", 0, -1) + 1) % 2:
            return None
        invalid: list[tuple[int, str, int]] = []
        try:
            table = self._parse(block, invalid, self._wanted, self.types)
        except pa.ArrowInvalid:
            return None
        if invalid or table.num_rows != newlines:
            return None
        return self._rows(table, pa.arange(self.line, self.line + newlines), newlines)

    def read(self, block: bytes) -> Iterator[Rows | Gap]:
        """Parse one block; rows first, then its broken records."""
        invalid: list[tuple[int, str, int]] = []
        newlines = block.count(b"\n") + (not block.endswith(b"\n"))
        plain_types = dict.fromkeys(self.names, pa.string())
        try:
            table = self._parse(block, invalid, self._wanted, plain_types)
            simple = table.num_rows == newlines and not invalid
            if not simple:  # the line breaks of every column are needed to number the records
                invalid.clear()
                table = self._parse(block, invalid, self.names, plain_types)
        except pa.ArrowInvalid:
            reason = Text("These lines are no CSV that can be read. Export the file again.")
            yield Gap(Origin(self.name, self.line), reason, newlines)
            self.line += newlines
            return
        lines, broken_lines = self._lines(table, invalid, simple)
        rows = self._rows(table, lines, newlines)
        if table.num_rows:
            yield rows
        for line, (_, text, width) in zip(broken_lines, invalid, strict=True):
            if text.strip():
                self.broken += 1
                if self.broken <= NAMED_GAPS:
                    yield self._gap(line, width)

    @property
    def _wanted(self) -> list[str]:
        return [str(number) for number in self.found.values()]

    def _rows(self, table: pa.Table, lines: pa.Array, newlines: int) -> Rows:
        """Give the wanted cells of a parsed block, and go on to the line behind it."""
        self.line += newlines
        whole = {field: _whole(table.column(str(number))) for field, number in self.found.items()}
        cells = {field: self._without_types(field, held, lines) for field, held in whole.items()}
        rows = _without_blank_lines(Rows(lines, cells))
        coded = {
            field: held if pa.types.is_dictionary(held.type) else held.dictionary_encode()
            for field, held in rows.cells.items()
            if field in self.repeated
        }
        return Rows(rows.lines, rows.cells | coded)

    def rest(self) -> Iterator[Gap]:
        """Count the broken records beyond those that were named, and the cells whose data the export lost."""
        for field, (line, n) in self.lost.items():
            one = "{n} cell of {column} holds a type's name instead of data. Export again and join lists with -join ';'."
            many = "{n} cells of {column} hold a type's name instead of data. Export again and join lists with -join ';'."
            yield Gap(Origin(self.name, line), count(one, many, n, column=field), n)
        if self.broken > NAMED_GAPS:
            n = self.broken - NAMED_GAPS
            one, many = (
                "{n} more record has a wrong number of cells.",
                "{n} more records have a wrong number of cells.",
            )
            yield Gap(Origin(self.name), count(one, many, n), n)

    def _without_types(self, field: str, cells: pa.Array, lines: pa.Array) -> pa.Array:
        """Make ``System.String[]`` and its kind unknown: Export-Csv writes it for a list that was not joined."""
        different = cells.dictionary if pa.types.is_dictionary(cells.type) else cells
        if not pc.any(pc.starts_with(different, "System.")).as_py():
            return cells
        cells = texts(cells)
        lost = pc.match_substring_regex(cells, _TYPE)
        if n := pc.sum(lost).as_py():
            line, before = self.lost.get(field) or (lines.filter(lost)[0].as_py(), 0)
            self.lost[field] = (line, before + n)
        return pc.if_else(lost, pa.scalar(None, pa.string()), cells)

    def _gap(self, line: int, width: int) -> Gap:
        reason = Text(
            "The record has {found} cells where the heading has {expected}. Correct the line, or export the file again.",
            found=width,
            expected=self.width,
        )
        return Gap(Origin(self.name, line), reason)

    def _parse(
        self,
        block: bytes,
        invalid: list[tuple[int, str, int]],
        columns: list[str],
        types: dict[str, pa.DataType],
    ) -> pa.Table:
        """Parse a block; its broken records (number, text, width) are added to ``invalid``."""

        def set_aside(row: pyarrow.csv.InvalidRow) -> str:
            invalid.append((row.number or 0, row.text, row.actual_columns))
            return "skip"

        return pyarrow.csv.read_csv(
            pa.BufferReader(block),
            read_options=pyarrow.csv.ReadOptions(
                column_names=self.names, use_threads=False, block_size=len(block) + 1
            ),
            parse_options=pyarrow.csv.ParseOptions(
                delimiter=self.delimiter,
                newlines_in_values=True,
                ignore_empty_lines=False,
                invalid_row_handler=set_aside,
            ),
            convert_options=pyarrow.csv.ConvertOptions(
                check_utf8=False,  # utf8_blocks gives valid UTF-8 only
                column_types=types,
                strings_can_be_null=False,
                include_columns=columns or self.names,
            ),
        )

    def _lines(
        self, table: pa.Table, invalid: list[tuple[int, str, int]], simple: bool
    ) -> tuple[pa.Array, list[int]]:
        """Number the records: one line each, and one more for every line break inside a cell."""
        rows = table.num_rows
        if simple:
            return pa.arange(self.line, self.line + rows), []
        heights: pa.Array = pa.array([1], pa.int64()).take(pa.array([0] * rows, pa.int64()))
        for column in table.columns:
            heights = pc.add(heights, pc.cast(pc.count_substring(_whole(column), "\n"), pa.int64()))
        pieces, broken, start, line = [], [], 0, self.line
        for order, (number, text, _) in enumerate([*invalid, (0, "", 0)]):
            stop = number - 1 - order if order < len(invalid) else rows
            piece = heights.slice(start, max(0, stop - start))
            if len(piece):
                ends = pc.cumulative_sum(piece)
                pieces.append(pc.add(pc.subtract(ends, piece), line))
                line += ends[-1].as_py()
            if order < len(invalid):
                broken.append(line)
                line += 1 + text.rstrip("\r\n").count("\n")
            start = max(start, stop)
        return pa.concat_arrays(pieces) if pieces else pa.array([], pa.int64()), broken
