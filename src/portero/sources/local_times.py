"""Times as a computer's own culture writes them: day and month are told apart by the whole column, or not at all."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from portero.core.evidence import Gap, Origin
from portero.core.text import count
from portero.sources.document import Document
from portero.sources.json_rows import rows
from portero.sources.mail_rows import iso_times, times

_CLOCK = (
    r",?\s+(?P<hour>\d{1,2}):(?P<minute>\d\d)(?::(?P<second>\d\d)(?:[.,]\d{1,9})?)?"
    r"(?:\s*(?P<half>[AaPp])\.?\s?[Mm]\.?)?\s*$"
)
_LOCAL = r"^\s*(?P<a>\d{1,2})[/.-](?P<b>\d{1,2})[/.-](?P<year>\d{4})" + _CLOCK
# Where the year stands first the month follows it in every culture.
_YEAR_FIRST = r"^\s*(?P<year>\d{4})[/.](?P<a>\d{1,2})[/.](?P<b>\d{1,2})" + _CLOCK


class Times:
    """
    Reads one column of times; a document without ISO times is read twice, first to learn its order.

    aliases:  the names the column may have, when not just its own.
    """

    def __init__(self, document: Document, column: str, aliases: tuple[str, ...] = ()) -> None:
        self.document, self.column, self.aliases = document, column, aliases or (column,)
        self.day_first: bool | None = None
        self.asked, self.undated = False, 0
        self._first: int | None = None

    def read(self, cells: pa.Array, lines: pa.Array) -> pa.Array:
        """
        Give UTC times, null where a cell cannot be read for certain.

        lines:  the cells' lines, so that the first of those can be named.
        """
        moments = times(cells)
        if moments.null_count:
            moments = pc.coalesce(moments, _local(cells, _YEAR_FIRST, day_first=False))
        if moments.null_count:
            if not self.asked:
                self.asked, self.day_first = True, _day_first(self.document, self.aliases)
            if self.day_first is not None:
                moments = pc.coalesce(moments, _local(cells, _LOCAL, day_first=self.day_first))
        if moments.null_count:
            self.undated += moments.null_count
            if self._first is None:
                self._first = lines.filter(pc.is_null(moments))[0].as_py()
        return moments

    def gap(self, *, local: bool = True) -> Gap | None:
        """
        Name the times that could not be read, from the first one on, and the way to export them.

        local:  whether the export writes times in the computer's own form; the services' own reports are in UTC.
        """
        if not self.undated:
            return None
        origin = Origin(self.document.name, self._first)
        if not local:
            one, many = "{n} row has a time that cannot be read.", "{n} rows have a time that cannot be read."
            return Gap(origin, count(one, many, self.undated), self.undated)
        one = (
            "{n} row has a time that cannot be read, or whose day and month cannot be told apart."
            " Export with {column}.ToString('o')."
        )
        many = (
            "{n} rows have times that cannot be read, or whose day and month cannot be told apart."
            " Export with {column}.ToString('o')."
        )
        reason = count(one, many, self.undated, column=self.column)
        return Gap(origin, reason, self.undated)


def _day_first(document: Document, aliases: tuple[str, ...]) -> bool | None:
    """Tell the order by numbers above twelve anywhere in the column; None when there are none, or on both sides."""
    first, second = False, False
    for block in rows(document, {"time": aliases}):
        if isinstance(block, Gap) or "time" not in block.cells:
            continue
        parts = pc.extract_regex(block.cells["time"], _LOCAL)
        first = first or _above_twelve(pc.struct_field(parts, "a"))
        second = second or _above_twelve(pc.struct_field(parts, "b"))
    return None if first == second else first


def _above_twelve(cells: pa.Array) -> bool:
    return bool(pc.any(pc.greater(cells.cast(pa.int64()), 12)).as_py())


def _local(cells: pa.Array, pattern: str, *, day_first: bool) -> pa.Array:
    parts = pc.extract_regex(cells, pattern)
    field = {name: pc.struct_field(parts, name) for name in ("a", "b", "year", "hour", "minute", "second")}
    half = pc.ascii_lower(pc.struct_field(parts, "half"))
    hour = field["hour"].cast(pa.int64())
    # Twelve o'clock comes first in both halves of the day: 12 AM is 0, 12 PM is 12.
    twelve = pc.if_else(pc.equal(hour, 12), 0, hour)
    hour = pc.if_else(pc.equal(half, "p"), pc.add(twelve, 12), pc.if_else(pc.equal(half, "a"), twelve, hour))
    day, month = (field["a"], field["b"]) if day_first else (field["b"], field["a"])
    date = pc.binary_join_element_wise(field["year"], _two(month), _two(day), "-")
    clock = pc.binary_join_element_wise(
        _two(hour.cast(pa.string())),
        field["minute"],
        _two(field["second"]),
        ":",
    )
    return iso_times(pc.binary_join_element_wise(date, clock, "T"))


def _two(cells: pa.Array) -> pa.Array:
    """Give numbers with two digits; none at all is zero."""
    return pc.utf8_lpad(cells, 2, "0")
