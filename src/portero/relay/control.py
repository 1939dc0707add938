"""The side door of a running relay: the command line changes the queue through it, since only one process writes."""

from __future__ import annotations

import asyncio
import hmac
import json
import os
import secrets
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, cast, get_args

from portero.relay.spool import Change, Spool, why_not
from portero.relay.worker import PostOffice

_FILE = "control.json"
_OCTETS = 1 << 20


class Control:
    """
    Listens on the loopback; who may read the spool's folder knows port and token, and nobody else.

    status:  gives what a caller may know of the running relay.
    report:  tells a message's owner that it is in quarantine, and gives what became of that.
    keep:    writes down what is kept now and then only: habits, what was learnt, allowances.
    """

    def __init__(
        self,
        spool: Spool,
        office: PostOffice,
        status: Callable[[], dict[str, object]],
        report: Callable[[int], Awaitable[str]],
        keep: Callable[[], Awaitable[None]],
    ) -> None:
        self._spool = spool
        self._office = office
        self._status = status
        self._report = report
        self._keep = keep
        self._token = secrets.token_urlsafe(32)
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        """Open the door and leave its address in the spool's folder."""
        self._server = await asyncio.start_server(self._answer, "127.0.0.1", 0, limit=_OCTETS)
        port = self._server.sockets[0].getsockname()[1]
        path = self._spool.folder / _FILE
        with suppress(FileNotFoundError):
            path.unlink()
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as stream:
            json.dump({"port": port, "token": self._token}, stream)

    def close(self) -> None:
        """Close the door."""
        if self._server is not None:
            self._server.close()
        with suppress(OSError):
            (self._spool.folder / _FILE).unlink()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(30):
                line = await reader.readline()
                writer.write(json.dumps(await self._do(line)).encode() + b"\n")
                await writer.drain()
        except (OSError, TimeoutError, ValueError):
            pass
        finally:
            writer.close()

    async def _do(self, line: bytes) -> object:
        try:
            asked = json.loads(line)
            token, change, numbers = asked["token"], asked["change"], asked["ids"]
            numbers = [int(each) for each in numbers]
        except (ValueError, KeyError, TypeError):
            return {"error": "not understood"}
        if not isinstance(token, str) or not hmac.compare_digest(token, self._token):
            return {"error": "not allowed"}
        if change == "status":
            return self._status()
        if change == "keep":
            await self._keep()
            return {}
        if change == "report":
            # All at once, so that they share their commits.
            states = await asyncio.gather(*(self._report(number) for number in numbers))
            return {str(number): state for number, state in zip(numbers, states, strict=True)}
        if change not in get_args(Change):
            return {"error": "not understood"}
        answer: dict[str, str] = {}
        rest = []
        for number in numbers:
            told = self._office.alter(number, change)
            if told is None:
                rest.append(number)
            else:
                answer[str(number)] = told
        if rest:
            future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

            def told_by_disk(result: Any, error: Exception | None) -> None:
                if not future.done():
                    future.set_result({str(each): why_not(error) for each in rest} if error else result)

            self._spool.alter(change, rest, told_by_disk)
            try:
                answer |= {str(number): told for number, told in (await future).items()}
            finally:
                self._office.altered(rest)
        return answer


def ask(folder: Path, change: str, numbers: list[int]) -> dict[str, Any] | None:
    """
    Ask the relay that runs on this spool; None where none answers.

    Returns what became of each id, or the status. Raises OSError where the relay refuses.
    """
    try:
        held = json.loads((folder / _FILE).read_text("utf-8"))
        with socket.create_connection(("127.0.0.1", int(held["port"])), timeout=30) as line:
            line.sendall(
                json.dumps({"token": held["token"], "change": change, "ids": numbers}).encode() + b"\n"
            )
            answer = b""
            while not answer.endswith(b"\n") and (piece := line.recv(65_536)):
                answer += piece
        told = cast("dict[str, Any]", json.loads(answer))
    except (FileNotFoundError, ConnectionError, ValueError, KeyError):
        return None
    if "error" in told:
        raise OSError(str(told["error"]))
    return told
