"""Files of mails: one mail (.eml, pasted headers), or many in the mbox dialects, given one after another within bounds."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

from portero.core.limits import Limits
from portero.core.mail.mime import Mail, Part, looks_like_mail, read_mail
from portero.sources.csv_rows import heading
from portero.sources.text import HEAD_OCTETS

_LINE = 1 << 20
# Of mbox only the line that begins a mail is sure: an address and a time. Source: RFC 4155 appendix A.
_FROM = re.compile(rb"From (?:[^\n]{0,1000} )?[^\n]{0,80}\d\d:\d\d[^\n]{0,80}\r?\n\Z")
_QUOTED = re.compile(rb"^>(>*From )", re.MULTILINE)
TNEF = b"\x78\x9f\x3e\x22"  # MS-OXTNEF 2.1.3.1: 0x223E9F78, lowest octet first
_CONTAINERS = (b"PK\x03\x04", b"\x1f\x8b\x08", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")


@dataclass(frozen=True, slots=True)
class Filed:
    """
    One mail as it lies in its file.

    number:  1-based.
    octets:  None for one that is longer than the bound.
    """

    number: int
    octets: bytes | None


def filed_mails(stream: IO[bytes], limits: Limits) -> Iterator[Filed]:
    """Give the mails of a stream; closes it. A file that does not begin with a ``From `` line is one mail."""
    with stream:
        first = stream.readline(_LINE)
        if not _FROM.match(first):
            octets = first + stream.read(limits.mail_octets + 1 - min(len(first), limits.mail_octets))
            yield Filed(1, octets if len(octets) <= limits.mail_octets else None)
            return
        number, held, size, blank = 1, [first], len(first), False
        while line := stream.readline(_LINE):
            if blank and line.startswith(b"From ") and _FROM.match(line):
                yield _filed(number, held, size, limits)
                number, held, size = number + 1, [], 0
            size += len(line)
            if size <= limits.mail_octets:
                held.append(line)
            blank = line in (b"\n", b"\r\n")
        yield _filed(number, held, size, limits)


def _filed(number: int, held: list[bytes], size: int, limits: Limits) -> Filed:
    if size > limits.mail_octets:
        return Filed(number, None)
    # mboxrd and mboxo put a sign before lines of the body that begin like a separator.
    return Filed(number, _QUOTED.sub(rb"\1", b"".join(held)))


def opened_mail(octets: bytes, limits: Limits) -> Mail:
    """Open one mail within the bounds."""
    return read_mail(octets, most_parts=limits.parts, deepest=limits.part_nesting, most_fields=limits.headers)


def may_be_evidence(part: Part) -> bool:
    """Tell whether a part of a mail is worth opening: attached mails, containers, and XML, JSON or tables."""
    octets = part.octets
    if part.content_type in {"message/rfc822", "message/global", "text/rfc822-headers"}:
        return looks_like_mail(octets[:HEAD_OCTETS])
    if part.content_type.startswith("message/") or octets[:14].lower() == b"feedback-type:":
        return False  # a report's own part, which belongs to the mail
    if octets.startswith((*_CONTAINERS, TNEF)) or _zlib(octets):
        return True
    if part.content_type == "text/html" or (part.content_type == "text/plain" and not part.name):
        return False
    if part.content_type.startswith(("image/", "audio/", "video/", "font/", "text/calendar")):
        return False
    text = octets[:4096].decode("utf-8", "replace").replace("\0", "").lstrip("\ufeff \t\r\n")
    if text.startswith("<"):
        return not re.match(r"<(?:!doctype\s+)?(?:html|svg)", text, re.IGNORECASE)
    return text.startswith(("{", "[")) or len(heading(text)[0]) > 2 or looks_like_mail(octets[:HEAD_OCTETS])


def _zlib(octets: bytes) -> bool:
    return octets[:2] in (b"\x78\x01", b"\x78\x9c", b"\x78\xda")


def label(part: Part) -> str:
    """Give the name by which a reader knows a part: its file's name, or its place and type."""
    name = part.name.replace("\\", "/").rpartition("/")[2].replace("!", "_").strip(". ")
    return name or f"{part.place} {part.content_type}"
