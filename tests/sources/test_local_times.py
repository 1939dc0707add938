"""Times in a computer's own form: the order of day and month is learned from the whole column, never guessed."""

import io
from datetime import datetime

import pyarrow as pa
import pytest

from portero.sources.document import Document
from portero.sources.head import head_of
from portero.sources.local_times import Times


def read(*cells):
    raw = ("Other;Received\n" + "".join(f"x;{cell}\n" for cell in cells)).encode()
    column = Times(Document("t.csv", head_of(raw), lambda: io.BytesIO(raw), len(raw)), "Received")
    # Only the first cell is handed over: what decides may stand far behind it.
    return column.read(pa.array(cells[:1]), pa.array([2]))[0].as_py(), column.gap()


@pytest.mark.parametrize(
    ("cells", "time"),
    [
        (("9/5/2025 6:10 PM", "9/13/2025 6:10 AM"), datetime(2025, 9, 5, 18, 10)),  # noqa: DTZ001
        (("9/5/2025 18:10", "24/11/2026 18:05"), datetime(2025, 5, 9, 18, 10)),  # noqa: DTZ001
        (("24.11.2026 18:05:33",), datetime(2026, 11, 24, 18, 5, 33)),  # noqa: DTZ001
        (("11/24/2026 12:05:33 AM",), datetime(2026, 11, 24, 0, 5, 33)),  # noqa: DTZ001
        (("11/24/2026 12:05 p. m.",), datetime(2026, 11, 24, 12, 5)),  # noqa: DTZ001
        (("11/24/2026, 12:05:33.123 AM",), datetime(2026, 11, 24, 0, 5, 33)),  # noqa: DTZ001
        (("2026/2/3 18:05:33",), datetime(2026, 2, 3, 18, 5, 33)),  # noqa: DTZ001
        (("2026-11-24T18:05:00Z", "1/2/2026 10:00"), datetime(2026, 11, 24, 18, 5)),  # noqa: DTZ001
    ],
)
def test_a_number_above_twelve_anywhere_decides_the_order(cells, time):
    assert read(*cells) == (time, None)


@pytest.mark.parametrize(
    "cells",
    [
        ("9/5/2025 6:10 PM", "1/2/2025 6:10 PM"),
        ("9/5/2025 6:10 PM", "13/1/2025 6:10 PM", "1/13/2025 6:10 PM"),
        ("31/02/2025 10:00",),
        ("13/01/2025 25:00",),
        ("soon",),
    ],
)
def test_what_cannot_be_decided_is_no_time_and_is_named(cells):
    time, gap = read(*cells)
    assert (time, gap.count, gap.origin.line) == (None, 1, 2)
    assert "Received.ToString('o')" in str(gap.reason)
