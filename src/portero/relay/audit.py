"""The audit trail: one JSON line a record, each with the hash of the one before, so that a change to the past shows."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic_core import to_json

_FIRST = "0" * 64
_TAIL_OCTETS = 1 << 20


class Trail:
    """
    Appends records to a file.

    Each line is a JSON object whose last key ``prev`` is the SHA-256 of the line before, line end not included.
    The trail shows what was changed, cut out or put in afterwards; what was cut off at its end shows only against a
    hash that was kept elsewhere, for example the one in `portero relay audit`'s answer of yesterday.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        self._last, torn = _last_hash(path)
        if torn:
            # The process died within a line; the next record says so, and the half line stays for whoever looks.
            os.write(self._descriptor, b"\n")
            self.write([{"at": time.time(), "event": "recovered"}])

    def write(self, records: list[dict[str, object]]) -> None:
        """Append records. Raises OSError; then none of them counts as written."""
        last, lines = self._last, []
        for record in records:
            line = b'%s,"prev":"%s"}' % (to_json(record)[:-1], last.encode())
            last = hashlib.sha256(line).hexdigest()
            lines.append(line + b"\n")
        whole = b"".join(lines)
        written = 0
        try:
            while written < len(whole):
                written += os.write(self._descriptor, whole[written:])
        except OSError:
            os.ftruncate(self._descriptor, os.fstat(self._descriptor).st_size - written)
            raise
        self._last = last

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._descriptor)


def _last_hash(path: Path) -> tuple[str, bool]:
    """Give the hash of the last whole line, and whether its end is missing or half a line stands behind it."""
    with path.open("rb") as stream:
        size = stream.seek(0, os.SEEK_END)
        stream.seek(max(size - _TAIL_OCTETS, 0))
        *lines, rest = stream.read().split(b"\n")
    # A crash may take the line end alone: what stands there is whole then, and the next record follows from it.
    whole = [each for each in (*lines, rest) if each][-1:] if _is_record(rest) else lines[-1:]
    return (hashlib.sha256(whole[0]).hexdigest() if whole else _FIRST), bool(rest)


def _is_record(line: bytes) -> bool:
    try:
        return "prev" in json.loads(line)
    except (ValueError, TypeError):
        return False


@dataclass(frozen=True, slots=True)
class Verdict:
    """
    What reading a trail found.

    broken:  line numbers, counted from 1, that do not follow from the line before; empty where all do.
    torn:    half lines that a crash left and a later record owns up to.
    last:    hash of the last line, to be kept elsewhere.
    """

    records: int
    broken: tuple[int, ...]
    torn: int
    last: str


def verify(path: Path) -> Verdict:
    """Read a whole trail and check its chain. Raises OSError."""
    last, records, torn = _FIRST, 0, 0
    broken: list[int] = []
    half: tuple[int, str] | None = None
    for number, line in _lines(path):
        try:
            record = json.loads(line)
            prev = record["prev"]
        except (ValueError, KeyError, TypeError):
            half = (number, hashlib.sha256(line).hexdigest())
            continue
        if half is not None:
            # The record behind a half line follows from it, or from the whole line before it.
            if record.get("event") == "recovered" and prev in {last, half[1]}:
                torn += 1
            else:
                broken.append(half[0])
            half = None
        elif prev != last:
            broken.append(number)
        last = hashlib.sha256(line).hexdigest()
        records += 1
    if half is not None:
        torn += 1
    return Verdict(records, tuple(broken[:100]), torn, last)


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    with path.open("rb") as stream:
        for number, line in enumerate(stream, 1):
            if stripped := line.rstrip(b"\n"):
                yield number, stripped
