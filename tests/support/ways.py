"""For tests of ways out: a token store that gives what it is told, and one delivery."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from portero.relay.identity import TokenFault
from portero.relay.outcome import Outcome
from portero.relay.pace import Limits
from portero.relay.transport import Kit, Outgoing, Way
from portero.relay.transports import transports


class Tokens:
    """Gives one token, or a fault; remembers what was forgotten."""

    def __init__(self, token: str = "token", fault: TokenFault | None = None) -> None:
        self.token, self.fault, self.forgotten = token, fault, 0

    async def get(self, way: Way) -> str:
        if self.fault is not None:
            raise self.fault
        return self.token

    def forget(self, way: Way) -> None:
        self.forgotten += 1


def way(kind: str, port: int, **options: object) -> Way:
    """Make a way of a kind to a port of the loopback."""
    defaults = {each.name: each.default for each in transports()[kind].options}
    near = {
        "host": "127.0.0.1",
        "port": port,
        "tls": "none",
        "mailbox": "scan@contoso.com",
        "endpoint": f"http://127.0.0.1:{port}",
    }
    return Way("way", kind, defaults | near | {"tenant": "t", "client_id": "c"} | options, Limits())


def message(content: bytes = b"Subject: x\r\nTo: c@d.example\r\n\r\ntext\r\n", *recipients: str) -> Outgoing:
    """Make a message to these recipients, one by default."""
    named = tuple((each, "", "") for each in recipients or ("c@d.example",))
    return Outgoing("1", "scan@contoso.com", named, content)


def deliver(to: Way, *messages: Outgoing, tokens: Tokens | None = None) -> list[list[Outcome]]:
    """Carry messages one after another over one carrier."""

    async def run() -> list[list[Outcome]]:
        carrier = transports()[to.kind].open(to, Kit("relay.example", tokens or Tokens()))
        try:
            return [await carrier.deliver(each) for each in messages]
        finally:
            await carrier.close()

    return asyncio.run(run())


def kinds(outcomes: Sequence[Outcome]) -> list[str]:
    """Give the outcomes' kinds by name."""
    return [each.kind.name for each in outcomes]
