"""Opens zip, gzip, zlib, tar and mail by their content, however deep, within limits that name what they stop."""

from __future__ import annotations

import io
import lzma
import shutil
import struct
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import IO, cast

from portero.core.evidence import Gap, Origin
from portero.core.limits import Limits
from portero.core.mail.mime import Part, looks_like_mail
from portero.core.text import Text
from portero.sources.document import Document
from portero.sources.head import head_of
from portero.sources.mail_files import TNEF, filed_mails, label, may_be_evidence, opened_mail
from portero.sources.outlook import NoReaderError, outlook_mails
from portero.sources.text import BLOCK_OCTETS, HEAD_OCTETS
from portero.sources.zip_archive import TooManyError, ZipArchive

Opener = Callable[[], IO[bytes]]
_COMPOUND = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ZLIB = (b"\x78\x01", b"\x78\x9c", b"\x78\xda")
_IN_MEMORY = 32 << 20
_BUDGET_OCTETS = 256 << 20
_MEMBER_OCTETS = 16 << 20
_BROKEN = (
    *(OSError, EOFError, zlib.error, zipfile.BadZipFile, tarfile.TarError, lzma.LZMAError, struct.error),
    *(NotImplementedError, RuntimeError, ValueError, IndexError, KeyError, OverflowError),
)


class SpentError(Exception):
    """What lies in one file has used up its budget; carries why."""

    def __init__(self, reason: Text) -> None:
        super().__init__(str(reason))
        self.reason = reason


class Budget:
    """
    What all containers in one file that was handed over may cost together, and what in it is not opened.

    Bombs are of many small members or of containers in containers, each of which is harmless by itself.
    mails_whole:  whether a mail, .msg too, is given as it is: what a stranger attached to it is then no evidence.
    """

    def __init__(self, size: int, limits: Limits, *, mails_whole: bool = False) -> None:
        self.mails_whole = mails_whole
        self._octets = max(_BUDGET_OCTETS, size * limits.ratio)
        self._members, self._most = 0, limits.members

    def member(self) -> None:
        """Take one member. Raises SpentError when there were too many."""
        self._members += 1
        if self._members > self._most:
            raise SpentError(
                Text("Only the first {n} of the files in its containers were read.", n=self._most)
            )

    def unpacked(self, octets: int) -> None:
        """Take octets that were unpacked. Raises SpentError when there were too many."""
        self._octets -= octets
        if self._octets < 0:
            raise SpentError(
                Text(
                    "Its containers unpack to far more than they should; the rest was not read. Look at it first."
                )
            )


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
    name: str, raw: bytes, size: int, opener: Opener, limits: Limits, *, mails_whole: bool = False
) -> Iterator[Document | Gap]:
    """
    Give a stream as one document, or the documents inside it; a mail is both.

    raw:          its first 64 KiB.
    size:         its octets.
    mails_whole:  whether mails and compound files are given as they are rather than opened.
    """
    try:
        yield from _opened(name, raw, size, opener, limits, 0, Budget(size, limits, mails_whole=mails_whole))
    except SpentError as spent:
        yield Gap(Origin(name), spent.reason)


def _opened(
    name: str, raw: bytes, size: int, opener: Opener, limits: Limits, depth: int, budget: Budget
) -> Iterator[Document | Gap]:
    if not raw:
        yield Gap(
            Origin(name),
            Text(
                "The file is empty. Export it again; where a cmdlet answers with nothing, ConvertTo-Json -InputObject @(…) "
                "writes [], and a pipe writes an empty file."
            ),
        )
    elif raw.startswith(b".pfile"):
        yield Gap(
            Origin(name),
            Text("The file is rights-protected (.pfile). Remove the protection and hand it over again."),
        )
    elif raw.startswith(TNEF):
        reason = Text(
            "This is a winmail.dat (TNEF), in which Outlook wraps attachments; it was not opened. "
            "Have the files in it saved and hand those over."
        )
        yield Gap(Origin(name), reason)
    elif budget.mails_whole and (raw.startswith(_COMPOUND) or looks_like_mail(raw)):
        yield Document(name, head_of(raw), opener, size, limits, whole=True)
    elif looks_like_mail(raw):
        yield Document(name, head_of(raw), opener, size, limits)
        yield from _attached(name, opener, limits, depth, budget)
    elif (open_ := _container(raw)) is None:
        yield Document(name, head_of(raw), opener, size, limits)
    elif depth >= limits.nesting:
        yield _too_deep(name, limits)
    else:
        yield from open_(name, size, opener, limits, depth, budget)


def _container(
    raw: bytes,
) -> Callable[[str, int, Opener, Limits, int, Budget], Iterator[Document | Gap]] | None:
    """Tell a container by its first octets. Source: reference data-formats section 2; tar by POSIX.1 ustar."""
    if raw.startswith(b"PK\x03\x04"):
        return _zip
    if raw.startswith(b"\x1f\x8b\x08"):
        return _gzip
    if raw.startswith(_COMPOUND):
        return _outlook
    if raw[257:262] == b"ustar":
        return _tar
    if raw[:2] in _ZLIB:
        try:
            zlib.decompressobj().decompress(raw, 1024)
        except zlib.error:
            return None
        return _zlib
    return None


