"""Metrics for Prometheus, health and readiness, over a small HTTP door of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from portero.core.text import Text
from portero.errors import ConfigError

Numbers = Callable[[], "Iterable[tuple[str, str, str, Mapping[str, str], float]]"]


class StatusDoor:
    """
    Answers ``GET /metrics``, ``/healthz`` (the process lives) and ``/readyz`` (it takes mail).

    numbers:  gives (name, kind, help, labels, value) for each metric; kind is ``counter`` or ``gauge``.
    ready:    tells whether mail is taken.
    """

    def __init__(self, numbers: Numbers, ready: Callable[[], bool]) -> None:
        from prometheus_client import CollectorRegistry

        self._numbers = numbers
        self._ready = ready
        self._registry = CollectorRegistry()
        self._registry.register(self)
        self._server: asyncio.Server | None = None

    async def open(self, host: str, port: int) -> int:
        """Open the door and give its port. Raises ConfigError where the system refuses."""
        try:
            self._server = await asyncio.start_server(self._answer, host, port, limit=8192)
        except OSError as error:
            raise ConfigError(
                (
                    Text(
                        "The status page cannot open {host}, port {port}: {reason}. Name another address in status.",
                        host=host,
                        port=port,
                        reason=error.strerror or str(error),
                    ),
                )
            ) from None
        return int(self._server.sockets[0].getsockname()[1])

    def close(self) -> None:
        """Close the door."""
        if self._server is not None:
            self._server.close()

    def collect(self) -> Iterable[Any]:
        """Give the metrics; see prometheus_client's collectors."""
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

        families: dict[str, Any] = {}
        for name, kind, words, labels, value in self._numbers():
            family = families.get(name)
            if family is None:
                made = CounterMetricFamily if kind == "counter" else GaugeMetricFamily
                family = families[name] = made(name, words, labels=list(labels))
            family.add_metric(list(labels.values()), value)
        return families.values()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(10):
                first = await reader.readline()
                while (await reader.readline()).strip():
                    pass
                status, kind, body = self._page(first)
                writer.write(
                    f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode()
                    + body
                )
                await writer.drain()
        except (OSError, TimeoutError, ValueError):
            pass
        finally:
            writer.close()

    def _page(self, first: bytes) -> tuple[str, str, bytes]:
        from prometheus_client import generate_latest
        from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

        words = first.split()
        path = words[1] if len(words) > 1 and words[0] == b"GET" else b""
        if path == b"/metrics":
            return "200 OK", CONTENT_TYPE_PLAIN_0_0_4, generate_latest(self._registry)
        if path == b"/healthz":
            return "200 OK", "text/plain", b"ok\n"
        if path == b"/readyz":
            return (
                ("200 OK", "text/plain", b"ok\n")
                if self._ready()
                else ("503 Service Unavailable", "text/plain", b"no\n")
            )
        return "404 Not Found", "text/plain", b"no\n"
