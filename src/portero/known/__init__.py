"""Public lists that travel with the program, each dated and with a source in every row."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files


@cache
def makers() -> Mapping[str, str]:
    """
    Give makers of devices by the first three octets of a hardware address, as ``00:20:6b``.

    Only makers whose devices are met in offices, plants and server rooms; any other prefix is unknown, not nobody's.
    Source: IEEE Registration Authority, public listing MA-L, of the date in each row.
    """
    return {row["prefix"]: row["maker"] for row in _rows("makers.csv")}


@cache
def services() -> Mapping[str, str]:
    """
    Give sending services by domains that are theirs: of return paths, signatures, SPF includes, reverse names.

    ``seen_as`` of each row says in which of these roles its source shows the domain.
    """
    return {row["domain"]: row["service"] for row in _rows("services.csv")}


def maker_of(mac: str) -> str | None:
    """Give the maker of a device by its hardware address in lower case with colons, or None where it is not known."""
    return makers().get(mac[:8])


def _rows(name: str) -> Iterator[dict[str, str]]:
    yield from csv.DictReader(io.StringIO(files(__name__).joinpath(name).read_text("utf-8")))