def _too_deep(name: str, limits: Limits) -> Gap:
    reason = Text(
        "Containers are nested more than {n} deep; this one was not opened. Unpack it.", n=limits.nesting
    )
    return Gap(Origin(name), reason)


class _Inflated(io.RawIOBase):
    """
    A gzip or zlib stream decompressed while it is read. Source: RFC 1950, RFC 1952.

    window:  31 for gzip, whose members may follow one another, 15 for zlib.
    Blanks and zeros behind the last member mean nothing: mail programs add line ends.
    """

    def __init__(self, below: IO[bytes], window: int) -> None:
        self._below, self._window = below, window
        self._unpack = zlib.decompressobj(window)
        self._packed = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        view = memoryview(cast("bytearray", buffer))
        while True:
            if self._unpack.eof:
                rest = (self._unpack.unused_data + self._below.read(HEAD_OCTETS)).lstrip(b"\0 \t\r\n")
                if not rest:
                    return 0
                self._packed, self._unpack = rest, zlib.decompressobj(self._window)
            packed = self._packed or self._below.read(HEAD_OCTETS)
            if not packed:
                raise EOFError
            data = self._unpack.decompress(packed, len(view))
            self._packed = self._unpack.unconsumed_tail
            if data:
                view[: len(data)] = data
                return len(data)

    def close(self) -> None:
        self._below.close()
        super().close()


def _inflated(opener: Opener, window: int, limits: Limits) -> Opener:
    return lambda: _stream(
        cast("IO[bytes]", io.BufferedReader(_Inflated(opener(), window), BLOCK_OCTETS)), limits.octets + 1
    )


def _gzip(
    name: str, size: int, opener: Opener, limits: Limits, depth: int, budget: Budget
) -> Iterator[Document | Gap]:
    stem = name.rpartition("/")[2].rpartition("!")[2]
    inner = f"{stem.removesuffix('.tgz')}.tar" if stem.endswith(".tgz") else stem.removesuffix(".gz")
    yield from _member(f"{name}!{inner}", size, _inflated(opener, 31, limits), limits, depth + 1, budget)


def _zlib(
    name: str, size: int, opener: Opener, limits: Limits, depth: int, budget: Budget
) -> Iterator[Document | Gap]:
    stem = name.rpartition("/")[2].rpartition("!")[2]
    inner = f"{name}!{stem.removesuffix('.zlib')}"
    yield from _member(inner, size, _inflated(opener, 15, limits), limits, depth + 1, budget)


class _Unpacked:
    """What lies in another container, unpacked once to a temporary file that goes when nobody holds a view of it."""

    def __init__(self, stream: IO[bytes]) -> None:
        self.file = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115  (closed below)
        with stream:
            shutil.copyfileobj(stream, self.file, BLOCK_OCTETS)
        self.size = self.file.tell()

    def __del__(self) -> None:
        self.file.close()


class _View(io.RawIOBase):
    """One reader's own place in what is shared; each reading seeks first, so that readers may alternate."""

    def __init__(self, held: _Unpacked) -> None:
        self._held, self._at = held, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._held.size}[whence]
        if base + offset < 0:
            raise ValueError
        self._at = base + offset
        return self._at

    def readinto(self, buffer: object) -> int:
        view = memoryview(cast("bytearray", buffer))
        self._held.file.seek(self._at)
        data = self._held.file.read(len(view))
        view[: len(data)] = data
        self._at += len(data)
        return len(data)


def _seekable(opener: Opener) -> Opener:
    """Give an opener whose streams can be sought in."""
    stream = opener()
    if stream.seekable():
        stream.close()
        return opener
    held = _Unpacked(stream)
    return lambda: cast("IO[bytes]", io.BufferedReader(_View(held)))


def _zip(
    name: str, _: int, opener: Opener, limits: Limits, depth: int, budget: Budget
) -> Iterator[Document | Gap]:
    try:
        archive = ZipArchive(_seekable(opener), limits.members)
    except TooManyError:
        raise SpentError(
            Text(
                "It holds far more files than the {n} that are allowed, and was not opened. Look at it first.",
                n=limits.members,
            )
        ) from None
    except _BROKEN:
        yield Gap(Origin(name), Text("The zip file is damaged. Download it again."))
        return
    with archive:
        yield from _zipped(name, archive, limits, depth, budget)


def _zipped(
    name: str, archive: ZipArchive, limits: Limits, depth: int, budget: Budget
) -> Iterator[Document | Gap]:
    if any(member.filename == "[Content_Types].xml" for member in archive.members):
        yield Gap(
            Origin(name), Text("This is an Office document. Save the sheet as CSV UTF-8 and hand that over.")
        )
        return
    for member in archive.members:
        inner = f"{name}!{_harmless(member.filename)}"
        if member.flag_bits & 1:
            budget.member()
            yield Gap(
                Origin(inner), Text("The file is encrypted. Unpack it with its password and hand it over.")
            )
            continue

        def unpack(member: zipfile.ZipInfo = member) -> IO[bytes]:
            stream, below = archive.open(member)
            return _stream(stream, limits.octets + 1, *below)

        yield from _member(inner, member.compress_size, unpack, limits, depth + 1, budget)


