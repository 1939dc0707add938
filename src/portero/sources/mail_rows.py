"""Cells to mail evidence: the column-wise conversions that every trace source shares."""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa
import pyarrow.compute as pc

from portero.core.evidence_rows import MAIL_ROWS
from portero.core.text import Text
from portero.sources.document import Batch

# Only days that exist: the cast below raises for a whole block when one of them does not.
_ISO = (
    r"^(\d{4}-((0[13578]|1[02])-(0[1-9]|[12]\d|3[01])|(0[469]|11)-(0[1-9]|[12]\d|30)|02-(0[1-9]|1\d|2[0-8]))"
    r"|(\d\d(0[48]|[2468][048]|[13579][26])|([02468][048]|[13579][26])00)-02-29)"
    r"[T ]([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,6})?(Z|[+-]([01]\d|2[0-3]):?[0-5]\d)?$"
)
_SCHEMA = pa.schema([field for field in MAIL_ROWS if field.name != "document"])

# Of a table whose rows nothing joins to those of others.
WITHOUT_IDS = Text(
    "The table shows no message ids, so nothing joins its rows to other evidence. Of senders whose mails that shows, they "
    "are passed over: they may be the same mails."
)

# What a trace summary calls the fate of a mail, in lower case without spaces. Source: data-formats 3.1 and 4.
TRACE_OUTCOMES = {
    "delivered": "delivered",
    "expanded": "expanded",
    "failed": "failed",
    "filteredasspam": "junked",
    "gettingstatus": "pending",
    "pending": "pending",
    "quarantined": "quarantined",
}


def mail_batch(witness: str, lines: pa.Array, columns: dict[str, pa.Array | None]) -> Batch:
    """
    Make a batch of ``mail_rows``; a column that is absent or None is null throughout: the source does not know.

    Strings may be dictionary arrays.
    """
    known = {"line": lines, "witness": _same(witness, len(lines))} | columns
    arrays, names = [], []
    for field in _SCHEMA:
        cells = known.get(field.name)
        arrays.append(pa.nulls(len(lines), field.type) if cells is None else cells)
        names.append(field.name)
    return Batch("mail_rows", pa.RecordBatch.from_arrays(arrays, names=names))


def _same(text: str, number: int) -> pa.Array:
    zeros = pa.repeat(pa.scalar(0, pa.int32()), number)
    return pa.DictionaryArray.from_arrays(zeros, pa.array([text]))


def of_texts(cells: pa.Array, change: Callable[[pa.Array], pa.Array]) -> pa.Array:
    """Change a column's strings; of a dictionary array each different one once."""
    if not pa.types.is_dictionary(cells.type):
        return change(cells)
    changed = change(cells.dictionary)
    if not pa.types.is_dictionary(changed.type):
        return pa.DictionaryArray.from_arrays(cells.indices, changed)
    return pa.DictionaryArray.from_arrays(changed.indices.take(cells.indices), changed.dictionary)


def words(cells: pa.Array | None, meaning: Callable[[str], str | None]) -> pa.Array | None:
    """Translate a column of few different texts; the meaning is asked once for each of them."""
    if cells is None:
        return None

    def meanings(different: pa.Array) -> pa.Array:
        found = [None if text is None else meaning(text) for text in different.to_pylist()]
        return pa.array(found, pa.string()).dictionary_encode()

    if pa.types.is_dictionary(cells.type):
        return of_texts(cells, meanings)
    return of_texts(cells.dictionary_encode(), meanings).cast(pa.string())


def guids(cells: pa.Array | None) -> pa.Array | None:
    """Give GUIDs in lower case without braces."""
    return None if cells is None else pc.ascii_lower(pc.ascii_trim(cells, " {}"))


def message_ids(cells: pa.Array | None) -> pa.Array | None:
    r"""Strip ``<>`` off message ids, after undoing JSON escapes left in the text (``\u003c``, ``\\u003c``)."""
    if cells is None:
        return None
    # Nearly no export has them, and to look through all octets at once is a hundred times as fast as through each cell.
    if (held := cells.buffers()[2]) is not None and b"\\" in held.to_pybytes():
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
    Read ISO times as UTC: with ``Z``, with an offset, or bare; fractions are trimmed to microseconds.

    A cell of another form, or a day that no calendar has, is null.
    """
    moments = _plain_times(cells)
    return _times_of_any_form(cells) if moments is None else moments


def _times_of_any_form(cells: pa.Array) -> pa.Array:
    text = pc.replace_substring_regex(pc.ascii_trim(cells, " "), r"(\.\d{6})\d+", r"\1")
    regular = pc.if_else(pc.match_substring_regex(text, _ISO), text, pa.scalar(None, pa.string()))
    zoned = pc.match_substring_regex(regular, r"(Z|[+-]\d\d:?\d\d)$")
    utc = pc.if_else(zoned, regular, pc.binary_join_element_wise(regular, "Z", ""))
    return utc.cast(pa.timestamp("us", "UTC")).cast(pa.timestamp("us"))


def _plain_times(cells: pa.Array) -> pa.Array | None:
    """Read ISO times without offset the quick way; None where some cell is of another form."""
    # With fewer than ten fractional digits Arrow reads them itself, if they all say that they are UTC.
    try:
        whole = cells.cast(pa.timestamp("ns", "UTC"))
        return whole.cast(pa.timestamp("us", "UTC"), safe=False).cast(pa.timestamp("us"))
    except pa.ArrowInvalid:
        pass
    bare = pc.ascii_rtrim(cells, "Z ")
    # Longer than seven fractional digits means an offset, which would be cut off.
    if (pc.max(pc.binary_length(bare)).as_py() or 0) > len("2026-11-20T10:00:00.1234567"):
        return None
    try:
        return pc.utf8_slice_codeunits(bare, 0, 26).cast(pa.timestamp("us"))
    except pa.ArrowInvalid:
        return None


def times(cells: pa.Array) -> pa.Array:
    """Read ISO times, or OData's ``/Date(1658751973240)/``, milliseconds since 1970 in UTC whatever offset follows."""
    odata = r"^/Date\((-?\d{1,14})([+-]\d{4})?\)/$"
    moments = _plain_times(cells)
    if moments is not None:
        return moments
    moments = _times_of_any_form(cells)
    if not pc.any(pc.match_substring(cells, "/Date(")).as_py():
        return moments
    regular = pc.match_substring_regex(cells, odata)
    digits = pc.if_else(
        regular, pc.replace_substring_regex(cells, odata, r"\1"), pa.scalar(None, pa.string())
    )
    counted = pc.multiply(digits.cast(pa.int64()), 1000).cast(pa.timestamp("us"))
    return pc.if_else(regular, counted, moments)


def connectors(cells: pa.Array | None) -> pa.Array | None:
    r"""Give inbound connectors' names; the default receive path (``SERVER\Default SERVER``) is no connector: ``""``."""
    if cells is None:
        return None
    coded = cells.dictionary_encode()
    names = pc.replace_substring_regex(
        coded.dictionary, r"(?i)^\s*[^\\]+\\Default( Frontend)?( [^\\]*)?$", ""
    )
    return names.take(coded.indices)
