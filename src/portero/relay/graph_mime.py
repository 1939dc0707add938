"""Makes a message fit Microsoft Graph, which reads recipients from headers only and damages quoted-printable."""

from __future__ import annotations

import base64
import email
import email.errors
import email.header
import email.message
import email.policy
import email.utils
import re
from collections.abc import Sequence
from typing import Any, cast

from portero.core.address import mailbox_key
from portero.relay.headers import mend, split_head

_AS_THEY_ARE = email.policy.compat32.clone(linesep="\r\n", max_line_length=None)
# A request may hold about 4 MB, and JSON may write six octets for one.
_TEXT_CHARACTERS = 500_000
_ADDRESSED = re.compile(rb"^(to|cc)[ \t]*:((?:[^\r\n]|\r\n[ \t])*)\r\n", re.IGNORECASE | re.MULTILINE)


def addressed(plain: bytes, recipients: Sequence[str]) -> bytes:
    """
    Make the headers name exactly the envelope's recipients, and the parts travel as base64.

    To and Cc keep those they name that are recipients; the other recipients are put in Bcc, which Graph takes out.
    Whoever a header names and the envelope does not would otherwise be sent a message nobody sent them.
    Source: observed by SMTP2Graph (issue 30); quoted-printable is damaged, observed by smtp-oauth-relay.
    """
    head, rest = split_head(plain)
    wanted = {mailbox_key(each): each for each in recipients}
    named: set[str] = set()
    fields: dict[str, list[str]] = {"to": [], "cc": []}
    for name, value in _ADDRESSED.findall(head):
        for shown, mailbox in _pairs(value):
            key = mailbox_key(mailbox)
            if key in wanted and key not in named:
                named.add(key)
                fields[name.decode().lower()].append(email.utils.formataddr((shown, mailbox)))
    hidden = [each for key, each in wanted.items() if key not in named]
    replace = {
        name: f"{name.capitalize()}: {_folded(held)}\r\n".encode() for name, held in fields.items() if held
    }
    if hidden:
        replace["bcc"] = f"Bcc: {_folded(hidden)}\r\n".encode()
    gone = frozenset({"to", "cc", "bcc"} - replace.keys())
    return _base64_parts(mend(head, remove=gone, replace=replace) + rest)


def _pairs(value: bytes) -> list[tuple[str, str]]:
    text = value.decode("utf-8", "replace").replace("\r\n", "")
    try:
        return [pair for pair in email.utils.getaddresses([text]) if "@" in pair[1]]
    except (ValueError, IndexError, TypeError):
        return []


def _folded(addresses: Sequence[str]) -> str:
    return ",\r\n ".join(addresses)


def _base64_parts(plain: bytes) -> bytes:
    if b"quoted-printable" not in plain.lower():
        return plain
    try:
        message = email.message_from_bytes(plain, policy=_AS_THEY_ARE)
        for part in message.walk():
            encoding = str(part.get("Content-Transfer-Encoding", "")).strip().lower()
            if part.is_multipart() or encoding != "quoted-printable":
                continue
            body = cast("bytes", part.get_payload(decode=True))
            del part["Content-Transfer-Encoding"]
            part["Content-Transfer-Encoding"] = "base64"
            part.set_payload(base64.encodebytes(body).replace(b"\n", b"\r\n").decode("ascii"))
        return message.as_bytes(policy=_AS_THEY_ARE)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError, email.errors.MessageError):
        return plain


