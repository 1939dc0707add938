"""Single mails: .eml, .msg, mbox and header text, as witnesses of how Exchange Online took them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from portero.core.evidence import Gap, Origin
from portero.core.mail.mime import Mail, looks_like_mail
from portero.core.text import Text, count
from portero.sources.containers import too_long
from portero.sources.document import Counted, Document, Head, Item, Note, Source
from portero.sources.mail_files import filed_mails, may_be_evidence, opened_mail
from portero.sources.mail_headers import Row, header_batch, header_row

_BLOCK = 1000

# A user's report: the class stands before the subject. Source: reference data-formats 10.3.
_REPORTED = re.compile(r"\s*(?:1\||2\||3\||junk:|not junk:|phishing:)", re.IGNORECASE)


def recognise(head: Head) -> bool:
    """Tell by the header fields that it begins with."""
    return looks_like_mail(head.raw)


def read(document: Document) -> Iterator[Item]:
    """
    Stream the mails of a file: a row for each whose header shows that Exchange Online took it last, the others counted.

    A header does not say whose tenant took the mail, so that mails are taken for the organisation's own, which is said.
    """
    notes, held = _Notes(), list[Row]()
    total, rows = 0, 0
    for filed in filed_mails(document.open(), document.limits):
        origin = Origin(document.name, filed.number)
        if filed.octets is None:
            yield Gap(origin, too_long(document.limits))
            continue
        mail = opened_mail(filed.octets, document.limits)
        yield from bounded(mail, origin)
        total += 1
        notes.take(mail)
        row = header_row(mail)
        if row is not None:
            rows += 1
            held.append(row | {"line": filed.number})
        if len(held) >= _BLOCK:
            yield header_batch(SOURCE.id, held)
            held = []
    if held:
        yield header_batch(SOURCE.id, held)
    if total and not rows:
        yield Counted(total, notes.first, notes.last)
    if rows:
        yield Note(
            Text("Taken for mail that this organisation's own mailboxes received: hand over no other.")
        )
    if total > rows:
        one = "{n} mail does not show that Exchange Online took it last; it is counted only."
        many = "{n} mails do not show that Exchange Online took them last; they are counted only."
        yield Note(count(one, many, total - rows))
    yield from notes.items()


def bounded(mail: Mail, origin: Origin) -> Iterator[Gap]:
    """Name what of a mail lies beyond the bounds."""
    if mail.cut:
        yield Gap(
            origin, Text("The mail has too many parts, or they are nested too deeply; not all were read.")
        )
    if mail.fields_cut:
        yield Gap(origin, Text("The mail has too many header fields; only the first were read."))


class _Notes:
    """What there is to say about a file's mails as a whole."""

    def __init__(self) -> None:
        self.first: datetime | None = None
        self.last: datetime | None = None
        self._unopened, self._reported = 0, 0

    def take(self, mail: Mail) -> None:
        moment = sent_at(mail.first("Date"))
        if moment is not None:
            self.first = min(self.first or moment, moment)
            self.last = max(self.last or moment, moment)
        self._unopened += sum(1 for part in mail.parts if part.attached and not may_be_evidence(part))
        attached = any(part.content_type == "message/rfc822" for part in mail.parts)
        self._reported += bool(attached and _REPORTED.match(mail.text("Subject")))

    def items(self) -> Iterator[Note]:
        if self._reported:
            one = "{n} mail is a user's report; what it reports is the attached mail, read on its own."
            many = "{n} mails are users' reports; what they report are the attached mails, read on their own."
            yield Note(count(one, many, self._reported))
        if self._unopened:
            one = "{n} attachment is no evidence and was not opened."
            many = "{n} attachments are no evidence and were not opened."
            yield Note(count(one, many, self._unopened))


def sent_at(text: str | None) -> datetime | None:
    """Read a Date field as aware UTC, None where it cannot be read."""
    try:
        found = parsedate_to_datetime(text or "")
        return (found.replace(tzinfo=UTC) if found.tzinfo is None else found).astimezone(UTC)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


SOURCE = Source("mail-message", Text("Mail messages and headers"), recognise, read)
