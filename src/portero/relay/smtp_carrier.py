"""What all ways out over SMTP share: a kept line, its encryption, and one more try where the line had gone stale."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

from portero.core.text import Text
from portero.errors import ConfigError
from portero.relay.explain import explain
from portero.relay.outcome import Kind, Outcome, lost
from portero.relay.smtp_client import Broken, Hop, SmtpClient, Unwelcome
from portero.relay.transport import Option, Outgoing, Sign, Way

# A line that was quiet for so long may have been closed by a firewall that tells nobody.
_STALE_SECONDS = 20.0

# The keys of every way over SMTP that names its own host.
HOST_OPTIONS = (
    Option("host", required=True),
    Option("port", "number", default=25),
    Option("tls", "choice:none|opportunistic|starttls|implicit", default="starttls"),
    Option("ca", "file"),
    Option("server_name"),
    Option("client_certificate", "file"),
    Option("client_key", "file"),
)


def hop_of(way: Way, *, host: str = "", port: int = 0, tls: str = "") -> Hop:
    """
    Give the next hop that a way's options name; the words here stand for those it lacks.

    Raises ConfigError where a certificate or key cannot be read.
    """
    kind = way.text("tls") or tls or "starttls"
    return Hop(
        host=way.text("host") or host,
        port=way.number("port") or port,
        tls=kind,
        context=None if kind == "none" else client_context(way),
        server_name=way.text("server_name") or None,
    )


def client_context(way: Way) -> ssl.SSLContext:
    """
    Make the TLS context of a way: the far side's certificate is checked, ours is shown where there is one.

    Source: RFC 8996 for TLS 1.2 as the oldest.
    """
    ca, certificate, key = (way.options.get(name) for name in ("ca", "client_certificate", "client_key"))
    try:
        context = ssl.create_default_context(cafile=str(ca) if isinstance(ca, Path) else None)
        if isinstance(certificate, Path):
            context.load_cert_chain(certificate, key if isinstance(key, Path) else None)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(
            (
                Text(
                    "The certificate or key of the way out {way} cannot be read: {reason}. Check the paths.",
                    way=way.name,
                    reason=str(error),
                ),
            )
        ) from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if way.text("tls") == "opportunistic":
        # Encryption that is not asked for protects against listeners only; a wrong certificate is better than none.
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


class SmtpCarrier:
    """
    Carries messages over one SMTP line.

    login:  logs in on a line that has just been opened, or None where the hop asks for nothing.
    """

    def __init__(
        self, hop: Hop, hostname: str, login: Callable[[SmtpClient], Awaitable[None]] | None = None
    ) -> None:
        self._hop = hop
        self._hostname = hostname
        self._login = login
        self._client: SmtpClient | None = None
        self._used_at = 0.0

    async def deliver(self, message: Outgoing) -> list[Outcome]:
        """Carry a message; see `Carrier`."""
        try:
            client = await self._line()
        except Broken as broken:
            return [lost(str(broken)) for _ in message.recipients]
        except Unwelcome as unwelcome:
            return [unwelcome.outcome for _ in message.recipients]
        outcomes = await client.send(message)
        self._used_at = time.monotonic()
        return outcomes

    async def close(self) -> None:
        """Leave; see `Carrier`."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    async def check(self) -> list[Sign]:
        """Connect, encrypt and log in; see `Carrier`."""
        hop = self._hop
        reached = Text("{host}, port {port}, can be reached and speaks SMTP", host=hop.host, port=hop.port)
        try:
            async with asyncio.timeout(60):
                await self._line()
        except (Broken, TimeoutError) as broken:
            return [
                Sign(
                    reached,
                    False,
                    answered(str(broken) or "no answer in time"),
                )
            ]
        except Unwelcome as unwelcome:
            good = unwelcome.outcome.kind is Kind.DELIVERED
            return [
                Sign(reached, True),
                Sign(
                    Text("{host} lets us in", host=hop.host),
                    good,
                    answered(unwelcome.outcome.reply),
                ),
            ]
        return [Sign(reached, True), Sign(Text("{host} lets us in", host=hop.host), True)]

    async def _line(self) -> SmtpClient:
        client = self._client
        if client is not None and client.usable:
            if time.monotonic() - self._used_at < _STALE_SECONDS:
                return client
            with suppress(Broken):
                code, _ = await client.command("NOOP")
                if code // 100 == 2:
                    return client
        if client is not None:
            await client.close()
        self._client = None
        client = SmtpClient(self._hop, self._hostname)
        try:
            await client.connect()
            if self._login is not None:
                await self._login(client)
        except (Broken, Unwelcome):
            await client.close()
            raise
        self._client = client
        self._used_at = time.monotonic()
        return client


def answered(reply: str) -> Text:
    """Say what a far side answered, or why it could not, and what that means where it is known."""
    meaning = explain(reply)
    if meaning is None:
        return Text("The attempt ended with “{reply}”.", reply=reply)
    return Text("The attempt ended with “{reply}”. {meaning}", reply=reply, meaning=meaning)
