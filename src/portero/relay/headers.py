"""Reads and mends the header section of a message as bytes; the body is never looked into."""

from __future__ import annotations

import email.header
import email.utils
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

# A header section longer than this is an attack or a fault. Source: Postfix, header_size_limit.
HEADER_OCTETS = 102_400
_READ = frozenset({b"from", b"message-id", b"date", b"subject", b"received"})
_FROM = re.compile(rb"^from[ \t]*:((?:[^\r\n]|\r\n[ \t])*)\r\n", re.IGNORECASE | re.MULTILINE)
_WHOLE = re.compile(rb"^([!-9;-~]+)[ \t]*:(?:[^\r\n]|\r\n[ \t])*\r\n", re.MULTILINE)


class Head(NamedTuple):
    """
    What the relay wants to know of a header section; a tuple, made in half the time of a frozen dataclass.

    header_from:  the one author, None where From is missing, repeated, names several or cannot be read.
    received:     Received fields; `ours` of them were written by this host.
    """

    header_from: str | None
    message_id: str
    subject: str
    has_from: bool
    has_date: bool
    received: int
    ours: int


def split_head(content: bytes) -> tuple[bytes, bytes]:
    """
    Split a message in its header section, each line with its CRLF, and the rest, which begins with the empty line.

    A message without an empty line is all header where it looks like one, else all body. Source: RFC 5322 section 2.1.
    """
    if content.startswith(b"\r\n"):
        return b"", content
    end = content.find(b"\r\n\r\n")
    if end >= 0:
        head, rest = content[: end + 2], content[end + 2 :]
        # Scanners exist that send no header at all; what they send must not become one.
        return (head, rest) if _WHOLE.match(head) else (b"", b"\r\n" + content)
    if _WHOLE.match(content):
        return content, b"\r\n"
    return b"", b"\r\n" + content


def read_head(head: bytes, hostname: str) -> Head:
    """Read a header section. Raises nothing: what cannot be read is absent."""
    froms: list[bytes] = []
    message_id = subject = b""
    dated = False
    received = ours = 0
    by = b"by " + hostname.encode()
    for line in head.replace(b"\r\n ", b" ").replace(b"\r\n\t", b"\t").split(b"\r\n"):
        name, colon, value = line.partition(b":")
        kind = name.rstrip(b" \t").lower()
        if kind not in _READ or not colon:
            continue
        if kind == b"received":
            received += 1
            ours += by in value
        elif kind == b"from":
            froms.append(value)
        elif kind == b"message-id":
            message_id = value
        elif kind == b"subject":
            subject = value
        else:
            dated = True
    return Head(
        header_from=author(froms[0]) if len(froms) == 1 else None,
        message_id=message_id.strip().decode("utf-8", "replace")[:250],
        subject=_subject(subject[:1000]),
        has_from=bool(froms),
        has_date=dated,
        received=received,
        ours=ours,
    )


@lru_cache(maxsize=4096)
def author(value: bytes) -> str | None:
    """
    Give the one mailbox of a From field, or None where it names none or several.

    A display name that looks like an address is no address; a group is none either. Source: RFC 5322 section 3.6.2.
    """
    text = value.decode("utf-8", "replace").replace("\r\n", "")
    try:
        found = [pair for pair in email.utils.getaddresses([text]) if pair[0] or pair[1]]
    except (ValueError, IndexError, TypeError):
        return None
    if len(found) != 1 or "@" not in found[0][1] or any(each.isspace() for each in found[0][1]):
        return None
    return found[0][1]


@lru_cache(maxsize=4096)
def _subject(value: bytes) -> str:
    text = value.replace(b"\r\n", b"").strip().decode("utf-8", "replace")
    if "=?" not in text:
        return text[:200]
    try:
        return str(email.header.make_header(email.header.decode_header(text)))[:200]
    except (ValueError, LookupError, email.errors.MessageError):
        return text[:200]


def mend(
    head: bytes,
    *,
    remove: frozenset[str] = frozenset(),
    replace: Mapping[str, bytes] | None = None,
) -> bytes:
    """
    Take fields out and put others in their place.

    remove:   names in lower case.
    replace:  lower-case names to the whole new field with its CRLF; the first of that name gives its place, a missing
              one is added at the end.
    """
    new = dict(replace or {})
    if not remove and not new:
        return head
    seen: set[str] = set()
    parts: list[bytes] = []
    position = 0
    for field in _WHOLE.finditer(head):
        name = field[1].decode("ascii").lower()
        if name not in remove and name not in new:
            continue
        parts.append(head[position : field.start()])
        if name in new and name not in seen:
            parts.append(new[name])
            seen.add(name)
        position = field.end()
    parts.append(head[position:])
    parts += [text for name, text in new.items() if name not in seen]
    return b"".join(parts)


def first_author_name(head: bytes) -> str:
    """Give the display name of the first From field, "" where there is none."""
    found = _FROM.search(head)
    return (
        ""
        if found is None
        else email.utils.parseaddr(found[1].decode("utf-8", "replace").replace("\r\n", ""))[0]
    )
