"""Sockets for sessions: accepts within its limits, encrypts, watches the time, and stops gracefully."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import ssl
from collections.abc import Callable
from typing import Any

import structlog

from portero.core.address import NetworkMap
from portero.core.text import Text
from portero.errors import ConfigError
from portero.relay.protocol import DELAY, LOG_IN, MESSAGE, OVER, TEXT, TLS, Event, Peer, Session
from portero.relay.proxy import ProxyFault, read_proxy
from portero.relay.reception import Reception
from portero.relay.settings import Listener
from portero.relay.sure import sure

_SWEEP_SECONDS = 1.0
_PROXY_SECONDS = 5.0
# What a client may send ahead while it waits for us: a pipelined group, not a message.
_AHEAD_OCTETS = 65_536

log = structlog.get_logger("portero.relay")


class Connection(asyncio.Protocol):
    """One client's connection: moves bytes between its socket and its session."""

    __slots__ = ("_ahead", "_gate", "_message_began", "_proxy", "_read_octets", "_unread", "deadline", "session",
                 "transport")  # fmt: skip

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self.transport: Any = None
        self.session: Session | None = None
        self.deadline = 0.0
        self._ahead = 0
        self._unread = False
        self._proxy: bytes | None = None
        self._message_began = 0.0
        self._read_octets = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take a connection, or refuse it politely; see asyncio.Protocol."""
        self.transport = transport
        if self.session is not None:
            # The same connection, encrypted now; `Gate.encrypt` goes on.
            return
        gate = self._gate
        name = transport.get_extra_info("peername") or ("", 0)
        client, port = _plain(str(name[0])), int(name[1])
        self.deadline = gate.now() + _PROXY_SECONDS
        if gate.listener.proxy_from:
            if client not in gate.balancers:
                self._refuse(client, b"")
                return
            self._proxy = b""
            gate.open.add(self)
            return
        gate.open.add(self)
        self._welcome(client, port)

    def _welcome(self, client: str, port: int) -> None:
        gate = self._gate
        refusal = gate.refusal(client)
        if refusal is not None:
            self._refuse(client, refusal)
            return
        gate.clients[client] = gate.clients.get(client, 0) + 1
        self.deadline = gate.now() + gate.listener.idle_seconds
        self.session = Session(
            gate.reception, gate.listener.manners, Peer(client, port), gate.reception.hostname
        )
        if gate.listener.tls == "implicit":
            self.session.secured(*described(self.transport.get_extra_info("ssl_object")))
        self._flush()

    def _refuse(self, client: str, reply: bytes) -> None:
        log.info("connection-refused", client=client, listener=self._gate.listener.manners.name)
        self._gate.reception.tally.refuse("connection")
        if reply:
            self.transport.write(reply)
        self.transport.close()

    def data_received(self, data: bytes) -> None:
        """Feed the session; see asyncio.Protocol."""
        if self._proxy is not None:
            data = self._read_proxy(data)
            if not data:
                return
        session = self.session
        if session is None:
            return
        if session.event is not None:
            # The session waits for us: what comes meanwhile is bounded, and read no further.
            self._ahead += len(data)
            if self._ahead > _AHEAD_OCTETS:
                self.transport.pause_reading()
        session.receive(data)
        if session.state is TEXT:
            self._read_octets += len(data)
        self._flush()

    def _read_proxy(self, data: bytes) -> bytes:
        header = sure(self._proxy) + data
        try:
            found = read_proxy(header)
        except ProxyFault as fault:
            log.warning("proxy-header", fault=str(fault))
            self._proxy = None
            self.transport.abort()
            return b""
        if found is None:
            self._proxy = header
            return b""
        self._proxy = None
        name = self.transport.get_extra_info("peername") or ("", 0)
        self._welcome(found.client or _plain(str(name[0])), found.port)
        return found.rest

    def _flush(self) -> None:
        """Write what the session says and do what it needs."""
        session = sure(self.session)
        output = session.output
        if output:
            self.transport.write(output[0] if len(output) == 1 else b"".join(output))
            output.clear()
        gate = self._gate
        if session.event is not None:
            self._serve(session, session.event)
        elif session.state is TEXT:
            if not self._message_began:
                self._message_began = gate.now()
            # Whoever sends fast enough may send for long. Source: Postfix, smtpd_min_data_rate.
            self.deadline = (
                self._message_began
                + gate.listener.idle_seconds
                + self._read_octets / max(gate.listener.octets_per_second, 1.0)
            )
        else:
            self._message_began, self._read_octets = 0.0, 0
            self.deadline = gate.idle_until

    def _serve(self, session: Session, event: Event) -> None:
        if event is MESSAGE:
            self._message_began, self._read_octets = 0.0, 0
            # Ours is the turn: the client cannot be late now.
            self.deadline = float("inf")
            self._gate.reception.complete(session, self._answered)
        elif event is TLS:
            self.transport.pause_reading()
            self._gate.encrypt(self)
        elif event is LOG_IN:
            self._gate.log_in(self)
        elif event is DELAY:
            asyncio.get_running_loop().call_later(1.0, self._answered, b"")
        else:
            self.transport.close()

    def _answered(self, reply: bytes) -> None:
        session = self.session
        if session is None or self.transport.is_closing():
            return
        session.resume(reply)
        self._go_on()

    def _go_on(self) -> None:
        stopped = self._ahead > _AHEAD_OCTETS
        self._ahead = 0
        if stopped and not self._unread:
            self.transport.resume_reading()
        self._flush()

    def pause_writing(self) -> None:
        """Read no more from a client that does not read our replies; see asyncio.Protocol."""
        self._unread = True
        self.transport.pause_reading()

    def resume_writing(self) -> None:
        """Go on with a client that reads again; see asyncio.Protocol."""
        self._unread = False
        # Before TLS nothing more is read in the clear, and what was sent ahead keeps its bound.
        begins_tls = self.session is not None and self.session.event is TLS
        if self._ahead <= _AHEAD_OCTETS and not begins_tls and not self.transport.is_closing():
            self.transport.resume_reading()

    def logged_in(self, *, right: bool) -> None:
        """Answer the session's credentials."""
        if self.session is not None and not self.transport.is_closing():
            self.session.logged_in(right=right)
            self._go_on()

    def encrypted(self, transport: Any) -> None:
        """Go on over the encrypted line."""
        self.transport = transport
        self._ahead = 0
        sure(self.session).secured(*described(transport.get_extra_info("ssl_object")))
        self.deadline = self._gate.now() + self._gate.patience

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  (asyncio's signature)
        """Forget the connection and its unfinished message; see asyncio.Protocol."""
        gate = self._gate
        gate.open.discard(self)
        session, self.session = self.session, None
        if session is None:
            return
        client = session.peer.client
        others = gate.clients[client] - 1
        if others:
            gate.clients[client] = others
        else:
            del gate.clients[client]
        transaction = session.transaction
        if transaction is not None and transaction.intake is not None and session.event is not MESSAGE:
            transaction.intake.abandon()

    def late(self) -> None:
        """End a connection whose time is over. Source: RFC 5321 section 4.5.3.2.7."""
        if self.session is not None:
            self._gate.reception.tally.refuse("timeout")
            self.transport.write(b"421 4.4.2 Waited too long\r\n")
            self.transport.close()
            # A client that does not read keeps its socket open for nothing.
            self.deadline = self._gate.now() + 5.0
            if self.session.state is OVER:
                self.transport.abort()
            self.session.state = OVER
        else:
            self.transport.abort()

    def part(self) -> None:
        """Take leave of an idle client; one that is sending or waits for its reply is let finish."""
        session = self.session
        if session is None:
            self.transport.abort()
        elif session.event is None and session.state is not TEXT:
            self.transport.write(b"421 4.3.2 The server is stopping\r\n")
            self.transport.close()


class Gate:
    """
    One listener at work.

    clients:  open connections by client address.
    """

    def __init__(self, listener: Listener) -> None:
        self._admit(listener)
        self._reception: Reception | None = None
        self.open: set[Connection] = set()
        self.clients: dict[str, int] = {}
        self._context = None if listener.tls == "none" else server_context(listener)
        self._server: asyncio.Server | None = None
        self._sweeper: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop = asyncio.get_running_loop()
        self.now: Callable[[], float] = self._loop.time
        # Until when a client may be idle that speaks now; the sweeper moves it on, a second's precision is enough.
        self.idle_until = self.now() + listener.idle_seconds + _SWEEP_SECONDS
        self.encrypted = 0

    def _admit(self, listener: Listener) -> None:
        self.listener = listener
        self.balancers: NetworkMap[bool] = NetworkMap((each, True) for each in listener.proxy_from)
        self._only: NetworkMap[bool] = NetworkMap((each, True) for each in listener.only_from)

    def reload(self, listener: Listener) -> None:
        """
        Take new limits, names and certificates for connections to come; port and kind of TLS stay as they are.

        Raises ConfigError where the certificate cannot be read; `server_context` finds that out beforehand.
        """
        if self._context is not None:
            # The open port holds this very context, so it is filled anew and not replaced.
            _load(self._context, listener)
        self._admit(listener)

    async def bind(self) -> None:
        """Open the port, without listening yet. Raises ConfigError where the system refuses."""
        listener = self.listener
        try:
            self._server = await self._loop.create_server(
                lambda: Connection(self),
                listener.host,
                listener.port,
                ssl=self._context if listener.tls == "implicit" else None,
                ssl_handshake_timeout=30 if listener.tls == "implicit" else None,
                backlog=511,
                start_serving=False,
            )
        except OSError as error:
            raise ConfigError(
                (
                    Text(
                        "The listener {name} cannot open {host}, port {port}: {reason}. Stop what uses the port, or start as root and name a user.",
                        name=listener.manners.name,
                        host=listener.host,
                        port=listener.port,
                        reason=os.strerror(error.errno) if error.errno else str(error),
                    ),
                )
            ) from None

    @property
    def port(self) -> int:
        """Give the port that was opened."""
        return int(sure(self._server).sockets[0].getsockname()[1])

    @property
    def reception(self) -> Reception:
        """Give who answers the sessions."""
        return sure(self._reception)

    async def serve(self, reception: Reception) -> None:
        """Take connections, answered by this reception."""
        self._reception = reception
        await sure(self._server).start_serving()
        self._sweeper = self._loop.create_task(self._sweep())

    def shut(self) -> None:
        """Take no more connections, and part with those that are idle."""
        if self._server is not None:
            self._server.close()
        for connection in tuple(self.open):
            connection.part()

    async def stop(self, seconds: float = 10.0) -> None:
        """Shut, and wait for the messages under way, for so long."""
        self.shut()
        end = self.now() + seconds
        while self.open and self.now() < end:
            await asyncio.sleep(0.05)
            for connection in tuple(self.open):
                connection.part()
        for connection in tuple(self.open):
            connection.transport.abort()
        if self._sweeper is not None:
            self._sweeper.cancel()

    @property
    def patience(self) -> float:
        """Give the seconds an idle client has: fewer when places are scarce. Source: Postfix, stress-adaptive behaviour."""
        scarce = len(self.open) > self.listener.connections * 0.9
        return min(self.listener.idle_seconds, 10.0) if scarce else self.listener.idle_seconds

    def refusal(self, client: str) -> bytes | None:
        """Give the reply for a client that may not come in, or None."""
        if self._only and client not in self._only:
            return b"554 5.7.1 This port is not for you\r\n"
        if len(self.open) > self.listener.connections:
            return b"421 4.3.2 Too many connections\r\n"
        if self.clients.get(client, 0) >= self.listener.connections_per_client:
            return b"421 4.7.0 Too many connections from your address\r\n"
        return None

    def encrypt(self, connection: Connection) -> None:
        """Begin TLS on a connection."""
        self._start(self._encrypt(connection))

    async def _encrypt(self, connection: Connection) -> None:
        try:
            transport = await self._loop.start_tls(
                connection.transport,
                connection,
                sure(self._context),
                server_side=True,
                ssl_handshake_timeout=30,
            )
        except (OSError, ssl.SSLError, TimeoutError) as error:
            log.info(
                "tls-failed", error=str(error), client=connection.session and connection.session.peer.client
            )
            self.reception.tally.refuse("tls-handshake")
            connection.transport.abort()
            return
        if transport is None:
            return
        self.encrypted += 1
        connection.encrypted(transport)

    def log_in(self, connection: Connection) -> None:
        """Check a connection's credentials, off the loop: a password's hash takes its time."""
        self._start(self._log_in(connection))

    async def _log_in(self, connection: Connection) -> None:
        session = connection.session
        if session is None:
            return
        user, password = session.credentials
        right = await asyncio.to_thread(self.reception.login, user, password)
        connection.logged_in(right=right)

    def _start(self, work: Any) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _sweep(self) -> None:
        # One clock for all: a timer for each command of each client would cost more than the commands.
        while True:
            await asyncio.sleep(_SWEEP_SECONDS)
            now = self.now()
            self.idle_until = now + self.patience + _SWEEP_SECONDS
            for connection in [each for each in self.open if each.deadline < now]:
                with contextlib.suppress(OSError):
                    connection.late()


def server_context(listener: Listener) -> ssl.SSLContext:
    """
    Make a listener's TLS context. Raises ConfigError where its certificate or key cannot be read.

    Source: RFC 8996 for TLS 1.2 as the oldest; `old_tls` goes below it for devices that know no better.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    _load(context, listener)
    if listener.old_tls:
        # Security level 0 is what OpenSSL 3 asks for before it speaks TLS 1.0.
        context.set_ciphers("DEFAULT:@SECLEVEL=0")
        with _expected_deprecation():
            context.minimum_version = ssl.TLSVersion.TLSv1
    return context


def _load(context: ssl.SSLContext, listener: Listener) -> None:
    try:
        context.load_cert_chain(sure(listener.certificate), listener.key)
        if listener.client_ca is not None:
            context.load_verify_locations(listener.client_ca)
            context.verify_mode = ssl.CERT_OPTIONAL
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(
            (
                Text(
                    "The certificate or key of the listener {name} cannot be read: {reason}. Check the paths.",
                    name=listener.manners.name,
                    reason=str(error),
                ),
            )
        ) from None


@contextlib.contextmanager
def _expected_deprecation() -> Any:
    import warnings

    with warnings.catch_warnings():
        # Python warns of TLS 1.0; the administrator has asked for it, for named addresses.
        warnings.simplefilter("ignore", DeprecationWarning)
        yield


def described(tls: Any) -> tuple[str, tuple[str, ...]]:
    """Give a TLS session's version and cipher, and what a verified client certificate is known by."""
    cipher = tls.cipher()
    shown = f"{tls.version()} {cipher[0] if cipher else ''}".strip()
    names: list[str] = []
    raw = tls.getpeercert(binary_form=True)
    if raw:
        names.append("sha256:" + hashlib.sha256(raw).hexdigest())
        held = tls.getpeercert() or {}
        names += [value for kind, value in held.get("subjectAltName", ()) if kind in {"DNS", "email"}]
        names += [value for part in held.get("subject", ()) for kind, value in part if kind == "commonName"]
    return shown, tuple(names)


def _plain(address: str) -> str:
    """Give a peer's address as rules write it: without zone, IPv4 as IPv4."""
    return address.partition("%")[0].removeprefix("::ffff:")
