"""The letter of exports: CSV as PowerShell and as the service quote it, dates as each writes them."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Sequence
from datetime import datetime

_CULTURES = {
    "en": "{m}/{d}/{y} {h12}:{mi:02}:{s:02} {half}",
    "es": "{d}/{m}/{y} {h}:{mi:02}:{s:02}",
    "de": "{d:02}.{m:02}.{y} {h:02}:{mi:02}:{s:02}",
    "pt": "{d:02}/{m:02}/{y} {h:02}:{mi:02}:{s:02}",
}


def powershell_csv(header: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """Give CSV as Export-Csv of PowerShell 7 writes it: every field quoted, CRLF, UTF-8 without BOM."""
    return _csv(header, rows, csv.QUOTE_ALL).encode("utf-8")


def service_csv(header: Sequence[str], rows: Iterable[Sequence[object]], *, bom: bool = False) -> bytes:
    """Give CSV as the service's own reports come: quotes where needed, CRLF, UTF-16LE, often without BOM."""
    text = _csv(header, rows, csv.QUOTE_MINIMAL)
    return (("\ufeff" if bom else "") + text).encode("utf-16-le")


def plain_csv(header: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """Give CSV as the Defender portal exports it: UTF-8 with BOM, quotes where needed."""
    return ("\ufeff" + _csv(header, rows, csv.QUOTE_MINIMAL)).encode("utf-8")


def _csv(header: Sequence[str], rows: Iterable[Sequence[object]], quoting: int) -> str:
    out = io.StringIO()
    writer = csv.writer(out, quoting=quoting, lineterminator="\r\n")  # type: ignore[arg-type]  # csv's constants are ints
    writer.writerow(header)
    writer.writerows([["" if cell is None else cell for cell in row] for row in rows])
    return out.getvalue()


def iso(when: datetime, digits: int = 7) -> str:
    """Give UTC in ISO 8601 with that many digits of fraction and a Z, as .NET's round-trip form has seven."""
    fraction = f"{when.microsecond:06}0"[:digits]
    return f"{when:%Y-%m-%dT%H:%M:%S}{'.' + fraction if digits else ''}Z"


def culture(when: datetime, language: str) -> str:
    """Give a DateTime as Export-Csv writes it on a computer of that language: no zone, no fraction."""
    return _CULTURES[language].format(
        d=when.day, m=when.month, y=when.year, h=when.hour, mi=when.minute, s=when.second,
        h12=when.hour % 12 or 12, half="AM" if when.hour < 12 else "PM",
    )  # fmt: skip


def json_bytes(value: object, *, indent: int | None = 2) -> bytes:
    """Give JSON as UTF-8."""
    return json.dumps(value, ensure_ascii=False, indent=indent).encode("utf-8")
