"""CSV records: cells, lines and broken records are the same however the document falls into blocks."""

from __future__ import annotations

import csv
import io
from unittest.mock import patch

from hypothesis import example, given
from hypothesis import strategies as some

from portero.core.evidence import Gap
from portero.core.evidence_rows import texts
from portero.sources import csv_rows as csv_rows_module
from portero.sources.csv_rows import csv_rows
from portero.sources.document import Document
from portero.sources.head import head_of

_FIELDS = {"a": ("A",), "b": ("B",), "c": ("C",)}
_CELL = some.text(alphabet='x;,"\n é', max_size=6) | some.sampled_from(
    ["", "plain", "plain", "System.String[]"]
)
_Record = tuple[str, str, str]


def _read(text: str, repeated: frozenset[str], octets: int) -> tuple[list[tuple[object, ...]], list[Gap]]:
    raw = text.encode()
    document = Document("t.csv", head_of(raw), lambda: io.BytesIO(raw), len(raw))
    found: list[tuple[object, ...]] = []
    gaps = []
    with patch.object(csv_rows_module, "_BLOCK_OCTETS", octets):
        for item in csv_rows(document, _FIELDS, repeated):
            if isinstance(item, Gap):
                gaps.append(item)
            else:
                columns = [texts(item.cells[name]).to_pylist() for name in _FIELDS]
                found += zip(item.lines.to_pylist(), *columns, strict=True)
    return found, gaps


def _written(records: list[_Record]) -> tuple[str, list[tuple[object, ...]]]:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n", quoting=csv.QUOTE_MINIMAL)
    out.write("A,B,C\r\n")
    expected: list[tuple[object, ...]] = []
    for record in records:
        line = out.getvalue().count("\n") + 1
        writer.writerow(record)
        if any(record):
            expected.append((line, *(None if cell == "System.String[]" else cell for cell in record)))
    return out.getvalue(), expected


@given(
    some.lists(some.tuples(_CELL, _CELL, _CELL), max_size=12),
    some.frozensets(some.sampled_from("abc")),
    some.integers(8, 60),
)
@example([("x", "y", "z"), ("x", "y", "one\ntwo\n"), ("x", "y", "z")], frozenset("a"), 16)
@example([("x", "y", "z"), ("x", "y", "\n"), ("", "", "")], frozenset("abc"), 8)
def test_blocks_of_any_size_give_every_record_with_its_line(
    records: list[_Record], repeated: frozenset[str], octets: int
) -> None:
    text, expected = _written(records)
    found, gaps = _read(text, repeated, octets)
    assert found == expected
    assert not [gap for gap in gaps if gap.origin.line is None]


@given(some.integers(8, 40))
def test_a_broken_record_is_named_in_whatever_block_it_stands(octets: int) -> None:
    text = 'A,B,C\nx,y,z\nx,y\n"one\ntwo",y,z\nx,y,z\n'
    found, gaps = _read(text, frozenset("b"), octets)
    assert found == [(2, "x", "y", "z"), (4, "one\ntwo", "y", "z"), (6, "x", "y", "z")]
    assert [gap.origin.line for gap in gaps] == [3]
