"""DMARC failure reports (RFC 6591, RFC 9991): single mails in the organisation's name that a receiver saw fail."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime

from portero.core.address import client_address, domain_of
from portero.core.evidence import Gap, Origin
from portero.core.mail.mime import Mail, looks_like_mail, mailboxes, read_fields
from portero.core.mail.received import parse_received
from portero.core.text import Text
from portero.sources.document import Counted, Document, Head, Item, Note, Source
from portero.sources.mail_files import filed_mails, opened_mail
from portero.sources.mail_message import bounded, sent_at

_REPORT = re.compile(
    r"report-type\s*=\s*\"?feedback-report|content-type:\s*message/feedback-report|^feedback-type:",
    re.IGNORECASE | re.MULTILINE,
)
_NAMED = 20


def recognise(head: Head) -> bool:
    """Tell by the media type of feedback reports, or by their own fields where only these were kept."""
    return (looks_like_mail(head.raw) or head.text.lstrip().lower().startswith("feedback-type:")) and (
        _REPORT.search(head.text) is not None
    )


def read(document: Document) -> Iterator[Item]:
    """
    Say what each report tells of its mail, and count it.

    The same mail also stands in the aggregate report of its receiver, so that it enters no table and no sum.
    """
    total, first, last = 0, None, None
    for filed in filed_mails(document.open(), document.limits):
        origin = Origin(document.name, filed.number)
        mail = None if filed.octets is None else opened_mail(filed.octets, document.limits)
        told = None if mail is None else _feedback(mail)
        if mail is not None:
            yield from bounded(mail, origin)
        if mail is None or told is None:
            yield Gap(origin, Text("The failure report lacks the part that a program can read."))
            continue
        total += 1
        moment = sent_at(told.get("arrival-date") or mail.first("Date"))
        first = min((each for each in (first, moment) if each), default=None)
        last = max((each for each in (last, moment) if each), default=None)
        if total <= _NAMED:
            yield _said(mail, told, moment)
    if total:
        yield Counted(total, first, last)
        yield Note(
            Text(
                "Failure reports are counted only: aggregate reports of the same receivers hold these mails too."
            )
        )


def _feedback(mail: Mail) -> dict[str, str] | None:
    """Give the report's fields by lower-case name, of a repeated one the first."""
    for part in mail.parts:
        if part.content_type == "message/feedback-report" or part.octets[:14].lower() == b"feedback-type:":
            fields, _ = read_fields(part.octets.lstrip())
            held: dict[str, str] = {}
            for name, value in fields:
                held.setdefault(name.lower(), value)
            return held
    own = {name.lower(): value for name, value in reversed(mail.fields)}
    return own if "feedback-type" in own else None


def _said(mail: Mail, told: dict[str, str], moment: datetime | None) -> Note:
    reporter = domain_of((mailboxes_of(mail, "From") or ("?",))[0]) or "?"
    author = told.get("reported-domain") or domain_of(told.get("original-mail-from", "").strip("<> ")) or "?"
    address = client_address(told.get("source-ip", "")) or _last_client(mail) or "?"
    failed = re.sub(r"\([^)]*\)", "", told.get("auth-failure") or told.get("feedback-type") or "?")
    return Note(
        Text(
            "{reporter} reports a mail from {address} in the name of {domain}, {when}: {failed}, {fate}.",
            reporter=reporter,
            address=address,
            domain=author.strip()[:255],
            when=moment or "?",
            failed=tuple(word.strip() for word in failed.split(",") if word.strip()) or ("?",),
            fate=(told.get("delivery-result") or "?").strip()[:40],
        )
    )


def _last_client(mail: Mail) -> str | None:
    """Give the address that handed over the reported mail, out of its own newest Received line."""
    for part in mail.parts:
        if part.content_type in {"message/rfc822", "text/rfc822-headers"}:
            for name, value in read_fields(part.octets.lstrip())[0]:
                if name.lower() == "received":
                    return parse_received(value).client_ip
    return None


def mailboxes_of(mail: Mail, name: str) -> tuple[str, ...]:
    """Give the addresses of a field."""
    return tuple(box.address for value in mail.all(name) for box in mailboxes(value) if box.address)


SOURCE = Source("dmarc-failure", Text("DMARC failure report"), recognise, read)
