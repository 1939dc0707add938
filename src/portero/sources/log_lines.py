"""Log lines as columns: numbered lines in Arrow blocks, and the times that log lines begin with."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc

from portero.core.evidence import Gap, Origin
from portero.core.text import Text, count
from portero.sources.document import Document, Note
from portero.sources.mail_rows import iso_times
from portero.sources.text import utf8_blocks

LINE_OCTETS = 64 << 10  # a longer line is no log line

# What may stand before the time: a syslog priority, its version, a sequence number, an asterisk for an unset clock.
_BEFORE = r"^(?:<\d{1,3}>)?(?:1 )?(?:\d{1,10}: )?[*.]?"
_ISO = (
    _BEFORE
    + r"(?P<date>\d{4}[-/]\d\d[-/]\d\d)[T ](?P<clock>\d\d:\d\d:\d\d)(?P<fraction>[.,]\d{1,9})?"
    + r"(?: ?(?P<zone>Z|[+-]\d\d:?\d\d))?"
)
_BSD = (
    _BEFORE
    + r"(?P<month>[A-Z][a-z]{2}) {1,2}(?P<day>\d{1,2}) (?:(?P<year>\d{4}) )?(?P<clock>\d\d:\d\d:\d\d)(?:\.\d+)?"
    + r"(?: (?P<zone>UTC|GMT)\b)?"
)
_APACHE = (
    r"(?P<day>\d\d)/(?P<month>[A-Z][a-z]{2})/(?P<year>\d{4}):(?P<clock>\d\d:\d\d:\d\d) (?P<zone>[+-]\d{4})"
)
_MONTHS = {
    name: f"{number:02}"
    for number, name in enumerate(
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"], 1
    )
}


@dataclass(frozen=True, slots=True)
class Lines:
    """
    One block of lines.

    numbers:  int64, 1-based.
    text:     strings without line breaks.
    """

    numbers: pa.Array
    text: pa.Array

    def filter(self, mask: pa.Array) -> Lines:
        """Keep the lines where the mask is true."""
        return Lines(self.numbers.filter(mask), self.text.filter(mask))


def log_lines(document: Document) -> Iterator[Lines | Gap]:
    """Stream a document's lines; lines too long for any log become gaps."""
    rest, number = b"", 1
    for block in utf8_blocks(document.open(), document.head.encoding):
        whole, newline, tail = block.rpartition(b"\n")
        if newline:
            yield from _cut(document.name, rest + whole, number)
            number += whole.count(b"\n") + 1
            rest = tail
        elif len(rest) <= LINE_OCTETS:
            rest += tail
    if rest:
        yield from _cut(document.name, rest, number)


def _cut(name: str, data: bytes, number: int) -> Iterator[Lines | Gap]:
    lines = data.split(b"\n")
    numbers = pa.arange(number, number + len(lines))
    text = pc.utf8_rtrim(pa.array(lines, pa.binary()).cast(pa.string()), "\r")
    long = pc.greater(pc.binary_length(text), LINE_OCTETS)
    if pc.any(long).as_py():
        for each in numbers.filter(long)[:20].to_pylist():
            yield Gap(Origin(name, each), Text("The line is too long for a log line and was not read."))
        yield Lines(numbers, text).filter(pc.invert(long))
    else:
        yield Lines(numbers, text)


def part(text: pa.Array, pattern: str) -> pa.Array:
    """Give what the pattern's group ``v`` takes in each line, null where the pattern does not match."""
    return pc.struct_field(pc.extract_regex(text, pattern), "v")


def filled(cells: pa.Array) -> pa.Array:
    """Give null instead of empty texts, and of ``-``, by which logs say that they do not know."""
    return pc.if_else(pc.is_in(cells, pa.array(["", "-", "n/a", "N/A"])), pa.scalar(None, pa.string()), cells)


def matches(text: pa.Array, pattern: str) -> pa.Array:
    """Tell for each line whether it matches; a null does not."""
    return pc.fill_null(pc.match_substring_regex(text, pattern), False)


def unix_times(cells: pa.Array) -> pa.Array:
    """Read seconds since 1970 in UTC, with up to six decimals, or 13, 16 or 19 digits for finer units; else null."""
    parts = pc.extract_regex(cells, r"^\s*(?P<whole>\d{9,19})(?:\.(?P<fraction>\d{0,9}))?\s*$")
    whole, fraction = pc.struct_field(parts, "whole"), pc.struct_field(parts, "fraction")
    # The first ten digits are seconds until the year 2286; what follows them is the fraction.
    digits = pc.binary_join_element_wise(whole, pc.fill_null(fraction, ""), "")
    digits = pc.utf8_slice_codeunits(pc.utf8_rpad(digits, 16, "0"), 0, 16)
    ten = pc.greater_equal(pc.utf8_length(whole), 10)
    return pc.if_else(ten, digits.cast(pa.int64()), pa.scalar(None, pa.int64())).cast(pa.timestamp("us"))


@dataclass(frozen=True, slots=True)
class Stamps:
    """
    The times of a block of lines.

    observed_at:  UTC, where the line names its zone; else null.
    local_at:     by the log's own clock, where the line names none; else null.
    yearless:     how many lines show no year.
    """

    observed_at: pa.Array
    local_at: pa.Array
    yearless: int = 0


