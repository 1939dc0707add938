"""Cells to evidence: a time is what it says, or nothing."""

from datetime import datetime

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from portero.sources.mail_rows import iso_times


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2026-11-20T10:00:00.1234567Z", "2026-11-20T10:00:00.123456"),
        ("2026-11-20 10:00:00", "2026-11-20T10:00:00"),
        ("2026-11-20T10:00:00+02:00", "2026-11-20T08:00:00"),
        ("2026-11-20T10:00:00.1234567-05:00", "2026-11-20T15:00:00.123456"),
        ("2028-02-29T10:00:00Z", "2028-02-29T10:00:00"),
        ("2026-02-29T10:00:00Z", None),
        ("2026-11-31T10:00:00Z", None),
        ("11/20/2026 10:00:00", None),
        ("", None),
    ],
)
def test_a_time_is_what_it_says_or_nothing(written, meant):
    expected = None if meant is None else datetime.fromisoformat(meant)
    assert iso_times(pa.array([written])).to_pylist() == [expected]
    # The same beside cells of every other form, where the quick way is barred.
    assert iso_times(pa.array([written, "no time"])).to_pylist() == [expected, None]


@given(st.lists(st.text(max_size=30) | st.from_regex(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", fullmatch=True)))
def test_no_text_raises(written):
    assert len(iso_times(pa.array(written, pa.string()))) == len(written)
