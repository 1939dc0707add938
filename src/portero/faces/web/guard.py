"""Stands before every request: who may ask under which name, how much, and what a browser is told to refuse."""

from __future__ import annotations

import asyncio
import ipaddress
import json
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from portero.core.address import IPNetwork
from portero.faces.web.limits import Limit

# Forms and JSON; a chunk of an upload may be larger.
SMALL_OCTETS = 1 << 20
CHUNK_OCTETS = 8 << 20
# The longest a sender may keep us waiting for the next piece of a body.
_SILENCE_SECONDS = 20.0
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
# Everything from ourselves, nothing inline. Source: Content Security Policy Level 3.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "font-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "content-security-policy": _POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}


@dataclass(frozen=True, slots=True)
class Door:
    """
    Under which names and over which ways the server may be reached.

    hosts:    names of the Host header that are ours, lower case, without port; a page of another name that leads
              here by DNS rebinding is refused.
    tls:      whether the server itself speaks TLS.
    proxies:  networks whose X-Forwarded-For and -Proto are believed.
    """

    hosts: frozenset[str]
    tls: bool = False
    proxies: tuple[IPNetwork, ...] = ()

    def trusts(self, address: str) -> bool:
        """Tell whether an address is a proxy of ours."""
        try:
            return any(ipaddress.ip_address(address) in network for network in self.proxies)
        except ValueError:
            return False


@dataclass
class Guard:
    """ASGI middleware that refuses what nobody honest sends, and adds the headers that browsers obey."""

    app: ASGIApp
    door: Door
    calls: Limit = field(default_factory=lambda: Limit(400, 40.0, time.monotonic))
    knocks: Limit = field(default_factory=lambda: Limit(10, 0.2, time.monotonic))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        client, secure = self._client(scope, headers)
        scope["portero.secure"] = secure
        refusal = self._refusal(scope, headers, client, secure=secure)

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                out = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    out.setdefault(name, value)
                out.setdefault("cache-control", "no-store")
                if secure:
                    out.setdefault("strict-transport-security", "max-age=31536000")
            await send(message)

        if refusal is not None:
            status, title, extra = refusal
            await _answer(guarded, status, title, extra)
            return
        handed = scope["method"] == "PATCH" or scope["path"].endswith("/messages")
        most = CHUNK_OCTETS if handed else SMALL_OCTETS
        if int(headers.get("content-length") or 0) > most:
            await _answer(guarded, 413, f"The body may have {most} octets.", {})
            return
        body = _Body(receive, most)
        try:
            await self.app(scope, body.receive, guarded)
        except _TooMuchError:
            await _answer(guarded, 413, f"The body may have {most} octets.", {"connection": "close"})
        except TimeoutError:
            await _answer(guarded, 408, "The body did not arrive in time.", {"connection": "close"})

    def _client(self, scope: Scope, headers: Headers) -> tuple[str, bool]:
        address = scope["client"][0] if scope.get("client") else ""
        secure = self.door.tls
        if self.door.trusts(address):
            secure = headers.get("x-forwarded-proto", "").strip().lower() == "https"
            # The proxy appends the address it saw; what stands before it anybody may have written.
            address = headers.get("x-forwarded-for", address).rpartition(",")[2].strip()
        return address, secure

    def _refusal(
        self, scope: Scope, headers: Headers, client: str, *, secure: bool
    ) -> tuple[int, str, dict[str, str]] | None:
        host = headers.get("host", "").lower()
        if _without_port(host) not in self.door.hosts:
            return 421, "This server does not answer to that name.", {}
        if not (headers.get("content-length") or "0").isdigit():
            return 400, "Content-Length is no number.", {}
        if self.door.proxies and not secure:
            return 403, "This server is reached by https through its proxy.", {}
        if scope["method"] not in _SAFE:
            origin = headers.get("origin")
            if origin is not None and origin.partition("://")[2].lower() != host:
                return 403, "Another site may not change anything here.", {}
            if headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
                return 403, "Another site may not change anything here.", {}
        if scope["path"] == "/healthz":
            return None
        limit = (
            self.knocks if scope["path"].startswith("/sign-in") and scope["method"] == "POST" else self.calls
        )
        wait = limit.wait(client)
        if wait:
            return 429, "Too many requests.", {"retry-after": str(math.ceil(wait))}
        return None


class _TooMuchError(Exception):
    pass


class _Body:
    """Passes a body on, within its bounds of size and patience."""

    def __init__(self, receive: Receive, most: int) -> None:
        self._receive = receive
        self._left = most
        self._whole = False

    async def receive(self) -> Message:
        if self._whole:
            # Only the end of the connection can follow; an event stream waits for it as long as it takes.
            return await self._receive()
        message = await asyncio.wait_for(self._receive(), _SILENCE_SECONDS)
        if message["type"] == "http.request":
            self._left -= len(message.get("body", b""))
            self._whole = not message.get("more_body", False)
            if self._left < 0:
                raise _TooMuchError
        return message


def _without_port(host: str) -> str:
    if host.startswith("["):
        return host.partition("]")[0] + "]"
    return host.partition(":")[0]


async def _answer(send: Send, status: int, title: str, extra: dict[str, str]) -> None:
    content = json.dumps({"type": "about:blank", "status": status, "title": title}).encode()
    headers: Sequence[tuple[bytes, bytes]] = [
        (b"content-type", b"application/problem+json"),
        (b"content-length", str(len(content)).encode()),
        *[(name.encode(), value.encode()) for name, value in extra.items()],
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": content})
