"""For the relay's tests: a relay in its own process, a next hop that remembers, and a device."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import re
import signal
import socket
import socketserver
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from support.http_server import serving

RUN = """
import sys
from pathlib import Path
from typing import Self
from portero.relay.service import serve
from portero.relay.settings import load_settings
from portero.relay.use_cases import logging_to
logging_to(sys.stderr)
serve(load_settings(Path(sys.argv[1])), lambda ports: print(next(iter(ports.values())), flush=True))
"""

CONFIG = """
[relay]
hostname = "relay.test"
spool = "{folder}/spool"
accepted_domains = ["inside.test"]
owner = "owner@inside.test"
free_octets = 0

[[listener]]
address = "127.0.0.1:0"
connections_per_client = 500
{listener}

[[device]]
name = "scanner"
cidr = ["127.0.0.0/8"]
mail_from = ["@inside.test", ""]
recipients = "anywhere"
habit = false
{device}

[[way]]
name = "hop"
kind = "smarthost"
host = "127.0.0.1"
port = {port}
tls = "none"
{way}
{more}
"""


@dataclass
class Relay:
    """A running relay: its port, its process, its folder."""

    folder: Path
    process: subprocess.Popen[str]
    port: int

    def stop(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(30)

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text("utf-8")

    @property
    def audit(self) -> list[dict[str, object]]:
        return [
            json.loads(line)
            for line in (self.folder / "spool" / "audit.jsonl").read_text("utf-8").splitlines()
        ]


def start(
    folder: Path, port: int, *, environ: dict[str, str] | None = None, config: str | None = None, **parts: str
) -> Relay:
    """Start a relay whose one way out leads to a port of the loopback; parts fill in the configuration."""
    words = {"listener": "", "device": "", "way": "", "more": ""} | parts
    (folder / "relay.toml").write_text((config or CONFIG).format(folder=folder, port=port, **words))
    with (folder / "log").open("a") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", RUN, str(folder / "relay.toml")],
            stdout=subprocess.PIPE, stderr=log, text=True, env={**os.environ, **(environ or {})},
        )  # fmt: skip
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line.strip().isdigit(), (folder / "log").read_text()
    return Relay(folder, process, int(line))


@contextlib.contextmanager
def running(folder: Path, port: int, **parts: str) -> Iterator[Relay]:
    """Run a relay for as long as the block lasts."""
    relay = start(folder, port, **parts)
    try:
        yield relay
    finally:
        if relay.process.poll() is None:
            relay.process.kill()
        relay.process.wait(30)
        assert relay.process.stdout is not None
        relay.process.stdout.close()


@dataclass
class Got:
    """One message as the next hop was given it."""

    mail_from: str
    recipients: list[str]
    content: bytes
    mail: str = ""


@dataclass
class Hop:
    """
    A next hop that remembers.

    answers:  reply texts by verb, or by ``RCPT address``; a callable gets the line. ``None`` breaks the line.
    """

    port: int = 0
    got: list[Got] = field(default_factory=list)
    answers: dict[str, str | Callable[[str], str | None] | None] = field(default_factory=dict)
    sessions: int = 0
    open: int = 0
    most_open: int = 0
    logins: list[str] = field(default_factory=list)
    extensions: list[str] = field(
        default_factory=lambda: ["PIPELINING", "8BITMIME", "DSN", "SMTPUTF8", "SIZE 50000000"]
    )
    lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, verb: str, line: str, default: str) -> str | None:
        for key in (line, verb):
            if key in self.answers:
                found = self.answers[key]
                return found(line) if callable(found) else found
        return default

    def wait(self, number: int, seconds: float = 20.0) -> list[Got]:
        """Wait for so many messages."""
        end = time.monotonic() + seconds
        while len(self.got) < number and time.monotonic() < end:
            time.sleep(0.02)
        return self.got


class _Line(socketserver.StreamRequestHandler):
    # Each reply of a group is a write of its own: one that waits for the other side's late acknowledgement takes 40 ms.
    disable_nagle_algorithm = True

    def handle(self) -> None:
        hop: Hop = self.server.hop  # type: ignore[attr-defined]  # set below
        with hop.lock:
            hop.sessions += 1
            hop.open += 1
            hop.most_open = max(hop.most_open, hop.open)
        try:
            self.talk(hop)
        except (ConnectionError, ValueError):
            pass
        finally:
            with hop.lock:
                hop.open -= 1

    def say(self, text: str | None) -> bool:
        if text is None:
            self.connection.close()
            raise ConnectionError
        self.wfile.write(text.encode() + b"\r\n")
        return text[:1] == "2"

    def talk(self, hop: Hop) -> None:
        self.say(hop.answer("CONNECT", "CONNECT", "220 hop.test ESMTP"))
        sender, mail, recipients, begun = "", "", list[str](), False
        while line := self.rfile.readline().decode().rstrip("\r\n"):
            verb = line.split(" ")[0].upper()
            if verb == "EHLO":
                lines = ["hop.test", *hop.extensions]
                self.say(
                    "\r\n".join(
                        f"250{'-' if n < len(lines) - 1 else ' '}{each}" for n, each in enumerate(lines)
                    )
                )
            elif verb == "MAIL":
                mail, recipients = line, []
                sender = re.findall(r"<(.*?)>", line)[0]
                begun = self.say(hop.answer("MAIL", line, "250 2.1.0 Ok"))
            elif verb == "RCPT":
                address = re.findall(r"<(.*?)>", line)[0]
                if self.say(
                    hop.answer("RCPT", f"RCPT {address}", "250 2.1.5 Ok") if begun else "503 5.5.1 MAIL first"
                ):
                    recipients.append(address)
            elif verb == "DATA":
                reply = hop.answer(
                    "DATA", "DATA", "354 go on" if recipients else "554 5.5.1 No valid recipients"
                )
                self.say(reply)
                if reply and reply.startswith("354"):
                    lines = []
                    while (part := self.rfile.readline()) != b".\r\n":
                        if not part:
                            raise ConnectionError
                        lines.append(part.removeprefix(b"."))
                    if self.say(hop.answer(".", ".", "250 2.0.0 Ok")):
                        with hop.lock:
                            hop.got.append(Got(sender, recipients, b"".join(lines), mail))
            elif verb == "AUTH":
                words = line.split(" ")
                with hop.lock:
                    hop.logins.append(base64.b64decode(words[2]).decode() if len(words) > 2 else "")
                self.say(hop.answer("AUTH", line, "235 2.7.0 Ok"))
            elif verb == "QUIT":
                self.say("221 2.0.0 Bye")
                return
            else:
                self.say(hop.answer(verb, line, "250 2.0.0 Ok"))


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 200


@contextlib.contextmanager
def hop(port: int = 0, **answers: str | None) -> Iterator[Hop]:
    """Run a next hop; answers by verb, for example ``MAIL="451 4.3.0 later"``."""
    server = _Server(("127.0.0.1", port), _Line)
    made = Hop(server.server_address[1], answers=dict(answers))
    server.hop = made  # type: ignore[attr-defined]  # for the handler above
    with serving(server):
        yield made


class Device:
    """A client that says exactly what it is told to."""

    def __init__(self, port: int, *, greet: bool = True) -> None:
        self.line = socket.create_connection(("127.0.0.1", port), timeout=30)
        self.file = self.line.makefile("rb")
        try:
            if greet:
                self.reply()
                self.ask("EHLO scanner")
        except OSError:
            self.__exit__()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()
        self.line.close()

    def reply(self) -> str:
        text = ""
        while line := self.file.readline().decode():
            text += line
            if line[3:4] != "-":
                break
        return text

    def send(self, data: bytes) -> None:
        self.line.sendall(data)

    def ask(self, line: str) -> str:
        self.send(line.encode() + b"\r\n")
        return self.reply()

    def mail(
        self, content: bytes, *recipients: str, sender: str = "scan@inside.test", words: str = ""
    ) -> str:
        """Send a message, dots stuffed here; give the last reply, or the first that refuses."""
        for line in (f"MAIL FROM:<{sender}>{words}", *(f"RCPT TO:<{each}>" for each in recipients), "DATA"):
            reply = self.ask(line)
            if reply[:1] not in "23":
                return reply
        stuffed = re.sub(rb"(?m)^\.", b"..", content)
        self.send(stuffed + b".\r\n")
        return self.reply()


MESSAGE = b"From: Scanner <scan@inside.test>\r\nTo: a@inside.test\r\nSubject: scan\r\nMessage-ID: <1@scan>\r\nDate: Tue, 24 Nov 2026 08:00:00 +0000\r\n\r\nText\r\n.dot\r\n"
