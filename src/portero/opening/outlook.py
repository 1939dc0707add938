"""Outlook's .msg files as mail: the compound file's properties made into fields and parts."""

from __future__ import annotations

import base64
import hashlib
import io
import re
from urllib.parse import quote

import olefile

from portero.core.mail.mime import Mail, Part, decoded, read_fields
from portero.opening.office import BROKEN

SIGNATURE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_INNER = "__substg1.0_3701000D"
_ATTACHED = re.compile(r"__attach_version1\.0_#[0-9a-f]{8}\Z", re.IGNORECASE)


def read_msg(octets: bytes) -> Mail | None:
    """
    Open a .msg; None where the compound file holds no message.

    Mail that never crossed SMTP has no internet headers: its fields are then made of From, To, Subject and Date alone.
    Source: MS-OXMSG 2.1 to 2.2; MS-OXPROPS for the property ids.
    """
    try:
        with olefile.OleFileIO(io.BytesIO(octets)) as held:
            return _message(_Store(held, 4 * len(octets)), [])
    except (*BROKEN, AttributeError, TypeError, RecursionError, MemoryError):
        return None


def is_msg(octets: bytes) -> bool:
    """Tell whether a compound file is a message rather than a document."""
    return octets.startswith(SIGNATURE) and "__properties_version1.0".encode("utf-16-le") in octets[: 4 << 20]


class _Store:
    """
    The compound file's streams.

    left:  octets that may still be read: streams may overlap, so that a small file could give without end.
    """

    def __init__(self, file: olefile.OleFileIO, left: int) -> None:
        self._file, self._left = file, left
        self._entries = [list(map(str, entry)) for entry in file.listdir(streams=True, storages=True)]

    def below(self, root: list[str]) -> list[str]:
        """Give the names right below a storage, as they are spelt."""
        deep = len(root)
        return list(
            dict.fromkeys(
                entry[deep] for entry in self._entries if len(entry) > deep and entry[:deep] == root
            )
        )

    def read(self, place: list[str]) -> bytes | None:
        """Give a stream's octets, None where it is not there or more than may be read."""
        if not self._file.exists(place):
            return None
        size = self._file.get_size(place)
        if size > self._left:
            return None
        self._left -= size
        return bytes(self._file.openstream(place).read())


def _message(held: _Store, root: list[str]) -> Mail | None:
    names = held.below(root)
    if "__properties_version1.0" not in {name.lower() for name in names}:
        return None
    headers = _text(held, root, "007D")
    fields = read_fields(headers.lstrip("\r\n ").encode("utf-8"))[0] if headers else ()
    if not fields:
        made = [
            (
                "From",
                f"{_text(held, root, '0C1A') or ''} <{_text(held, root, '5D01') or _text(held, root, '0C1F') or ''}>",
            ),
            ("To", _text(held, root, "0E04") or ""),
            ("Subject", _text(held, root, "0037") or ""),
            ("Message-ID", _text(held, root, "1035") or ""),
        ]
        fields = tuple(
            (name, value.replace("\r", " ").replace("\n", " ").strip())
            for name, value in made
            if value.strip(" <>")
        )
    parts: list[Part] = []
    body = _text(held, root, "1000")
    if body:
        parts.append(Part("1", "text/plain", body.encode("utf-8"), "utf-8"))
    markup = _octets(held, root, "1013", "0102")
    if markup is None:
        source = _text(held, root, "1013")
        markup = source.encode("utf-8") if source else None
    if markup:
        parts.append(Part("2", "text/html", markup, _charset(markup)))
    for number, name in enumerate(sorted(each for each in names if _ATTACHED.match(each)), 1):
        part = _attachment(held, [*root, name], number)
        if part is not None:
            parts.append(part)
    return Mail(fields, tuple(parts[:200]), has_body=bool(parts))


def _charset(markup: bytes) -> str:
    found = re.search(rb"charset\s*=\s*[\"']?([\w-]{1,40})", markup[:2000], re.IGNORECASE)
    return found[1].decode("ascii") if found else "utf-8"


def _attachment(held: _Store, place: list[str], number: int) -> Part | None:
    name = _text(held, place, "3707") or _text(held, place, "3704") or _text(held, place, "3001") or ""
    kind = (_text(held, place, "370E") or "application/octet-stream").lower()
    octets = _octets(held, place, "3701", "0102")
    if octets is None and held.below([*place, _INNER]):
        inner = _message(held, [*place, _INNER])
        if inner is None:
            return None
        return Part(str(number + 2), "message/rfc822", as_octets(inner), name=name, attached=True)
    if octets is None:
        return None
    return Part(
        str(number + 2), kind, octets, name=name, attached=True, content_id=_text(held, place, "3712") or ""
    )


def as_octets(mail: Mail) -> bytes:
    """Write a mail's fields, its text and its attachments as bytes, so that it opens like any attached mail."""
    fields = [
        (name, value) for name, value in mail.fields if not name.lower().startswith(("content-", "mime-"))
    ]
    head = "".join(f"{name}: {value}\r\n" for name, value in fields).encode("utf-8", "replace")
    markup = next((part for part in mail.parts if part.content_type == "text/html"), None)
    body = markup or next((part for part in mail.parts if part.content_type == "text/plain"), None)
    kind = body.content_type if body else "text/plain"
    text = (body.text if body else "").encode("utf-8", "replace")
    coded = base64.encodebytes(text)
    parts = [f"Content-Type: {kind}; charset=utf-8\r\n{_CODED}".encode() + coded]
    parts += [_written(part) for part in mail.parts if part.attached]
    # Derived from what it separates, so that no text can hold it by chance or on purpose.
    boundary = hashlib.sha256(b"".join(parts)).hexdigest().encode()
    inner = b"".join(b"--" + boundary + b"\r\n" + part + b"\r\n" for part in parts)
    return (
        head
        + b'Content-Type: multipart/mixed; boundary="'
        + boundary
        + b'"\r\n\r\n'
        + inner
        + b"--"
        + boundary
        + b"--\r\n"
    )


_CODED = "Content-Transfer-Encoding: base64\r\n\r\n"


def _written(part: Part) -> bytes:
    """Write an attachment; an attached mail stands as it is, for RFC 2046 section 5.2.1 allows it no encoding."""
    name = quote(part.name[:200], safe="")
    head = (
        f"Content-Type: {part.content_type}\r\nContent-Disposition: attachment; filename*=utf-8''{name}\r\n"
    )
    if part.content_type == "message/rfc822":
        return f"{head}\r\n".encode() + part.octets
    return f"{head}{_CODED}".encode() + base64.encodebytes(part.octets)


def _octets(held: _Store, root: list[str], prop: str, kind: str) -> bytes | None:
    return held.read([*root, f"__substg1.0_{prop}{kind}"])


def _text(held: _Store, root: list[str], prop: str) -> str | None:
    wide = _octets(held, root, prop, "001F")
    if wide is not None:
        return wide.decode("utf-16-le", "replace").rstrip("\x00")
    narrow = _octets(held, root, prop, "001E")
    return decoded(narrow, "utf-8").rstrip("\x00") if narrow is not None else None