def as_draft(plain: bytes) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """
    Take a MIME message apart into a draft, as Graph's JSON has it, and its attachments. Raises nothing.

    An attachment is its words for Graph (``name``, ``contentType``, ``isInline``, ``contentId``) and ``content``, bytes.
    A text too large for a request is cut there and attached whole, so that it goes by an upload session.
    Source: Microsoft, "message resource type", "fileAttachment resource type".
    """
    # The default policy reads addresses with a parser that stumbles over some; headers are read by hand here.
    message = email.message_from_bytes(plain, policy=_AS_THEY_ARE)
    fields = _fields(split_head(plain)[0])
    leaves = [each for each in message.walk() if not each.is_multipart()]
    body = _body(leaves)
    text = "" if body is None else _text(body)
    draft: dict[str, Any] = {
        "subject": next((_words(value) for name, value in fields if name == "subject"), ""),
        "body": {
            "contentType": "html" if body is not None and body.get_content_subtype() == "html" else "text",
            "content": text[:_TEXT_CHARACTERS],
        },
    }
    for key, name in (("toRecipients", "to"), ("ccRecipients", "cc"), ("bccRecipients", "bcc")):
        draft[key] = _recipients(fields, name)
    author = _recipients(fields, "from")
    if author:
        draft["from"] = author[0]
    kept = [
        {"name": name, "value": value[:900]}
        for name, value in fields
        if name.startswith("x-") and value.isprintable()
    ][:5]
    if kept:
        draft["internetMessageHeaders"] = kept
    whole = [body] if body is not None and len(text) > _TEXT_CHARACTERS else []
    attachments = [
        _attachment(part, number)
        for number, part in enumerate(leaves)
        if part in whole or (part is not body and not _is_alternative(part, body))
    ]
    return draft, attachments


def _fields(head: bytes) -> list[tuple[str, str]]:
    """Give the fields of a header section, names in lower case, values in one line."""
    lines = head.replace(b"\r\n ", b" ").replace(b"\r\n\t", b" ").split(b"\r\n")
    pairs = (each.decode("utf-8", "replace").partition(":") for each in lines)
    return [(name.strip().lower(), value.strip()) for name, colon, value in pairs if colon]


def _words(value: str) -> str:
    """Decode encoded words; what cannot be decoded stands as it is. Source: RFC 2047."""
    try:
        return str(email.header.make_header(email.header.decode_header(value))) if "=?" in value else value
    except (ValueError, LookupError, email.errors.MessageError):
        return value


def _body(leaves: Sequence[email.message.Message]) -> email.message.Message | None:
    """Give the part that a person reads first: HTML, else plain text."""
    for kind in ("text/html", "text/plain"):
        for part in leaves:
            if part.get_content_type() == kind and part.get_content_disposition() != "attachment":
                return part
    return None


def _is_alternative(part: email.message.Message, body: email.message.Message | None) -> bool:
    """Tell whether a part is the body in another form: Graph keeps one."""
    return (
        body is not None
        and part.get_content_maintype() == "text"
        and part.get_content_disposition() is None
        and not part.get_filename()
    )


def _text(body: email.message.Message) -> str:
    raw = body.get_payload(decode=True)
    if not isinstance(raw, bytes):
        return ""
    try:
        return raw.decode(body.get_content_charset() or "utf-8", "replace")
    except (LookupError, ValueError):
        return raw.decode("latin-1")


def _recipients(fields: Sequence[tuple[str, str]], wanted: str) -> list[dict[str, Any]]:
    return [
        {"emailAddress": {"address": mailbox} | ({"name": _words(shown)} if shown else {})}
        for name, value in fields
        if name == wanted
        for shown, mailbox in _pairs(value.encode())
    ]


def _attachment(part: email.message.Message, number: int) -> dict[str, Any]:
    raw = part.get_payload(decode=True)
    usual = {"text/plain": "text.txt", "text/html": "text.html"}.get(
        part.get_content_type(), f"part-{number}"
    )
    held: dict[str, Any] = {
        "name": _words(part.get_filename() or usual),
        "contentType": part.get_content_type(),
        "content": raw if isinstance(raw, bytes) else b"",
        "isInline": part.get_content_disposition() == "inline",
    }
    identity = str(part.get("Content-ID", "")).strip("<> \t\r\n")
    if identity:
        held["contentId"] = identity
    return held
