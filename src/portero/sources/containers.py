"""Opens zip and gzip containers by their content, however deep, within limits that name what they stop."""

from __future__ import annotations

import gzip
import io
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import IO, cast

from portero.core.evidence import Gap, Origin
from portero.core.text import Text
from portero.sources.document import Document
from portero.sources.head import head_of
from portero.sources.text import BLOCK_OCTETS, HEAD_OCTETS

Opener = Callable[[], IO[bytes]]
_IN_MEMORY = 32 << 20
_BROKEN = (OSError, EOFError, zlib.error, zipfile.BadZipFile, NotImplementedError, RuntimeError, ValueError)


@dataclass(frozen=True, slots=True)
class Limits:
    """
    How far a container is followed.

    octets:   of one member, decompressed.
    ratio:    of decompressed to compressed octets, looked at beyond the first 16 MiB.
    members:  of one container.
    nesting:  containers inside containers.
    """

    octets: int = 8 << 30
    ratio: int = 200
    members: int = 10_000
    nesting: int = 4


class _Front(io.RawIOBase):
    """The first octets of a stream: those that are known to decompress. Closing it closes what it stands on."""

    def __init__(self, stream: IO[bytes], octets: int, *below: IO[bytes] | zipfile.ZipFile) -> None:
        self._stream, self._left, self._below = stream, octets, below

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        view = memoryview(cast("bytearray", buffer))
        data = (
            cast("io.BufferedReader", self._stream).read1(min(len(view), self._left)) if self._left else b""
        )
        view[: len(data)] = data
        self._left -= len(data)
        return len(data)

    def close(self) -> None:
        self._stream.close()
        for stream in self._below:
            stream.close()
        super().close()


def _stream(stream: IO[bytes], octets: int, *below: IO[bytes] | zipfile.ZipFile) -> IO[bytes]:
    return cast("IO[bytes]", io.BufferedReader(_Front(stream, octets, *below)))


def opened(
    name: str, raw: bytes, size: int, opener: Opener, limits: Limits, depth: int = 0
) -> Iterator[Document | Gap]:
    """
    Give a stream as one document, or the documents inside it.

    raw:   its first 64 KiB.
    size:  its octets.
    """
    if not raw:
        yield Gap(Origin(name), Text("The file is empty. Export it again."))
    elif raw.startswith(b".pfile"):
        yield Gap(
            Origin(name),
            Text("The file is rights-protected (.pfile). Remove the protection and hand it over again."),
        )
    elif not raw.startswith((b"PK\x03\x04", b"\x1f\x8b\x08")):
        yield Document(name, head_of(raw), opener, size)
    elif depth >= limits.nesting:
        reason = Text(
            "Containers are nested more than {n} deep; this one was not opened. Unpack it.", n=limits.nesting
        )
        yield Gap(Origin(name), reason)
    elif raw.startswith(b"PK"):
        yield from _zip(name, opener, limits, depth)
    else:
        inner = name.rpartition("/")[2].rpartition("!")[2].removesuffix(".gz")

        def unpack() -> IO[bytes]:
            below = opener()
            return _stream(cast("IO[bytes]", gzip.GzipFile(fileobj=below)), limits.octets, below)

        yield from _member(f"{name}!{inner}", size, unpack, limits, depth + 1)


def _seekable(opener: Opener) -> Opener:
    """Give an opener whose streams can be sought in: a zip that lies in a container is unpacked to a file on each opening."""

    def spool() -> IO[bytes]:
        stream = opener()
        if stream.seekable():
            return stream
        file = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115  (the caller closes it)
        with stream:
            shutil.copyfileobj(stream, file)
        file.seek(0)
        return cast("IO[bytes]", file)

    return spool


def _zip(name: str, opener: Opener, limits: Limits, depth: int) -> Iterator[Document | Gap]:
    opener = _seekable(opener)
    try:
        with opener() as stream, zipfile.ZipFile(stream) as archive:
            members = [member for member in archive.infolist() if not member.is_dir()]
    except _BROKEN:
        yield Gap(Origin(name), Text("The zip file is damaged. Download it again."))
        return
    if any(member.filename == "[Content_Types].xml" for member in members):
        yield Gap(
            Origin(name), Text("This is an Office document. Save the sheet as CSV UTF-8 and hand that over.")
        )
        return
    if len(members) > limits.members:
        reason = Text(
            "Only the first {n} of the container's {all} files were read.", n=limits.members, all=len(members)
        )
        yield Gap(Origin(name), reason, len(members) - limits.members)
    for member in members[: limits.members]:
        parts = [
            part for part in member.filename.replace("\\", "/").split("/") if part not in ("", ".", "..")
        ]
        inner = f"{name}!{'/'.join(parts)}"
        if member.flag_bits & 1:
            yield Gap(
                Origin(inner), Text("The file is encrypted. Unpack it with its password and hand it over.")
            )
            continue

        def unpack(member: zipfile.ZipInfo = member) -> IO[bytes]:
            below = opener()
            archive = zipfile.ZipFile(below)
            return _stream(archive.open(member), limits.octets, archive, below)

        yield from _member(inner, member.compress_size, unpack, limits, depth + 1)


def _member(name: str, packed: int, opener: Opener, limits: Limits, depth: int) -> Iterator[Document | Gap]:
    """Decompress a member once to know how far it is sound; give that part, and name what stopped it."""
    size, raw, problem = 0, b"", None
    try:
        with opener() as stream:
            while block := cast("io.BufferedReader", stream).read1(BLOCK_OCTETS):
                if len(raw) < HEAD_OCTETS:
                    raw = (raw + block)[:HEAD_OCTETS]
                size += len(block)
                if size > limits.octets or (size > 16 << 20 and size > packed * limits.ratio):
                    reason = Text(
                        "It unpacks to far more than it should and was not read. Unpack it and look at it first."
                    )
                    yield Gap(Origin(name), reason)
                    return
    except _BROKEN:
        problem = Gap(
            Origin(name), Text("The compressed data is damaged or cut; only the part before it was read.")
        )
    if problem:
        yield problem
    if problem is None or size:
        good = size
        yield from opened(name, raw, size, lambda: _stream(opener(), good), limits, depth)
