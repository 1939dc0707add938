"""Log lines: their numbers, their lengths, and what their times do and do not say."""

import io
from datetime import UTC, datetime

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from portero.core.evidence import Gap
from portero.sources.document import Document
from portero.sources.head import head_of
from portero.sources.log_lines import LINE_OCTETS, log_lines, macs, stamps, unix_times

NOW = datetime(2026, 1, 2, 12, tzinfo=UTC)


def lines(raw: bytes):
    items = list(log_lines(Document("t", head_of(raw), lambda: io.BytesIO(raw), len(raw))))
    blocks = [item for item in items if not isinstance(item, Gap)]
    found = [pair for b in blocks for pair in zip(b.numbers.to_pylist(), b.text.to_pylist(), strict=True)]
    return found, [item for item in items if isinstance(item, Gap)]


def test_lines_keep_their_numbers_over_blocks():
    raw = b"".join(b"%d x\r\n" % n for n in range(1, 300_001))
    found, gaps = lines(raw)
    assert all(text == f"{number} x" for number, text in found)
    assert (len(found), gaps) == (300_000, [])


def test_an_endless_line_is_named_and_costs_no_memory():
    found, gaps = lines(b"a\n" + b"x" * (5 << 20) + b"\nb\n")
    assert [text for _, text in found if text] == ["a", "b"]
    assert [(gap.origin.line, gap.count) for gap in gaps] == [(2, 1)]
    assert {text: number for number, text in found}["b"] == 3
    assert LINE_OCTETS < 5 << 20


@pytest.mark.parametrize(
    ("line", "utc", "local"),
    [
        ("2026-05-31T00:00:18.676257+02:00 gw x", "2026-05-30 22:00:18.676257", None),
        ("<134>1 2025-11-06T11:32:42Z host x", "2025-11-06 11:32:42", None),
        ("2025-11-06 11:32:42 x", None, "2025-11-06 11:32:42"),
        ("2025/11/06 11:32:42,123 x", None, "2025-11-06 11:32:42.123000"),
        ("Apr  5 2013 09:36:50: %ASA", None, "2013-04-05 09:36:50"),
        ("Apr 15 2014 09:34:34 UTC: %ASA", "2014-04-15 09:34:34", None),
        ("Apr 15 2014 09:34:34 EDT: %ASA", None, "2014-04-15 09:34:34"),
        ("0 3 X 20/Jun/2022:13:09:14 +0200 policy", "2022-06-20 11:09:14", None),
        ("Feb 30 10:00:00 host x", None, None),
        ("<190>Dec 31 23:59:59 host x", None, "2025-12-31 23:59:59"),
        ("Jan  2 11:00:00 host x", None, "2026-01-02 11:00:00"),
        ("Jan  4 11:00:00 host x", None, "2025-01-04 11:00:00"),
        ("Feb 29 11:00:00 host x", None, "2024-02-29 11:00:00"),
        ("nothing here", None, None),
    ],
)
def test_a_time_is_utc_or_the_logs_own_clock_or_unknown(line, utc, local):
    found = stamps(pa.array([line]), NOW)
    said = [
        None if cell[0].as_py() is None else str(cell[0].as_py())
        for cell in (found.observed_at, found.local_at)
    ]
    assert said == [utc, local]


def test_lines_of_two_forms_are_read_together():
    found = stamps(pa.array(["2026-01-01T00:00:00Z a", "Jan  1 00:00:00 b"]), NOW)
    assert (found.observed_at.null_count, found.local_at.null_count, found.yearless) == (1, 1, 1)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("1575414483.749103", "2019-12-03 23:08:03.749103"),
        ("1575414483", "2019-12-03 23:08:03"),
        ("1575414483749", "2019-12-03 23:08:03.749000"),
        ("1575414483749103000", "2019-12-03 23:08:03.749103"),
        ("XXXXXXXXXX.XXXXXX", "None"),
        ("-1", "None"),
        ("", "None"),
    ],
)
def test_seconds_since_1970_in_any_unit(text, moment):
    assert str(unix_times(pa.array([text]))[0].as_py()) == moment


def test_hardware_addresses_take_one_form():
    written = ["00-11-22-AA-BB-CC", "001122aabbcc", "0011.22aa.bbcc", "ff:1", "01-00-11-22-aa-bb-cc", None]
    assert macs(pa.array(written)).to_pylist() == ["00:11:22:aa:bb:cc"] * 3 + [None] * 3


@given(st.text(max_size=60))
def test_no_text_raises(text):
    stamps(pa.array([text]), NOW)
    unix_times(pa.array([text]))
