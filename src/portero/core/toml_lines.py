"""Where each key of a configuration stands: tomllib keeps no lines, and a complaint without its line is half a complaint."""

from __future__ import annotations

import re
from collections.abc import Mapping

Place = tuple[str | int, ...]

_HEADER = re.compile(r"\s*(\[\[?)\s*([A-Za-z0-9_.\"' -]+?)\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(r"\s*([A-Za-z0-9_-]+|\"[^\"]*\"|'[^']*')\s*(?:\.\s*([A-Za-z0-9_-]+)\s*)?=")


def line_of(lines: Mapping[Place, int], place: Place) -> int:
    """Give the line of a place, or of the nearest thing around it that has one."""
    for end in range(len(place), 0, -1):
        if place[:end] in lines:
            return lines[place[:end]]
    return 1


def shown(value: object) -> str:
    """Give a value as a complaint quotes it."""
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def key_lines(text: str) -> dict[Place, int]:
    """
    Give the line of each table and key of a configuration text that is valid TOML.

    tomllib keeps no lines. Keys stand at the start of their line; only one nested in an inline table is reported
    at the line of the key that holds it.
    """
    lines: dict[Place, int] = {}
    table: Place = ()
    # How many tables of an array there are so far, less one: the next ones below it belong to its last.
    counts: dict[Place, int] = {}
    inside = ""
    for number, line in enumerate(text.splitlines(), 1):
        if inside:
            # A key inside a multi-line string or list is no key.
            inside = _still_open(inside, line)
            continue
        if header := _HEADER.match(line):
            parts = [part.strip().strip("\"'") for part in header[2].split(".")]
            table = ()
            for part in parts[:-1]:
                table = (*table, part)
                if table in counts:
                    table = (*table, counts[table])
            table = (*table, parts[-1])
            if header[1] == "[[":
                counts[table] = counts.get(table, -1) + 1
                table = (*table, counts[table])
            lines[table] = number
            lines.setdefault(table[:1], number)
        elif key := _KEY.match(line):
            place = (*table, *(part.strip("\"'") for part in key.groups() if part))
            lines[place] = number
            lines.setdefault(place[: len(table) + 1], number)
            inside = _still_open("", line[key.end() :])
    return lines


_TOKENS = re.compile(r"\"\"\"|'''|\"(?:[^\"\\]|\\.)*\"|'[^']*'|#.*|[\[\]{}]")


def _still_open(inside: str, line: str) -> str:
    """Track, over one line, the brackets and multi-line quotes that are open after it."""
    if inside in {'"""', "'''"}:
        end = line.find(inside)
        if end < 0:
            return inside
        line, inside = line[end + 3 :], ""
    for sign in _TOKENS.findall(line):
        if sign in {'"""', "'''"}:
            return str(sign)
        if sign in "[{":
            inside += sign
        elif sign in "]}":
            inside = inside[:-1]
    return inside
