"""Tells the owner of a device what is in quarantine and why; the message itself stays where it is."""

from __future__ import annotations

from collections.abc import Callable
from email.utils import formatdate

from portero.core.relay_words import reason
from portero.core.text import Text
from portero.relay.dsn import HEAD_OCTETS, encoded
from portero.relay.envelope import Envelope, Recipient
from portero.relay.headers import split_head
from portero.relay.transport import stuffed, unstuffed

_SHOWN = 20


def make_report(
    envelope: Envelope,
    content: bytes | None,
    *,
    number: int,
    hostname: str,
    now: float,
    say: Callable[[Text], str],
) -> tuple[Envelope, bytes] | None:
    """
    Make the report about a message in quarantine.

    content:  the message, dot-stuffed, of which the header section is shown: what it holds may be what it is kept for.
    say:      renders a sentence in the owner's language.
    Gives the report's envelope, from the null sender to the owner, and its content, dot-stuffed; or None without an owner.
    """
    if not envelope.owner:
        return None
    subject = say(Text("A message of {device} is in quarantine", device=envelope.device))
    boundary = f"portero-{number:x}"
    lines = [
        f"From: portero <postmaster@{hostname}>",
        f"To: {envelope.owner}",
        f"Subject: {encoded(subject)}",
        f"Date: {formatdate(now)}",
        f"Message-ID: <{number:x}@{hostname}>",
        "Auto-Submitted: auto-generated",
        "MIME-Version: 1.0",
        f'Content-Type: multipart/mixed; boundary="{boundary}"',
        "",
        f"--{boundary}",
        "Content-Type: text/plain; charset=utf-8",
        "Content-Transfer-Encoding: 8bit",
        "",
        *"\n\n".join(_words(envelope, say)).split("\n"),
        "",
        f"--{boundary}",
        "Content-Type: text/rfc822-headers",
        "Content-Transfer-Encoding: 8bit",
        "",
    ]
    head = split_head(unstuffed(content))[0][:HEAD_OCTETS] if content is not None else b""
    body = stuffed("\r\n".join(lines).encode() + b"\r\n" + head + f"\r\n--{boundary}--\r\n".encode())
    report = Envelope(
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
    return report, body


def reported(envelope: Envelope, report: Envelope) -> dict[str, object]:
    """Give the audit record of a report."""
    return {
        "at": report.received_at,
        "event": "reported",
        "id": envelope.queue_id,
        "device": envelope.device,
        "to": envelope.owner,
        "by": report.queue_id,
    }


def _words(envelope: Envelope, say: Callable[[Text], str]) -> list[str]:
    shown = [each.address for each in envelope.recipients[:_SHOWN]]
    more = len(envelope.recipients) - len(shown)
    return [
        say(
            Text(
                "A message of {device} is kept in quarantine. It has not been sent, and it is not lost.",
                device=envelope.device,
            )
        ),
        "\n".join(f"- {say(reason(code, value))}" for code, value in envelope.reasons[:_SHOWN]),
        say(
            Text(
                "From {mail_from}, subject: {subject}. Queue id {id}.",
                mail_from=envelope.mail_from or "<>",
                subject=envelope.subject or "-",
                id=envelope.queue_id,
            )
        ),
        say(Text("To {addresses}", addresses=", ".join(shown) + (f" +{more}" if more else ""))),
        say(
            Text(
                "Who runs the relay can send it (portero relay queue release {id}), delete it (portero relay queue drop {id}) or look at it (portero relay queue export {id}).",
                id=envelope.queue_id,
            )
        ),
    ]
