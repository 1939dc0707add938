"""Makes a message fit a next hop that cannot take long lines or eight-bit text."""

from __future__ import annotations

import base64
import email
import email.errors
import email.message
import email.policy
import quopri

from portero.relay.transport import stuffed, unstuffed

# Headers keep their folding: only contents are encoded anew.
_AS_THEY_ARE = email.policy.compat32.clone(linesep="\r\n", max_line_length=None)


def reencoded(content: bytes) -> bytes:
    """
    Encode the text parts of a message that need it, quoted-printable for text and base64 for the rest.

    content:  dot-stuffed, as is what comes back. A message that cannot be read stays as it is.
    Source: RFC 6152 section 3; RFC 2045 section 6.
    """
    try:
        message = email.message_from_bytes(unstuffed(content), policy=_AS_THEY_ARE)
        for part in message.walk():
            if not part.is_multipart():
                _encode(part)
        return stuffed(message.as_bytes(policy=_AS_THEY_ARE))
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError, email.errors.MessageError):
        return content


def _encode(part: email.message.Message) -> None:
    raw = part.get_payload()
    if not isinstance(raw, str):
        return
    body = raw.encode("utf-8", "surrogateescape")
    fits = body.isascii() and max(map(len, body.split(b"\n")), default=0) < 999
    if fits or str(part.get("Content-Transfer-Encoding", "")).strip().lower() in {
        "base64",
        "quoted-printable",
    }:
        return
    if part.get_content_maintype() == "text":
        encoded, name = (
            quopri.encodestring(body.replace(b"\r\n", b"\n")).replace(b"\n", b"\r\n"),
            "quoted-printable",
        )
    else:
        encoded, name = base64.encodebytes(body).replace(b"\n", b"\r\n"), "base64"
    del part["Content-Transfer-Encoding"]
    if "MIME-Version" not in part and "Content-Type" not in part:
        part["MIME-Version"] = "1.0"
    part["Content-Transfer-Encoding"] = name
    part.set_payload(encoded.decode("ascii"))
