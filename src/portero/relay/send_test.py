"""One small message straight to a way out, to see whether it arrives."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import format_datetime

from portero.core.text import Text
from portero.errors import ConfigError
from portero.relay.outcome import Kind
from portero.relay.settings import Settings
from portero.relay.smtp_carrier import answered
from portero.relay.tokens import Tokens
from portero.relay.transport import Kit, Outgoing, Sign
from portero.relay.transports import transports


async def send_test(settings: Settings, way_name: str, sender: str, recipient: str, words: str) -> Sign:
    """
    Send one message by one way, past the queue.

    way_name:  "" takes the first of the file.
    words:     the message's text.
    Raises ConfigError where there is no such way.
    """
    names = tuple(each.name for each in settings.ways)
    if way_name and way_name not in names:
        raise ConfigError((Text("There is no way out {way}. There are {names}.", way=way_name, names=names),))
    way = settings.way(way_name or names[0])
    now = datetime.now(UTC)
    number = f"{int(now.timestamp() * 1_000_000):x}"
    content = (
        f"From: {sender}\r\nTo: {recipient}\r\nSubject: portero {number}\r\nDate: {format_datetime(now)}\r\n"
        f"Message-ID: <{number}@{settings.hostname}>\r\nMIME-Version: 1.0\r\n"
        f"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n{words}\r\n"
    ).encode()
    carrier = transports()[way.kind].open(way, Kit(settings.hostname, Tokens()))
    try:
        [outcome] = await carrier.deliver(
            Outgoing(number, sender, ((recipient, "", ""),), content, eight_bit=not content.isascii())
        )
    finally:
        await carrier.close()
    what = Text(
        "{recipient} was taken by {way}; the message is called {name}",
        recipient=recipient,
        way=way.name,
        name=f"portero {number}",
    )
    good = outcome.kind is Kind.DELIVERED
    return Sign(what, good, answered(outcome.reply))
