"""A zip file whose list of members is read once, however many they are, and not at all where it is too long."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Callable
from typing import IO, Self

_LISTED_OCTETS = 1024  # what the list may take for each member that is allowed: a short name needs a tenth
_END = struct.Struct("<4s4H2LH")  # APPNOTE 4.3.16: the size of the list is the sixth field
_END_64_PLACE = struct.Struct("<4sLQL")  # APPNOTE 4.3.15
_END_64 = struct.Struct("<4sQ2H2L4Q")  # APPNOTE 4.3.14: the size of the list is the ninth field
_LONGEST_REMARK = 1 << 16


class TooManyError(Exception):
    """The list of members is longer than their bound allows."""


class ZipArchive:
    """
    The members of a zip file.

    opener:  gives streams that can be sought in.
    most:    members that may be read.
    Raises what zipfile raises for a damaged file, and TooManyError. Inside ``with`` the file stays open for all members;
    after it each reading opens it anew, so that a member held for later holds no file.
    """

    def __init__(self, opener: Callable[[], IO[bytes]], most: int) -> None:
        self._opener = opener
        self._below = opener()
        try:
            if _list_octets(self._below) > most * _LISTED_OCTETS:
                raise TooManyError
            self._held: zipfile.ZipFile | None = zipfile.ZipFile(self._below)
        except BaseException:
            self._below.close()
            raise
        self.members = [each for each in self._held.infolist() if not each.filename.endswith("/")]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._held = None
        self._below.close()

    def open(self, member: zipfile.ZipInfo) -> tuple[IO[bytes], tuple[IO[bytes] | zipfile.ZipFile, ...]]:
        """Give a member's stream, and what is to be closed with it."""
        if self._held is not None:
            return self._held.open(member), ()
        below = self._opener()
        try:
            archive = zipfile.ZipFile(below)
            return archive.open(member), (archive, below)
        except BaseException:
            below.close()
            raise


def _list_octets(stream: IO[bytes]) -> int:
    """
    Give how long a zip file says that its list of members is; 0 where it has no end, which zipfile tells better.

    Source: PKWARE APPNOTE.TXT 6.3.10, the end of central directory records. zipfile reads as much as they say at once.
    """
    size = stream.seek(0, io.SEEK_END)
    start = max(0, size - _END.size - _LONGEST_REMARK)
    stream.seek(start)
    tail = stream.read()
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) - at < _END.size:
        return 0
    said = int(_END.unpack_from(tail, at)[5])
    before = start + at - _END_64_PLACE.size
    if before < _END_64.size:
        return said
    stream.seek(before)
    mark, _, place, _ = _END_64_PLACE.unpack(stream.read(_END_64_PLACE.size))
    if mark != b"PK\x06\x07":
        return said
    # zipfile takes it from just before, whatever place is said; what counts is the larger of the two.
    for each in {place, before - _END_64.size}:
        if each + _END_64.size <= size:
            stream.seek(each)
            record = stream.read(_END_64.size)
            if record.startswith(b"PK\x06\x06"):
                said = max(said, int(_END_64.unpack(record)[8]))
    return said
