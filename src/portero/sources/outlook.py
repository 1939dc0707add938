"""Outlook's .msg files: the mail's own header, and what is attached to it."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import IO

from portero.core.mail.mime import Part

_BROKEN = (OSError, ValueError, IndexError, KeyError, TypeError, struct.error, RecursionError, AssertionError)
_ATTACHMENT = "__attach_version1.0_"


class NoReaderError(Exception):
    """The library that opens .msg files is not installed."""


@dataclass(frozen=True, slots=True)
class OutlookMail:
    """
    A mail out of a .msg file.

    place:   number of the attachments it lies in, ``""`` for the outer one.
    header:  its header as it came over SMTP, as octets, or None where the file holds none.
    parts:   its attachments; attached mails come as OutlookMail of their own.
    cut:     whether some of them lie beyond the bounds.
    """

    place: str
    header: bytes | None
    parts: tuple[Part, ...]
    cut: bool = False


def outlook_mails(octets: bytes, nesting: int, most: int = 400) -> Iterator[OutlookMail]:
    """
    Give the mail of a .msg file and the mails attached to it; nothing where the file is another Office document.

    nesting:  mails attached to mails.
    most:     attachments of the whole file. Streams may overlap, so together they give at most four times its octets.

    Raises NoReaderError without the extra ``messages``. A damaged file gives what can be read.
    Source: MS-OXMSG sections 2.1 and 2.2; property 0x007D is the header, 0x3701 an attachment's data.
    """
    try:
        import olefile
    except ImportError:
        raise NoReaderError from None
    try:
        with olefile.OleFileIO(io.BytesIO(octets)) as file:
            names = {tuple(part.lower() for part in entry): entry for entry in file.listdir()}
            if ("__properties_version1.0",) in names:
                yield from _mails(_Store(file.openstream, names, most, 4 * len(octets)), (), "", nesting)
    except _BROKEN:
        return


class _Store:
    """The streams of a compound file by lower-case path."""

    def __init__(
        self,
        open_: Callable[[list[str]], IO[bytes]],
        names: dict[tuple[str, ...], list[str]],
        most: int,
        octets: int,
    ) -> None:
        self.open, self.names, self._most, self._octets = open_, names, most, octets
        self.spent = False

    def read(self, *path: str) -> bytes | None:
        entry = self.names.get(path)
        if entry is None:
            return None
        if self._octets <= 0:
            self.spent = True
            return None
        try:
            found = self.open(entry).read()
        except _BROKEN:
            return None
        self._octets -= len(found)
        return found

    def take(self) -> bool:
        """Count one attachment; False when there were too many."""
        self._most -= 1
        return self._most >= 0

    def text(self, folder: tuple[str, ...], property_: str) -> str | None:
        """Read a text property: UTF-16, or eight bits of an unnamed code page."""
        raw = self.read(*folder, f"__substg1.0_{property_}001f")
        if raw is not None:
            return raw.decode("utf-16-le", "replace")
        raw = self.read(*folder, f"__substg1.0_{property_}001e")
        return None if raw is None else raw.decode("cp1252", "replace")

    def attachments(self, folder: tuple[str, ...]) -> list[str]:
        at = len(folder)
        found = {name[at] for name in self.names if len(name) > at and name[:at] == folder}
        return sorted(name for name in found if name.startswith(_ATTACHMENT))


def _mails(store: _Store, folder: tuple[str, ...], place: str, nesting: int) -> Iterator[OutlookMail]:
    header = store.text(folder, "007d")
    parts: list[Part] = []
    inner: list[tuple[tuple[str, ...], str]] = []
    cut = False
    for number, name in enumerate(store.attachments(folder), 1):
        if not store.take():
            cut = True
            break
        attachment = (*folder, name)
        below = (*attachment, "__substg1.0_3701000d")
        where = f"{place}.{number}" if place else str(number)
        if (*below, "__properties_version1.0") in store.names:
            inner.append((below, where))
            continue
        octets = store.read(*attachment, "__substg1.0_37010102")
        if octets:
            title = store.text(attachment, "3707") or store.text(attachment, "3704") or ""
            parts.append(Part(where, "application/octet-stream", octets, name=title[:255], attached=True))
    cut = cut or store.spent or (bool(inner) and nesting < 2)
    yield OutlookMail(place, header.encode() if header and header.strip() else None, tuple(parts), cut)
    for below, where in inner if nesting > 1 else ():
        yield from _mails(store, below, where, nesting - 1)
