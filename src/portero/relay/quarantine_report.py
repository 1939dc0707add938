"""Tells the owner of a device what is in quarantine and why; the message itself stays where it is."""

from __future__ import annotations

from collections.abc import Callable

from portero.core.relay_words import device_words, reason
from portero.core.text import Text
from portero.relay.dsn import to_owner
from portero.relay.envelope import Envelope

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
    return to_owner(
        envelope,
        content,
        subject=say(Text("A message of {device} is in quarantine", device=device_words(envelope.device))),
        submitted="auto-generated",
        multipart="mixed",
        words="\n\n".join(_words(envelope, say)),
        number=number,
        hostname=hostname,
        now=now,
    )


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
                device=device_words(envelope.device),
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
