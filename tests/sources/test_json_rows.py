"""JSON records: every wrapping, bounded memory, and broken records that are named."""

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portero.core.evidence import Gap
from portero.core.limits import LIMITS
from portero.sources.document import Document
from portero.sources.head import head_of
from portero.sources.json_rows import json_rows

FIELDS = {"a": ("A",), "b": ("B", "Bee")}


def read(text: str, table=""):
    raw = text.encode()
    document = Document("t.json", head_of(raw), lambda: io.BytesIO(raw), len(raw))
    found, gaps = [], []
    for item in json_rows(document, FIELDS, table):
        if isinstance(item, Gap):
            gaps.append(item)
        else:
            cells = [item.cells.get(name, [None] * len(item.lines)) for name in FIELDS]
            found += zip(item.lines.to_pylist(), *(map(str, column) for column in cells), strict=True)
    return found, gaps


@pytest.mark.parametrize(
    "text",
    [
        '[{"A":"x"},{"A":"y"}]',
        '[{"A":"x"}]\n[{"A":"y"}]',
        '{"A":"x"}\n{"A":"y"}\n',
        '{"@odata.context":"u","value":[{"A":"x"},{"A":"y"}],"@odata.nextLink":"n"}',
        '{"schema":[{"name":"A"}],"results":[{"A":"x"},{"A":"y"}]}',
        '{"records":[{"time":"t","properties":{"A":"x"}},{"properties":{"a":"y"}}]}',
        '{"value":[{"A":"x"}]}\n{"value":[{"A":"y"}]}',
    ],
)
def test_every_wrapping_gives_the_same_records(text):
    found, gaps = read(text)
    assert ([row[:2] for row in found], gaps) == ([(1, "x"), (2, "y")], [])


def test_null_is_an_empty_cell_and_absent_is_unknown():
    assert read('[{"A":null,"Bee":7},{"B":[1]}]')[0] == [(1, "", "7"), (2, "None", "[1]")]


def test_a_wrapper_longer_than_the_buffer_is_streamed():
    records = [{"A": str(number), "x": "y" * 1000} for number in range(6000)]
    text = json.dumps({"schema": [{"name": "A"}], "results": records, "after": {"A": "no"}})
    assert len(text) > LIMITS.record_octets
    found, gaps = read(text)
    assert ([row[1] for row in found], gaps) == ([str(number) for number in range(6000)], [])


def test_what_stands_before_a_cut_is_kept_and_the_cut_is_named():
    found, gaps = read('{"value":[{"A":"x"},{"A":"y"},{"A":"z')
    assert ([row[1] for row in found], [gap.origin.line for gap in gaps]) == (["x", "y"], [3])


def test_a_broken_line_costs_itself_only():
    found, gaps = read('{"A":"x"}\n{"A":oops}\n{"A":"z"}\n')
    assert ([row[:2] for row in found], [gap.origin.line for gap in gaps]) == ([(1, "x"), (3, "z")], [2])


@pytest.mark.parametrize("hostile", ["[" * 5000 + "{", '{"A":' * 5000, '{"A":' + "9" * 5000 + "}"])
def test_a_record_that_is_built_to_hurt_is_named(hostile):
    found, gaps = read('{"A":"x"}\n' + hostile + '\n{"A":"z"}\n')
    assert [row[1] for row in found] == ["x", "z"]
    assert len(gaps) == 1


def test_records_of_another_table_are_counted():
    text = '{"category":"AdvancedHunting-EmailEvents","properties":{"A":"x"}}\n'
    found, gaps = read(text + text.replace("EmailEvents", "EmailUrlInfo") * 3, table="EmailEvents")
    assert ([row[1] for row in found], [gap.count for gap in gaps]) == (["x"], [3])


def test_a_lone_surrogate_does_not_raise():
    assert read('{"A":"\\ud800"}')[0] == [(1, "?", "None")]


@given(st.text(alphabet='{}[]":,A x1\n\\', max_size=60))
def test_nothing_raises(text):
    read('{"A":"x"}' + text)
