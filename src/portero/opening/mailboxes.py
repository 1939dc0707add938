"""Whether a file holds mail, told by its content, and the ids by which a trace knows a mail."""

from __future__ import annotations

from portero.core.mail.mime import Mail, decode_words, looks_like_mail, read_fields
from portero.opening.letter import REPORTED, read_letter, reported
from portero.opening.outlook import SIGNATURE

_KEYS = frozenset(
    ["message-id", "x-ms-exchange-organization-network-message-id", "x-ms-office365-filtering-correlation-id"]
)


def may_hold_mail(head: bytes) -> bool:
    """
    Tell whether a document is a message or an mbox by its first 64 KiB.

    A compound file counts, which may turn out to be a document instead.
    """
    return head.startswith(SIGNATURE) or looks_like_mail(head)


def keys(octets: bytes) -> tuple[str, ...]:
    """
    Give the ids by which a trace knows a message: its network message id and its Message-ID.

    Of a user's report they are those of the original in it.
    """
    head = octets[: 1 << 20].lstrip(b"\xef\xbb\xbf\r\n\t ")
    if head.startswith((b"From ", b">From ")):
        head = head.partition(b"\n")[2]
    fields = () if head.startswith(SIGNATURE) else read_fields(head)[0]
    subject = next((value for name, value in fields if name.lower() == "subject"), "")
    if not fields or REPORTED.match(decode_words(subject)):
        mail: Mail | None = read_letter(octets)
        fields = () if mail is None else (reported(mail) or (mail, octets))[0].fields
    found: list[str] = []
    for name, value in fields:
        if name.lower() in _KEYS:
            text = value.strip("<>{} ")
            found.append(text if "@" in text else text.lower())
    return tuple(found[:5])
