"""Delivery status notices: what the owner of a device is told, and never a sender that anybody can write."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from email.utils import formatdate

from portero.core.relay_words import device_words
from portero.core.text import Text, count
from portero.relay.envelope import Envelope, Fate, Recipient
from portero.relay.explain import explain
from portero.relay.headers import split_head
from portero.relay.outcome import Kind, Outcome
from portero.relay.transport import stuffed, unstuffed

_HEAD_OCTETS = 20_000


def make_notice(
    envelope: Envelope,
    recipients: Sequence[Recipient],
    content: bytes | None,
    *,
    delayed: bool,
    number: int,
    hostname: str,
    now: float,
    say: Callable[[Text], str],
) -> tuple[Envelope, bytes] | None:
    """
    Make the notice about some recipients of a message.

    content:  the message, dot-stuffed, for its header section; None gives a notice without it.
    say:      renders a sentence in the owner's language.
    Gives the notice's envelope, from the null sender to the owner, and its content, dot-stuffed; or None where there is
    nobody to tell: no owner, a notice of our own, or recipients for whom the client asked for no notice.
    Source: RFC 3464; RFC 3461 section 4.1 for NOTIFY; RFC 5321 section 4.5.5 for the null sender.
    """
    told = [each for each in recipients if each.notify != "NEVER" and (not delayed or _wants_delay(each))]
    if not told or not envelope.owner or envelope.kind != "mail":
        return None
    subject = (
        Text("Mail of {device} is delayed", device=device_words(envelope.device))
        if delayed
        else Text("Mail of {device} was not delivered", device=device_words(envelope.device))
    )
    return to_owner(
        envelope,
        content,
        subject=say(subject),
        submitted="auto-replied",
        multipart="report; report-type=delivery-status",
        words=_words(envelope, told, say, delayed=delayed),
        report=[
            "Content-Type: message/delivery-status",
            "",
            *_report(envelope, told, hostname, delayed=delayed),
        ],
        number=number,
        hostname=hostname,
        now=now,
    )


def to_owner(
    envelope: Envelope,
    content: bytes | None,
    *,
    subject: str,
    submitted: str,
    multipart: str,
    words: str,
    report: Sequence[str] = (),
    number: int,
    hostname: str,
    now: float,
) -> tuple[Envelope, bytes]:
    """
    Write to the owner of a message: words, a part for programs where there is one, and the message's header section.

    content:    the message, dot-stuffed; None leaves its header section empty.
    submitted:  the word of RFC 3834 section 5.
    multipart:  the subtype, with its parameters but the boundary.
    report:     lines of the part for programs, its fields first and an empty line last.
    Gives the envelope, from the null sender to the owner, and the content, dot-stuffed.
    """
    boundary = f"portero-{number:x}"
    lines = [
        f"From: portero <postmaster@{hostname}>",
        f"To: {envelope.owner}",
        f"Subject: {_encoded(subject)}",
        f"Date: {formatdate(now)}",
        f"Message-ID: <{number:x}@{hostname}>",
        f"Auto-Submitted: {submitted}",
        "MIME-Version: 1.0",
        f'Content-Type: multipart/{multipart}; boundary="{boundary}"',
        "",
        f"--{boundary}",
        "Content-Type: text/plain; charset=utf-8",
        "Content-Transfer-Encoding: 8bit",
        "",
        *words.split("\n"),
        "",
        *([f"--{boundary}", *report] if report else []),
        f"--{boundary}",
        "Content-Type: text/rfc822-headers",
        "Content-Transfer-Encoding: 8bit",
        "",
    ]
    head = split_head(unstuffed(content))[0][:_HEAD_OCTETS] if content is not None else b""
    body = stuffed("\r\n".join(lines).encode() + b"\r\n" + head + f"\r\n--{boundary}--\r\n".encode())
    written = Envelope(
        id=number,
        received_at=now,
        client="",
        ehlo="",
        device=envelope.device,
        mail_from="",
        header_from=f"postmaster@{hostname}",
        message_id=f"<{number:x}@{hostname}>",
        subject=subject,
        recipients=[Recipient(envelope.owner, notify="NEVER")],
        size=len(body),
        eight_bit=not body.isascii(),
        kind="notice",
    )
    return written, body


def _wants_delay(recipient: Recipient) -> bool:
    return not recipient.notify or "DELAY" in recipient.notify


def _words(
    envelope: Envelope, recipients: Sequence[Recipient], say: Callable[[Text], str], *, delayed: bool
) -> str:
    number = len(recipients)
    if delayed:
        first = count(
            "A message of {device} has not reached {n} recipient yet. It is tried further; nothing is to be done at the device.",
            "A message of {device} has not reached {n} recipients yet. It is tried further; nothing is to be done at the device.",
            number,
            device=device_words(envelope.device),
        )
    else:
        first = count(
            "A message of {device} could not be delivered to {n} recipient. It is not tried again.",
            "A message of {device} could not be delivered to {n} recipients. It is not tried again.",
            number,
            device=device_words(envelope.device),
        )
    paragraphs = [
        say(first),
        say(
            Text(
                "From {mail_from}, subject: {subject}. Queue id {id}.",
                mail_from=envelope.mail_from or "<>",
                subject=envelope.subject or "-",
                id=envelope.queue_id,
            )
        ),
    ]
    for each in recipients:
        paragraph = say(
            Text(
                "{address}: {reply}",
                address=each.address,
                reply=each.reply or say(Text("no answer before its time was over")),
            )
        )
        meaning = explain(each.reply)
        paragraphs.append(paragraph if meaning is None else f"{paragraph}\n{say(meaning)}")
    return "\n\n".join(paragraphs)


def _report(
    envelope: Envelope, recipients: Sequence[Recipient], hostname: str, *, delayed: bool
) -> list[str]:
    """Write the machine's part. Source: RFC 3464 section 2."""
    lines = [f"Reporting-MTA: dns; {hostname}"]
    if envelope.envid:
        lines.append(f"Original-Envelope-Id: {envelope.envid}")
    lines += [f"Arrival-Date: {formatdate(envelope.received_at)}", ""]
    for each in recipients:
        if each.orcpt:
            lines.append(f"Original-Recipient: {_line(each.orcpt)}")
        status = Outcome(Kind.DEFERRED if delayed else Kind.REFUSED, each.reply).status
        if each.fate is Fate.EXPIRED:
            # Tried until its time was over. Source: RFC 3463 section 3.5.
            status = "4.4.7"
        lines += [
            f"Final-Recipient: {'utf-8' if not each.address.isascii() else 'rfc822'}; {each.address}",
            f"Action: {'delayed' if delayed else 'failed'}",
            f"Status: {status}",
        ]
        if each.reply:
            lines.append(f"Diagnostic-Code: smtp; {_line(each.reply)}")
        lines.append("")
    return lines


def _line(text: str) -> str:
    """Make a far side's words one line that cannot become a field of its own."""
    return "".join(each if each.isprintable() else " " for each in text)[:900]


def _encoded(text: str) -> str:
    """Write a header's words so that every reader of mail shows them. Source: RFC 2047."""
    if text.isascii() and text.isprintable():
        return text
    from email.header import Header

    return Header(text, "utf-8").encode(linesep="\r\n")