def stamps(text: pa.Array, latest: datetime | None = None) -> Stamps:
    """
    Read the time at each line's start: ISO 8601, RFC 3164 with or without year, or Apache's form anywhere.

    latest:  the moment, by default now, that a line without year cannot be later than by more than a day: it takes the
             last year that allows. RFC 3164 section 4.1.2 has no year and no zone.
    """
    form = pc.extract_regex(text, _ISO)
    if form.null_count == len(text):
        bsd = pc.extract_regex(text, _BSD)
        form = bsd if bsd.null_count < len(text) else pc.extract_regex(text, _APACHE)
        return _from_parts(form, latest or datetime.now(UTC))
    iso = _iso(form)
    if form.null_count == 0:
        return iso
    other = _from_parts(pc.extract_regex(text, _BSD), latest or datetime.now(UTC))
    return Stamps(
        pc.coalesce(iso.observed_at, other.observed_at),
        pc.coalesce(iso.local_at, other.local_at),
        other.yearless,
    )


def _iso(form: pa.Array) -> Stamps:
    date = pc.replace_substring(pc.struct_field(form, "date"), "/", "-")
    fraction = pc.replace_substring(pc.fill_null(pc.struct_field(form, "fraction"), ""), ",", ".")
    return zoned(
        pc.binary_join_element_wise(date, "T", pc.struct_field(form, "clock"), fraction, ""),
        filled(pc.struct_field(form, "zone")),
    )


def zoned(local: pa.Array, zone: pa.Array) -> Stamps:
    """Make times of ISO texts without zone, and of their zones: ``Z``, ``+01:00``, ``+0100``, or null."""
    aware = iso_times(pc.binary_join_element_wise(local, zone, ""))
    bare = iso_times(local)
    return Stamps(aware, pc.if_else(pc.is_valid(zone), pa.scalar(None, pa.timestamp("us")), bare))


def _from_parts(form: pa.Array, latest: datetime) -> Stamps:
    names = {field.name for field in form.type}
    month = pc.struct_field(form, "month")
    coded = month.dictionary_encode()
    numbers = [_MONTHS.get(name or "") for name in coded.dictionary.to_pylist()]
    month = pa.array(numbers, pa.string()).take(coded.indices)
    day = pc.utf8_lpad(pc.struct_field(form, "day"), 2, "0")
    clock = pc.struct_field(form, "clock")
    year = filled(pc.struct_field(form, "year"))
    dated = pc.binary_join_element_wise(month, day, "-")
    limit = (latest + timedelta(days=1)).strftime("%m-%dT%H:%M:%S")
    late = pc.greater(pc.binary_join_element_wise(dated, clock, "T"), limit)
    this = (latest + timedelta(days=1)).year
    guessed = pc.if_else(late, str(this - 1), str(this))
    # 29 February without a year is in the last year that has one.
    leap = next(
        each for each in range(this, this - 9, -1) if each % 4 == 0 and (each % 100 or each % 400 == 0)
    )
    guessed = pc.if_else(pc.equal(dated, "02-29"), str(leap), guessed)
    yearless = pc.sum(pc.and_(pc.is_null(year), pc.is_valid(dated))).as_py() or 0
    local = pc.binary_join_element_wise(pc.coalesce(year, guessed), dated, "-")
    zone = filled(pc.struct_field(form, "zone")) if "zone" in names else pa.nulls(len(form), pa.string())
    zone = pc.replace_substring_regex(zone, "^(UTC|GMT)$", "Z")
    found = zoned(pc.binary_join_element_wise(local, clock, "T"), zone)
    return Stamps(found.observed_at, found.local_at, yearless)


def notes(yearless: int, local: bool, other: int) -> Iterator[Note]:
    """Say of a whole log what its times lack, and how many lines were no evidence."""
    if yearless:
        yield Note(Text("Its times show no year; the last year that is not in the future was taken."))
    if local:
        yield Note(
            Text(
                "Its times name no time zone. Write time_zone under [organisation] in portero.toml;"
                " without it they are not compared with mail."
            )
        )
    if other:
        one = "{n} line tells of something else than mail or addresses and was passed over."
        many = "{n} lines tell of something else than mail or addresses and were passed over."
        yield Note(count(one, many, other))


def macs(cells: pa.Array) -> pa.Array:
    """Give hardware addresses as six lower-case pairs with colons, null where a cell is none."""
    digits = pc.ascii_lower(pc.replace_substring_regex(cells, r"[\s:.-]", ""))
    digits = pc.if_else(matches(digits, "^[0-9a-f]{12}$"), digits, pa.scalar(None, pa.string()))
    return pc.replace_substring_regex(digits, "^(..)(..)(..)(..)(..)(..)$", r"\1:\2:\3:\4:\5:\6")


def starts_with_time(text: str, behind: str) -> bool:
    """Tell whether some line of a head begins with a time and matches the pattern behind it."""
    pattern = re.compile(
        rf"^(<\d{{1,3}}>)?(1 )?(\d+: )?[*.]?(\d{{4}}[-/]\d\d[-/]\d\d[T ]|[A-Z][a-z]{{2}} {{1,2}}\d{{1,2}} )[^\n]*?(?:{behind})",
        re.MULTILINE,
    )
    return pattern.search(text) is not None
