"""Messages among files: one to a file, or many in an mbox, told by content."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import IO

from portero.core.mail.mime import looks_like_mail, read_fields
from portero.opening.outlook import SIGNATURE

MOST = 64 << 20
_FROM = re.compile(rb"From [^\r\n]{0,1000}\d{4}[^\r\n]{0,20}\r?\n\Z")


def holds_mail(head: bytes) -> bool:
    """
    Tell whether a document is a message or an mbox by its first 64 KiB.

    A compound file counts, which may turn out to be a document instead.
    """
    return head.startswith(SIGNATURE) or looks_like_mail(head)


def is_mbox(head: bytes) -> bool:
    """Tell whether a document is an mbox: it begins with an envelope line. Source: RFC 4155 appendix A."""
    return bool(_FROM.match(head[: head.find(b"\n") + 1]))


def messages(stream: IO[bytes]) -> Iterator[bytes]:
    """
    Give the messages of an mbox, each without its envelope line; quoted ``>From `` lines lose one sign.

    An envelope line counts after a blank line, or where it has the form of one. Of a message beyond 64 MiB the front is kept.
    """
    held: list[bytes] = []
    size = 0
    blank = True
    for line in stream:
        if blank and line.startswith(b"From ") and _FROM.match(line):
            if held:
                yield b"".join(held)
            held, size = [], 0
        elif size < MOST:
            held.append(line[1:] if re.match(rb">+From ", line) else line)
            size += len(line)
        blank = not line.strip()
    if held:
        yield b"".join(held)


def keys(head: bytes) -> tuple[str, ...]:
    """Give the ids by which a trace knows a message: its network message id and its Message-ID."""
    found: list[str] = []
    for name, value in read_fields(head.lstrip(b"\xef\xbb\xbf\r\n"))[0]:
        if name.lower() in {
            "message-id",
            "x-ms-exchange-organization-network-message-id",
            "x-ms-office365-filtering-correlation-id",
        }:
            text = value.strip("<>{} ")
            found.append(text if "@" in text else text.lower())
    return tuple(found[:5])