def _harmless(path: str) -> str:
    """Give a member's path as a mere name: nothing in it leads out of the container."""
    parts = [part for part in path.replace("\\", "/").split("/") if part not in ("", ".", "..")]
    return "/".join(parts)


def _tar(
    name: str, _: int, opener: Opener, limits: Limits, depth: int, budget: Budget
) -> Iterator[Document | Gap]:
    try:
        opener = _seekable(opener)
        with opener() as stream, tarfile.open(fileobj=stream, mode="r:") as archive:
            for member in archive:
                if member.isdir():
                    budget.member()
                    continue
                inner = f"{name}!{_harmless(member.name)}"
                if not member.isreg():
                    budget.member()
                    yield Gap(Origin(inner), Text("This is no regular file and was not read."))
                    continue

                def unpack(start: int = member.offset_data, size: int = member.size) -> IO[bytes]:
                    below = opener()
                    below.seek(start)
                    return _stream(below, size)

                yield from _member(inner, member.size, unpack, limits, depth + 1, budget)
    except _BROKEN:
        yield Gap(Origin(name), Text("The tar file is damaged or cut; only the part before it was read."))


def _attached(
    name: str, opener: Opener, limits: Limits, depth: int, budget: Budget
) -> Iterator[Document | Gap]:
    """Give the documents inside the mails of a file; what a mail itself says, the mail's own source reads."""
    for filed in filed_mails(opener(), limits):
        if filed.octets is None:
            continue
        mail = opened_mail(filed.octets, limits)
        place = f"{name}!{filed.number}" if filed.number > 1 else name
        yield from _parts(
            place, [part for part in mail.parts if may_be_evidence(part)], limits, depth, budget
        )


def _parts(
    name: str, parts: Sequence[Part], limits: Limits, depth: int, budget: Budget
) -> Iterator[Document | Gap]:
    if parts and depth >= limits.nesting:
        yield _too_deep(name, limits)
        return
    named: set[str] = set()
    for part in parts:
        octets, title = part.octets, label(part)
        inner = f"{name}!{title}" if title not in named else f"{name}!{part.place} {title}"
        named.add(title)
        yield from _opened(
            inner, octets[:HEAD_OCTETS], len(octets), partial(_memory, octets), limits, depth + 1, budget
        )


def _memory(octets: bytes) -> IO[bytes]:
    return io.BytesIO(octets)


def _outlook(
    name: str, size: int, opener: Opener, limits: Limits, depth: int, budget: Budget
) -> Iterator[Document | Gap]:
    """Open a .msg file: its header is a document, and so are the mails and files attached to it."""
    if size > limits.mail_octets:
        yield Gap(Origin(name), too_long(limits))
        return
    with opener() as stream:
        octets = stream.read(limits.mail_octets)
    found = False
    try:
        for mail in outlook_mails(octets, limits.nesting - depth, limits.parts):
            found = True
            place = f"{name}!{mail.place}.msg" if mail.place else name
            if mail.cut:
                reason = Text(
                    "The mail has too many parts, or they are nested too deeply; not all were read."
                )
                yield Gap(Origin(place), reason)
            if mail.header is None:
                reason = Text("The mail holds no internet header, so it does not show how it came.")
                yield Gap(Origin(place), reason)
            else:
                header = mail.header
                yield Document(place, head_of(header), partial(_memory, header), len(header), limits)
            yield from _parts(
                place, [part for part in mail.parts if may_be_evidence(part)], limits, depth, budget
            )
    except NoReaderError:
        yield Gap(
            Origin(name),
            Text(
                "Reading .msg files wants the extra “messages”. Install portero[messages], or save the mail as .eml."
            ),
        )
        return
    if not found:
        yield Gap(
            Origin(name),
            Text("This is an Office document of the old form, or damaged. Export the data as CSV UTF-8."),
        )


def too_long(limits: Limits) -> Text:
    """Say that a mail was not read because of its length."""
    return Text("The mail is longer than {n} octets and was not read.", n=limits.mail_octets)


def _member(
    name: str, packed: int, opener: Opener, limits: Limits, depth: int, budget: Budget
) -> Iterator[Document | Gap]:
    """Decompress a member once to know how far it is sound; give that part, and name what stopped it."""
    size, raw, problem = 0, b"", None
    budget.member()
    try:
        with opener() as stream:
            while block := cast("io.BufferedReader", stream).read1(BLOCK_OCTETS):
                if len(raw) < HEAD_OCTETS:
                    raw = (raw + block)[:HEAD_OCTETS]
                size += len(block)
                budget.unpacked(len(block))
                if size > limits.octets or (size > _MEMBER_OCTETS and size > packed * limits.ratio):
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
        yield from _opened(name, raw, size, lambda: _stream(opener(), good), limits, depth, budget)
