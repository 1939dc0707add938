"""What was read is shown by kind and by day, and a day that nobody saw stays empty."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Any

from portero.core.access import Role
from portero.core.evidence import Coverage
from portero.faces.render import Renderer
from portero.faces.report.charts import by_day, by_kind


def read(kind: str, first: int | None, last: int | None, document: str = "a.csv") -> Coverage:
    moments = [datetime(2026, 11, day, 9, tzinfo=UTC) if day else None for day in (first, last)]
    return Coverage(document, kind, 5, *moments)


def test_days_are_counted_by_kind_over_the_whole_time_that_was_read() -> None:
    held = by_kind(
        [read("trace", 1, 3), read("trace", 7, 8, "b.csv"), read("dmarc", 2, 10), read("tenant", None, None)]
    )
    assert [(each.kind, len(each.documents), each.rows, each.without) for each in held] == [
        ("dmarc", 1, 5, 1), ("trace", 2, 10, 5), ("tenant", 1, 5, None),
    ]  # fmt: skip
    assert held[1].days == {date(2026, 11, day) for day in (1, 2, 3, 7, 8)}


def test_a_hole_in_the_evidence_is_a_hole_in_the_picture() -> None:
    picture = by_day(
        by_kind([read("trace", 1, 3), read("trace", 7, 7), read("dmarc", 1, 10)]), Renderer("en")
    )
    assert picture is not None
    assert picture.count('class="span"') == 3
    for title in ("1 Nov 2026 – 3 Nov 2026", "<title>7 Nov 2026</title>", "1 Nov 2026 – 10 Nov 2026"):
        assert title in picture
    assert by_day(by_kind([read("tenant", None, None)]), Renderer("en")) is None
    assert by_day((), Renderer("es")) is None


def test_a_clock_that_was_wrong_makes_no_line_of_a_hundred_years() -> None:
    wrong = Coverage("a.csv", "trace", 1, datetime(1601, 1, 1, tzinfo=UTC), datetime(2026, 11, 3, tzinfo=UTC))
    (held,) = by_kind([wrong])
    assert len(held.days) == 1200
    assert max(held.days) == date(2026, 11, 3)
    assert by_day((held,), Renderer("en")) is not None


def test_many_documents_are_folded_under_their_kind(house: Any) -> None:
    text = house.client(house.somebody(Role.READER)).get(f"/o/{house.ours}/evidence").text
    assert re.search(r"109 documents: (<bdi>)?dmarc-aggregate", text)
    assert "Days without" in text
