"""Speaks SMTP to a next hop: pipelined, many messages to a session, every answer told apart per recipient."""

from __future__ import annotations

import asyncio
import base64
import os
import ssl
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from portero.relay.outcome import Kind, Outcome, Scope, lost, outcome_of_reply
from portero.relay.reencode import reencoded
from portero.relay.sure import sure
from portero.relay.transport import Outgoing

# Source: RFC 5321 section 4.5.3.2; the last also covers the wait after the final dot.
_CONNECT_SECONDS = 30.0
_REPLY_SECONDS = 300.0
_MESSAGE_SECONDS = 600.0
# A reply is at most 512 octets a line; a server that talks without end is left.
_REPLY_OCTETS = 65_536
_PIECE = 262_144
_LOOK_SECONDS = 5.0
_BEHIND_THE_CODE = frozenset({b"", b" ", b"-", b"\r"})
# A server says the same few short lines over and over.
_REMEMBERED_OCTETS = 80


class Broken(Exception):  # noqa: N818  (the state of the line, told to whoever waits on it)
    """The line is broken, or the server speaks no SMTP; the text says how."""


class Unwelcome(Exception):  # noqa: N818  (a reply that ends the attempt)
    """The server refused the session; `outcome` says for how long."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.reply)
        self.outcome = outcome


@dataclass(frozen=True, slots=True)
class Hop:
    """
    A next hop.

    tls:   ``none``, ``starttls`` (compulsory), ``opportunistic``, ``implicit``.
    context:  for TLS; its certificate is our client certificate where the hop asks for one.
    """

    host: str
    port: int
    tls: str = "starttls"
    context: ssl.SSLContext | None = None
    server_name: str | None = None


Reply = tuple[int, str]
# Gives the words behind AUTH and the answers to its 334s, for example a token.
Credentials = Callable[[], "object"]


class SmtpClient(asyncio.Protocol):
    """One connection to a next hop."""

    def __init__(self, hop: Hop, hostname: str) -> None:
        self._hop = hop
        self._hostname = hostname
        self._transport: asyncio.Transport | None = None
        self._buffer = b""
        self._lines: list[str] = []
        self._replies: deque[Reply] = deque()
        # Who waits, for how many replies, and until when.
        self._waiter: asyncio.Future[list[Reply]] | None = None
        self._wanted = 0
        self._late_at = 0.0
        self._watch: asyncio.TimerHandle | None = None
        self._broken: str | None = None
        self._drained: asyncio.Future[None] | None = None
        self._loop = asyncio.get_running_loop()
        self.extensions: dict[str, str] = {}
        self.greeting = ""

    @property
    def usable(self) -> bool:
        """Tell whether the line still stands."""
        return self._broken is None and self._transport is not None and not self._transport.is_closing()

    async def connect(self) -> None:
        """
        Open the line, greet, and encrypt where the hop asks for it.

        Raises Broken, and Unwelcome for what the server refuses. Source: RFC 5321 section 3.1; RFC 3207; RFC 8314.
        """
        hop = self._hop
        implicit = hop.tls == "implicit"
        try:
            async with asyncio.timeout(_CONNECT_SECONDS):
                await self._loop.create_connection(
                    lambda: self,
                    hop.host,
                    hop.port,
                    ssl=hop.context if implicit else None,
                    server_hostname=(hop.server_name or hop.host) if implicit else None,
                )
        except (OSError, TimeoutError, ssl.SSLError) as error:
            raise Broken(f"{hop.host}:{hop.port}: {_words(error)}") from None
        [(code, text)] = await self._read(1)
        self.greeting = text
        if code != 220:
            raise Unwelcome(outcome_of_reply(code if code >= 400 else 421, text, Scope.WAY))
        await self._hello()
        if hop.tls in {"starttls", "opportunistic"}:
            if "STARTTLS" in self.extensions:
                await self._encrypt()
                await self._hello()
            elif hop.tls == "starttls":
                raise Broken(f"{hop.host}:{hop.port} does not offer STARTTLS")

    async def command(self, line: str) -> Reply:
        """Say one line and give the reply. Raises Broken."""
        self._write(line.encode() + b"\r\n")
        [reply] = await self._read(1)
        return reply

    async def login(self, mechanism: str, answer: str) -> None:
        """
        Log in by a mechanism whose first answer says all, XOAUTH2 or PLAIN.

        answer:  the bytes before base64, as text. Raises Broken, Unwelcome.
        Source: RFC 4954; Microsoft, "Authenticate an IMAP, POP or SMTP connection using OAuth".
        """
        if mechanism not in self.extensions.get("AUTH", "").upper().split():
            raise Unwelcome(
                Outcome(Kind.DEFERRED, f"{self._hop.host} does not offer AUTH {mechanism}", Scope.WAY)
            )
        code, text = await self.command(f"AUTH {mechanism} {base64.b64encode(answer.encode()).decode()}")
        if code == 334:
            # A refused token comes as a challenge that holds the reason; the empty answer brings the refusal itself.
            reason = text
            code, text = await self.command("")
            if code >= 400:
                text = f"{text} {_challenge(reason)}".strip()
        if code != 235:
            raise Unwelcome(_refused_login(code, text))

    async def login_old(self, user: str, password: str) -> None:
        """Log in by LOGIN, for servers without PLAIN. Raises Broken, Unwelcome."""
        code, text = await self.command("AUTH LOGIN")
        for answer in (user, password):
            if code != 334:
                break
            code, text = await self.command(base64.b64encode(answer.encode()).decode())
        if code != 235:
            raise Unwelcome(_refused_login(code, text))

    async def send(self, message: Outgoing) -> list[Outcome]:
        """Carry one message; one outcome a recipient, in their order. Raises nothing."""
        outcomes: list[Outcome | None] = [None] * len(message.recipients)
        try:
            return await self._transact(message, outcomes)
        except Broken as broken:
            # What was answered stands; for the rest a second copy is better than none.
            return [each or lost(str(broken)) for each in outcomes]

    async def close(self) -> None:
        """Leave; politely where the line stands."""
        if self.usable and self._transport is not None:
            try:
                self._write(b"QUIT\r\n")
                async with asyncio.timeout(2):
                    await self._read(1)
            except (Broken, TimeoutError):
                pass
        if self._transport is not None:
            self._transport.abort()

    async def _transact(self, message: Outgoing, outcomes: list[Outcome | None]) -> list[Outcome]:
        limit = self.extensions.get("SIZE", "")
        if limit.isdigit() and 0 < int(limit) < len(message.content):
            told = Outcome(
                Kind.REFUSED,
                f"552 5.3.4 {self._hop.host} takes at most {limit} octets, this message has {len(message.content)}",
                Scope.MESSAGE,
            )
            return [told for _ in outcomes]
        content = message.content
        if message.longest_line or (message.eight_bit and "8BITMIME" not in self.extensions):
            content = await asyncio.to_thread(reencoded, content)
        utf8 = (
            message.smtputf8
            or not message.mail_from.isascii()
            or not all(each[0].isascii() for each in message.recipients)
        )
        if utf8 and "SMTPUTF8" not in self.extensions:
            told = Outcome(Kind.REFUSED, f"550 5.6.7 {self._hop.host} does not take SMTPUTF8", Scope.MESSAGE)
            return [told for _ in outcomes]
        group = [self._mail_line(message, len(content), utf8=utf8)]
        group += [self._rcpt_line(*each) for each in message.recipients]
        replies = await self._group(group)
        mail, answers, data = replies[0], replies[1:-1], replies[-1]
        if mail[0] // 100 != 2:
            told = outcome_of_reply(mail[0], mail[1], Scope.MESSAGE)
            if data[0] == 354:
                # It refuses the sender and still waits for a message: an empty one must not reach anybody.
                self._break("the server takes DATA after it has refused MAIL")
            else:
                await self._reset()
            return [told for _ in outcomes]
        for number, (code, text) in enumerate(answers):
            if code // 100 != 2:
                outcomes[number] = outcome_of_reply(code, text)
        if all(each is not None for each in outcomes):
            await self._end_refused(data)
            return [each for each in outcomes if each is not None]
        if data[0] != 354:
            told = outcome_of_reply(data[0] if data[0] >= 400 else 451, data[1], Scope.MESSAGE)
            await self._reset()
            return [each or told for each in outcomes]
        await self._body(content)
        [(code, text)] = await self._read(1, _MESSAGE_SECONDS)
        told = outcome_of_reply(code, text, Scope.MESSAGE)
        return [each or told for each in outcomes]

    async def _group(self, lines: list[str]) -> list[Reply]:
        """Say MAIL, RCPT and DATA, in one breath where the server pipelines. Source: RFC 2920."""
        if "PIPELINING" in self.extensions:
            self._write(("".join(lines) + "DATA\r\n").encode())
            return await self._read(len(lines) + 1)
        replies: list[Reply] = []
        accepted = False
        for line in lines:
            self._write(line.encode())
            replies += await self._read(1)
            if len(replies) == 1 and replies[0][0] // 100 != 2:
                return [*replies, *([replies[0]] * (len(lines) - 1)), (503, "")]
            accepted = accepted or (len(replies) > 1 and replies[-1][0] // 100 == 2)
        if not accepted:
            return [*replies, (503, "")]
        self._write(b"DATA\r\n")
        return [*replies, *await self._read(1)]

    async def _body(self, content: bytes) -> None:
        if len(content) <= _PIECE:
            self._write(content + b".\r\n")
            return
        view = memoryview(content)
        for start in range(0, len(content), _PIECE):
            self._write(view[start : start + _PIECE])
            if self._drained is not None:
                await self._drained
        self._write(b".\r\n")

    async def _end_refused(self, data: Reply) -> None:
        """Leave the transaction: a server that pipelined DATA through waits for a message now."""
        if data[0] == 354:
            self._write(b".\r\n")
            await self._read(1)
        else:
            await self._reset()

    async def _reset(self) -> None:
        code, _ = await self.command("RSET")
        if code // 100 != 2:
            self._break(f"RSET was answered {code}")

    def _mail_line(self, message: Outgoing, octets: int, *, utf8: bool) -> str:
        offered, words = self.extensions, [f"MAIL FROM:<{message.mail_from}>"]
        if "SIZE" in offered:
            words.append(f"SIZE={octets}")
        if message.eight_bit and "8BITMIME" in offered:
            words.append("BODY=8BITMIME")
        if utf8:
            words.append("SMTPUTF8")
        if "DSN" in offered:
            words += [f"RET={message.ret}"] if message.ret else []
            words += [f"ENVID={message.envid}"] if message.envid else []
        return " ".join(words) + "\r\n"

    def _rcpt_line(self, address: str, notify: str, orcpt: str) -> str:
        line = f"RCPT TO:<{address}>"
        if "DSN" in self.extensions:
            line += f" NOTIFY={notify}" if notify else ""
            line += f" ORCPT={_to_xtext(orcpt)}" if orcpt else ""
        return line + "\r\n"

    async def _hello(self) -> None:
        code, text = await self.command(f"EHLO {self._hostname}")
        if code // 100 == 2:
            lines = text.split("\n")[1:]
            self.extensions = {
                words[0].upper(): words[-1]
                for words in (line.replace("=", " ").split(None, 1) for line in lines)
                if words
            }
            return
        self.extensions = {}
        code, text = await self.command(f"HELO {self._hostname}")
        if code // 100 != 2:
            raise Unwelcome(outcome_of_reply(max(code, 400), text, Scope.WAY))

    async def _encrypt(self) -> None:
        code, text = await self.command("STARTTLS")
        if code != 220:
            raise Unwelcome(Outcome(Kind.DEFERRED, text, Scope.WAY))
        if self._buffer or self._replies:
            # What came in clear behind the reply would be believed as if encrypted. Source: CVE-2011-0411.
            raise Broken("the server sent something behind its answer to STARTTLS")
        try:
            transport = await self._loop.start_tls(
                sure(self._transport),
                self,
                sure(self._hop.context),
                server_hostname=self._hop.server_name or self._hop.host,
                ssl_handshake_timeout=_CONNECT_SECONDS,
            )
        except (OSError, ssl.SSLError, TimeoutError) as error:
            raise Broken(f"{self._hop.host}:{self._hop.port}: {_words(error)}") from None
        if transport is None:
            raise Broken("the line broke during STARTTLS")
        self._transport = transport

    async def _read(self, wanted: int, seconds: float = _REPLY_SECONDS) -> list[Reply]:
        replies = self._replies
        if len(replies) >= wanted:
            return [replies.popleft() for _ in range(wanted)]
        if self._broken is not None:
            raise Broken(self._broken)
        self._waiter = self._loop.create_future()
        self._wanted = wanted
        self._late_at = self._loop.time() + seconds
        if self._watch is None:
            self._watch = self._loop.call_later(_LOOK_SECONDS, self._look)
        return await self._waiter

    def _look(self) -> None:
        """Leave a server that is late; one look now and then costs less than a clock for each command."""
        self._watch = None
        if self._waiter is None:
            return
        if self._loop.time() >= self._late_at:
            self._break("no answer in time")
        else:
            self._watch = self._loop.call_later(_LOOK_SECONDS, self._look)

    def _write(self, data: bytes | memoryview) -> None:
        if self._transport is None or self._broken is not None:
            raise Broken(self._broken or "the line is closed")
        self._transport.write(data)

    def _break(self, reason: str) -> None:
        if self._broken is None:
            self._broken = reason
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_exception(Broken(self._broken))
        if self._drained is not None and not self._drained.done():
            self._drained.set_exception(Broken(self._broken))
            # Nobody may be waiting: the line broke between two pieces.
            self._drained.exception()
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the line; see asyncio.Protocol."""
        self._transport = transport  # type: ignore[assignment]  # uvloop's transports are none of asyncio's by class

    def data_received(self, data: bytes) -> None:
        """Read replies; see asyncio.Protocol. Source: RFC 5321 section 4.2.1."""
        if self._buffer:
            data = self._buffer + data
        *lines, self._buffer = data.split(b"\n")
        replies = self._replies
        for line in lines:
            read = _read_line(line) if len(line) <= _REMEMBERED_OCTETS else _read_line.__wrapped__(line)
            if read is None:
                self._break("the server does not speak SMTP")
                return
            number, more, text = read
            if more:
                self._lines.append(text[4:])
                continue
            if self._lines or number // 100 == 3:
                self._lines.append(text[4:])
                shown = ("\n" if number // 100 == 2 else " ").join(self._lines)
                self._lines = []
                text = f"{number} {shown}" if number // 100 != 3 else shown
            replies.append((number, text))
        if len(self._buffer) > _REPLY_OCTETS or len(self._lines) > 200:
            self._break("the server answers without end")
            return
        waiter, wanted = self._waiter, self._wanted
        if waiter is not None and len(replies) >= wanted:
            self._waiter = None
            if not waiter.done():
                waiter.set_result([replies.popleft() for _ in range(wanted)])

    def eof_received(self) -> bool:
        """Take the end of the line as its break; see asyncio.Protocol."""
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell whoever waits; see asyncio.Protocol."""
        if self._watch is not None:
            self._watch.cancel()
        if self._lines or self._replies:
            self._break(" ".join(text for _, text in self._replies) or "the server closed the line")
        else:
            self._break(_words(exc) if exc is not None else "the server closed the line")

    def pause_writing(self) -> None:
        """Wait before the next piece; see asyncio.Protocol."""
        self._drained = self._loop.create_future()

    def resume_writing(self) -> None:
        """Go on with the next piece; see asyncio.Protocol."""
        drained, self._drained = self._drained, None
        if drained is not None and not drained.done():
            drained.set_result(None)


@lru_cache(maxsize=1024)
def _read_line(line: bytes) -> tuple[int, bool, str] | None:
    """Read a line without its LF: its code, whether more lines follow, and all of it as text; None where it is no reply."""
    code, behind = line[:3], line[3:4]
    if not code.isdigit() or behind not in _BEHIND_THE_CODE:
        return None
    return int(code), behind == b"-", line.rstrip(b"\r").decode("utf-8", "replace")


def _refused_login(code: int, text: str) -> Outcome:
    # Whatever the class, credentials are the way's matter, never the message's.
    return Outcome(Kind.DEFERRED, text or str(code), Scope.WAY)


def _challenge(text: str) -> str:
    try:
        return base64.b64decode(text, validate=True).decode("utf-8", "replace")[:300]
    except ValueError:
        return ""


def _to_xtext(text: str) -> str:
    """Encode as xtext. Source: RFC 3461 section 4."""
    return "".join(
        each if "!" <= each <= "~" and each not in "+=" else f"+{ord(each):02X}"
        for each in text
        if each.isascii()
    )


def _words(error: BaseException) -> str:
    if isinstance(error, TimeoutError) and not str(error):
        return "no answer in time"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted ({error.verify_message})"
    if isinstance(error, OSError) and error.errno and not isinstance(error, ssl.SSLError):
        # asyncio puts its own words in place of the system's.
        return os.strerror(error.errno)
    return str(error) or type(error).__name__
