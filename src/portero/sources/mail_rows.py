"""Cells to mail evidence: the column-wise conversions that every trace source shares."""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa
import pyarrow.compute as pc

from portero.core.evidence import MAIL_ROWS
from portero.sources.document import Batch

_SCHEMA = pa.schema([field for field in MAIL_ROWS if field.name != "document"])


def mail_batch(witness: str, lines: pa.Array, columns: dict[str, pa.Array | None]) -> Batch:
    """Make a batch of ``mail_rows``; a column that is absent or None is null throughout: the source does not know."""
    known = {"line": lines, "witness": pa.repeat(witness, len(lines))} | columns
    arrays = []
    for field in _SCHEMA:
        cells = known.get(field.name)
        arrays.append(pa.nulls(len(lines), field.type) if cells is None else cells)
    return Batch("mail_rows", pa.RecordBatch.from_arrays(arrays, schema=_SCHEMA))


def words(cells: pa.Array | None, meaning: Callable[[str], str | None]) -> pa.Array | None:
    """Translate a column of few different texts; the meaning is asked once for each of them."""
    if cells is None:
        return None
    coded = cells.dictionary_encode()
    meanings = [None if text is None else meaning(text) for text in coded.dictionary.to_pylist()]
    return pa.array(meanings, pa.string()).take(coded.indices)


def guids(cells: pa.Array | None) -> pa.Array | None:
    """Give GUIDs in lower case without braces."""
    return None if cells is None else pc.ascii_lower(pc.ascii_trim(cells, " {}"))


def message_ids(cells: pa.Array | None) -> pa.Array | None:
    r"""Strip ``<>`` off message ids, after undoing JSON escapes left in the text (``\u003c``, ``\\u003c``)."""
    if cells is None:
        return None
    if pc.any(pc.match_substring(cells, "\\u003")).as_py():
        cells = pc.replace_substring_regex(cells, r"\\+u003[cC]", "<")
        cells = pc.replace_substring_regex(cells, r"\\+u003[eE]", ">")
    return pc.ascii_trim(cells, " <>")


def integers(cells: pa.Array | None) -> pa.Array | None:
    """Give whole numbers; a cell that is none (empty, ``1.23E+05``) is null."""
    if cells is None:
        return None
    try:
        return cells.cast(pa.int64())
    except pa.ArrowInvalid:
        whole = pc.match_substring_regex(cells, r"^\d{1,18}$")
        return pc.if_else(whole, cells, pa.scalar(None, pa.string())).cast(pa.int64())


def iso_times(cells: pa.Array) -> pa.Array:
    """
    Read ISO times, in UTC with or without ``Z``, with any number of fractional digits, trimmed to microseconds.

    A cell of another form is null.
    """
    trimmed = pc.utf8_slice_codeunits(pc.ascii_rtrim(cells, "Z "), 0, 26)
    try:
        return trimmed.cast(pa.timestamp("us"))
    except pa.ArrowInvalid:
        shape = (
            r"^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|1\d|2[0-8])[T ]([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,6})?)?$"
        )
        good = pc.match_substring_regex(trimmed, shape)
        regular = pc.if_else(good, trimmed, pa.scalar(None, pa.string())).cast(pa.timestamp("us"))
        late = pc.strptime(
            pc.utf8_slice_codeunits(trimmed, 0, 19), "%Y-%m-%dT%H:%M:%S", "us", error_is_null=True
        )
        return pc.coalesce(regular, late)
