"""Small reports row by row, as texts: for tables of sums, which are no mails and need no columns."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

import pyarrow as pa

from portero.core.evidence import Gap
from portero.core.text import Text, count
from portero.sources.document import Counted, Document, Note
from portero.sources.json_rows import rows
from portero.sources.local_times import Times

_KEPT = 50_000  # different keys of one report
_SHOWN = 10


class Cells:
    """
    Reads a report once; afterwards says how many rows it had, and from when to when.

    fields:  see `csv_rows`; ``time`` is read as a time.
    """

    def __init__(self, document: Document, fields: Mapping[str, tuple[str, ...]]) -> None:
        self._document, self._fields = document, fields
        self._times = Times(document, fields["time"][0], fields["time"]) if "time" in fields else None
        self._rows = 0
        self._first: datetime | None = None
        self._last: datetime | None = None

    def rows(self) -> Iterator[tuple[int, dict[str, str]] | Gap]:
        """Give each row's line and cells; ``""`` where a cell is empty, lost or not there."""
        for block in rows(self._document, self._fields):
            if isinstance(block, Gap):
                yield block
                continue
            self._rows += len(block.lines)
            if self._times and "time" in block.cells:
                self._span(self._times.read(block.cells["time"], block.lines))
            columns = {name: held.to_pylist() for name, held in block.cells.items()}
            for at, line in enumerate(block.lines.to_pylist()):
                yield (
                    line,
                    {name: (columns[name][at] or "") if name in columns else "" for name in self._fields},
                )
        if self._times and (gap := self._times.gap()):
            yield gap

    def counted(self) -> Counted:
        """Say how many rows were read."""
        return Counted(self._rows, self._first, self._last)

    def _span(self, moments: pa.Array) -> None:
        seen = [each.replace(tzinfo=UTC) for each in moments.to_pylist() if each is not None]
        if seen:
            self._first = min([*seen, self._first] if self._first else seen)
            self._last = max([*seen, self._last] if self._last else seen)


class Sums:
    """Sums by key, of which the largest are said."""

    def __init__(self) -> None:
        self._held: Counter[tuple[str, ...]] = Counter()

    def add(self, key: tuple[str, ...], number: int) -> None:
        """Add to a key's sum; beyond the bound new keys are summed together without name."""
        if key in self._held or len(self._held) < _KEPT:
            self._held[key] += number

    def largest(self) -> list[tuple[tuple[str, ...], int]]:
        """Give the largest sums, the largest first."""
        return sorted(self._held.items(), key=lambda item: (-item[1], item[0]))[:_SHOWN]

    def rest(self) -> Iterator[Note]:
        """Say how many were not said."""
        if (n := len(self._held) - _SHOWN) > 0:
            yield Note(
                count(
                    "{n} more line of this report is not shown.",
                    "{n} more lines of this report are not shown.",
                    n,
                )
            )


def whole(text: str) -> int | None:
    """Read a whole number with or without separators of thousands; None for none."""
    plain = text.strip().replace(",", "").replace(".", "").replace("\u00a0", "").replace(" ", "")
    return int(plain) if plain.isascii() and plain.isdigit() and len(plain) < 16 else None


def listed(text: str) -> str:
    """Give the items of a cell that holds a JSON list, joined by ``;``; any other text as it is."""
    if not text.startswith("["):
        return text
    try:
        value = json.loads(text[:65536])
    except (ValueError, RecursionError):
        return text
    return (
        ";".join(str(each) for each in value if isinstance(each, str | int))
        if isinstance(value, list)
        else text
    )


COUNTED_ONLY = Text("This report is counted only: it holds sums and no single mails.")
