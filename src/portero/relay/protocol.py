"""One SMTP session as a table of states and verbs; it sees bytes, and no socket, file or clock."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, IntEnum, auto
from functools import lru_cache
from typing import Protocol

from portero.relay.data_phase import DataReader
from portero.relay.devices import Device, Outside
from portero.relay.envelope import Envelope, Recipient
from portero.relay.sure import sure
from portero.relay.syntax import Path, SyntaxFault, parse_path, xtext

_COMMAND_OCTETS = 2048
# Access tokens travel in AUTH lines. Source: RFC 4954 section 4.
_LOGIN_OCTETS = 12288


class State(IntEnum):
    """Where a session stands; a number, since each command looks it up and a number's hash is no call."""

    NEW = auto()  # connected; no HELO yet
    READY = auto()  # greeted; no transaction
    SENDER = auto()  # MAIL was taken
    RECIPIENT = auto()  # at least one RCPT was taken
    TEXT = auto()  # between DATA and the final dot
    LOGIN = auto()  # between AUTH and its last answer
    OVER = auto()  # nothing is read any more


class Event(Enum):
    """What a session needs from the outside before it reads on."""

    MESSAGE = auto()  # a message is complete: make it durable, then `resume` with the reply
    TLS = auto()  # the client may begin its handshake: then `secured`
    LOGIN = auto()  # a user name and password wait in `credentials`: check them, then `logged_in`
    DELAY = auto()  # the client errs too often: wait a second, then `resume`
    CLOSE = auto()  # the conversation is over


# Up to Python 3.11 a member takes ten times as long by its class's name as by a name of its own, and each command asks.
NEW, READY, SENDER, RECIPIENT = State.NEW, State.READY, State.SENDER, State.RECIPIENT
TEXT, LOGIN, OVER = State.TEXT, State.LOGIN, State.OVER
MESSAGE, TLS, LOG_IN, DELAY, CLOSE = Event.MESSAGE, Event.TLS, Event.LOGIN, Event.DELAY, Event.CLOSE


@dataclass(frozen=True, slots=True)
class Manners:
    """
    How a listener speaks, the same for all its sessions.

    size_octets:   largest message.
    starttls:      offered; `tls_required` refuses MAIL before it; `login` offers AUTH, without TLS only with `login_clear`.
    normalise:     mend bare CR and LF instead of refusing the message.
    soft_errors:   after so many each error waits a second; after `hard_errors` the session ends. Source: Postfix.
    idle_commands: NOOP, RSET, VRFY and such that a session may waste.
    """

    name: str
    size_octets: int = 36_700_160
    recipients: int = 1000
    starttls: bool = False
    tls_required: bool = False
    login: bool = False
    login_clear: bool = False
    normalise: bool = True
    smtputf8: bool = True
    soft_errors: int = 10
    hard_errors: int = 20
    idle_commands: int = 100


@dataclass(slots=True)
class Peer:
    """
    Who is connected.

    client:       address as text.
    certificate:  names that a verified client certificate bears, its fingerprint among them.
    tls:          version and cipher, "" in clear.
    device:       the rule that was found for it, None before MAIL.
    outside:      how the message under way leaves that rule.
    """

    client: str
    port: int = 0
    ehlo: str = ""
    extended: bool = False
    login: str = ""
    tls: str = ""
    certificate: tuple[str, ...] = ()
    device: Device | None = None
    outside: list[Outside] = field(default_factory=list)


class Intake(Protocol):
    """Where one message goes while it is read."""

    def write(self, piece: bytes) -> object:
        """Take a piece. Raises nothing: what the disk refuses is answered at the end."""

    def abandon(self) -> None:
        """Forget the message: its session broke."""

    def finish(self) -> bytes | None:
        """Give the content, or None where it is in a file. Raises RefusedMessage."""

    @property
    def octets(self) -> int:
        """Give the size of the content."""


@dataclass(slots=True)
class Transaction:
    """What MAIL, RCPT and DATA said so far."""

    mail: Path
    recipients: list[Recipient] = field(default_factory=list)
    reader: DataReader | None = None
    intake: Intake | None = None
    envelope: Envelope | None = None


class Door(Protocol):
    """What the session asks of the house; every answer is None for yes, or the reply."""

    def sender(self, peer: Peer, mail: Path) -> bytes | None:
        """Judge a reverse-path."""

    def recipient(self, peer: Peer, address: str) -> bytes | None:
        """Judge a forward-path."""

    def intake(self, peer: Peer, transaction: Transaction, size_octets: int) -> Intake | bytes:
        """Open the place for a message of at most this size, or give the reply that says why there is none."""


class Session:
    """
    A conversation with one client.

    Feed it with `receive`; write what stands in `output` and clear it; act on `event`. While an event is pending
    nothing is read: what arrives is kept, bounded by what the caller reads ahead.
    """

    __slots__ = ("_errors", "_idle", "_input", "_long", "credentials", "door", "event", "host", "manners", "output",
                 "peer", "state", "transaction", "user")  # fmt: skip

    def __init__(self, door: Door, manners: Manners, peer: Peer, host: str) -> None:
        self.door = door
        self.manners = manners
        self.peer = peer
        self.host = host
        self.state = NEW
        self.output: list[bytes] = [_greeting(host)]
        self.event: Event | None = None
        self.transaction: Transaction | None = None
        self.credentials: tuple[str, str] = ("", "")
        self._input = b""
        self._errors = 0
        self._idle = 0
        self._long = False
        self.user: str | None = None

    def receive(self, data: bytes) -> None:
        """Take what arrived and go as far as it leads."""
        if self._input:
            data = self._input + data
            self._input = b""
        start, size = 0, len(data)
        while start < size:
            if self.event is not None or self.state is OVER:
                self._input = data[start:]
                return
            if self.state is TEXT:
                rest = self._text(data[start:] if start else data)
                if rest is None:
                    return
                data, start, size = rest, 0, len(rest)
                continue
            end = data.find(b"\n", start)
            if end < 0:
                self._keep(data[start:])
                return
            self._line(data[start : end + 1])
            start = end + 1

    def resume(self, reply: bytes = b"") -> None:
        """Go on after a pending event with the reply to it, "" where the reply stood before the event."""
        if self.event is MESSAGE:
            self.transaction = None
            self.state = READY
        self.event = None
        if reply:
            self.say(reply)
        self._go_on()

    def secured(self, tls: str, certificate: tuple[str, ...] = ()) -> None:
        """
        Begin anew on the encrypted line.

        What came in clear is forgotten, buffered input among it. Source: RFC 3207 section 4.2; CVE-2011-0411.
        """
        self.peer = Peer(self.peer.client, self.peer.port, tls=tls, certificate=certificate)
        self.state = NEW
        self.event = None
        self._input = b""
        self.transaction = None
        self.user = None

    def logged_in(self, *, right: bool) -> None:
        """Answer the credentials that were given."""
        self.event = None
        self.state = READY
        if right:
            self.peer.login = self.credentials[0]
            self.peer.device = None
            self.say(b"235 2.7.0 Authentication successful\r\n")
        else:
            self.fault(b"535 5.7.8 Authentication credentials invalid\r\n")
        self.credentials = ("", "")
        self._go_on()

    def say(self, reply: bytes) -> None:
        """Put a reply, lines and CRLF complete, behind those not yet written."""
        self.output.append(reply)

    def fault(self, reply: bytes) -> None:
        """Say that the client erred, and count it."""
        self._errors += 1
        if self._errors >= self.manners.hard_errors:
            self.say(b"421 4.7.0 Too many errors\r\n")
            self.end()
            return
        self.say(reply)
        if self._errors > self.manners.soft_errors:
            self.event = DELAY

    def refuse(self, reply: bytes) -> None:
        """Say what the house answered; a refusal counts as an error, since guessing is one."""
        self.fault(reply) if reply[:1] == b"5" else self.say(reply)

    def _go_on(self) -> None:
        if self._input and self.event is None:
            held, self._input = self._input, b""
            self.receive(held)

    def end(self) -> None:
        """Read nothing more, and close behind what was said."""
        self.state = OVER
        self.event = CLOSE
        self._input = b""

    def _keep(self, rest: bytes) -> None:
        """Keep an unfinished line; one that is too long is forgotten up to its end, and answered there."""
        if self._long or self._too_long(rest):
            self._long = True
            self._input = b""
        else:
            self._input = rest

    def _too_long(self, line: bytes) -> bool:
        """Judge a line without its LF, or what has come of it: one that is whole at once has no other limit."""
        return len(line) > _COMMAND_OCTETS and (
            len(line) > _LOGIN_OCTETS or not (self.state is LOGIN or line[:4].upper() == b"AUTH")
        )

    def _line(self, line: bytes) -> None:
        if self._long or self._too_long(line[:-1]):
            self._long = False
            self.fault(b"500 5.5.2 Line too long\r\n")
            return
        normalise = self.manners.normalise
        if self.state is LOGIN:
            text = _clean(line, normalise)
            if text is None:
                self.fault(_UNCLEAN)
            else:
                _login_answer(self, text)
            return
        # A line that may hold a password is not remembered.
        parted = (_parted if line[:4].upper() == b"AUTH" else _parted_before)(line, normalise)
        if parted is None:
            self.fault(_UNCLEAN)
            return
        verb, argument = parted
        handler = TABLE[self.state].get(verb)
        if handler is None:
            known = any(verb in row for row in TABLE.values())
            self.fault(
                b"503 5.5.1 Bad sequence of commands\r\n" if known else b"500 5.5.2 Command not known\r\n"
            )
            return
        handler(self, argument)

    def _text(self, data: bytes) -> bytes | None:
        transaction = self.transaction
        rest = sure(transaction.reader if transaction else None).feed(data)
        if rest is not None:
            self.event = MESSAGE
        return rest

    def spend(self) -> bool:
        """Count a command that does nothing; False where the session has wasted too many."""
        self._idle += 1
        if self._idle <= self.manners.idle_commands:
            return True
        self.say(b"421 4.7.0 Too many idle commands\r\n")
        self.end()
        return False

    def reset(self) -> None:
        """Forget the transaction."""
        self.transaction = None
        if self.state is not NEW:
            self.state = READY


_UNCLEAN = b"500 5.5.2 Bare CR, bare LF or NUL in a command\r\n"


def _clean(line: bytes, normalise: bool) -> bytes | None:
    """Give a line without its end, or None where it is not to be read: inside it neither CR nor NUL may stand."""
    # A command may end in LF alone where the listener mends bare line ends.
    whole = line.endswith(b"\r\n")
    text = line[:-2] if whole else line[:-1]
    return None if b"\r" in text or b"\0" in text or not (whole or normalise) else text


def _parted(line: bytes, normalise: bool) -> tuple[bytes, bytes] | None:
    """Part a command in its verb, in capitals, and its argument; None where it is not to be read."""
    text = _clean(line, normalise)
    if text is None:
        return None
    verb, _, argument = text.partition(b" ")
    return verb.upper(), argument


# A device says the same few lines all its life.
_parted_before = lru_cache(maxsize=1024)(_parted)

Handler = Callable[[Session, bytes], None]


def _helo(session: Session, argument: bytes) -> None:
    _greet(session, argument, extended=False)
    session.say(b"250 %s\r\n" % session.host.encode())


def _ehlo(session: Session, argument: bytes) -> None:
    _greet(session, argument, extended=True)
    session.say(_offer(session.host, session.manners, bool(session.peer.tls)))


@lru_cache(maxsize=64)
def _greeting(host: str) -> bytes:
    return f"220 {host} ESMTP\r\n".encode()


@lru_cache(maxsize=64)
def _offer(host: str, manners: Manners, encrypted: bool) -> bytes:
    """Compose the answer to EHLO, the same for every client of a listener."""
    lines = [
        host,
        "PIPELINING",
        f"SIZE {manners.size_octets}",
        "8BITMIME",
        "ENHANCEDSTATUSCODES",
        "DSN",
    ]
    if manners.smtputf8:
        lines.append("SMTPUTF8")
    if manners.starttls and not encrypted:
        lines.append("STARTTLS")
    if manners.login and (encrypted or manners.login_clear):
        lines.append("AUTH PLAIN LOGIN")
    last = len(lines) - 1
    return "".join(f"250{' ' if n == last else '-'}{each}\r\n" for n, each in enumerate(lines)).encode()


@lru_cache(maxsize=1024)
def _name(argument: bytes) -> str:
    """Read the name a client gives itself: printable ASCII only, since it goes into headers and logs."""
    name = argument.decode("ascii", "replace").strip()[:255]
    return "".join(each for each in name if "!" <= each <= "~")


def _greet(session: Session, argument: bytes, *, extended: bool) -> None:
    session.reset()
    session.state = READY
    session.peer.extended = extended
    # A name is no proof of anything; some devices give none.
    session.peer.ehlo = _name(argument)
    session.peer.device = None


def _mail(session: Session, argument: bytes) -> None:
    manners = session.manners
    if manners.tls_required and not session.peer.tls:
        session.fault(b"530 5.7.0 Must issue a STARTTLS command first\r\n")
        return
    try:
        path = parse_path(argument, b"FROM", null=True)
        _check_mail_parameters(path, manners)
    except SyntaxFault as fault:
        code = "552" if str(fault).startswith("5.3.4") else "555" if "not known" in str(fault) else "501"
        session.fault(f"{code} {fault}\r\n".encode())
        return
    reply = session.door.sender(session.peer, path)
    if reply is not None:
        session.refuse(reply)
        return
    session.transaction = Transaction(path)
    session.state = SENDER
    session.say(b"250 2.1.0 Ok\r\n")


def _check_mail_parameters(path: Path, manners: Manners) -> None:
    for name, value in path.parameters.items():
        if name == "SIZE":
            # 20 digits: RFC 1870 section 3.
            if not (value.isascii() and value.isdigit() and len(value) <= 20):
                raise SyntaxFault("5.5.4 SIZE is a number")
            if int(value) > manners.size_octets:
                raise SyntaxFault("5.3.4 The message is larger than this server takes")
        elif name == "BODY":
            if value.upper() not in {"7BIT", "8BITMIME"}:
                raise SyntaxFault("5.5.4 BODY is 7BIT or 8BITMIME")
        elif name == "RET":
            if value.upper() not in {"FULL", "HDRS"}:
                raise SyntaxFault("5.5.4 RET is FULL or HDRS")
        elif name == "ENVID":
            if not value or len(value) > 100 or not value.isascii() or not value.isprintable():
                raise SyntaxFault("5.5.4 ENVID is xtext of at most 100 characters")
        elif name == "SMTPUTF8" and not value and manners.smtputf8:
            pass
        elif name != "AUTH":
            # AUTH= names a submitter that nobody here vouches for: RFC 4954 section 5 allows to ignore it.
            raise SyntaxFault(f"5.5.4 Parameter not known: {name[:40]}")
    if not path.address.isascii() and "SMTPUTF8" not in path.parameters:
        raise SyntaxFault("5.6.7 The address needs SMTPUTF8")


_NOTIFY = frozenset({"SUCCESS", "FAILURE", "DELAY"})


def _rcpt(session: Session, argument: bytes) -> None:
    transaction = sure(session.transaction)
    try:
        path = parse_path(argument, b"TO", null=False)
        notify, orcpt = _notices(path) if path.parameters else ("", "")
        if not path.address.isascii() and "SMTPUTF8" not in transaction.mail.parameters:
            raise SyntaxFault("5.6.7 The address needs SMTPUTF8")
    except SyntaxFault as fault:
        code = "555" if "not known" in str(fault) else "501"
        session.fault(f"{code} {fault}\r\n".encode())
        return
    if len(transaction.recipients) >= session.manners.recipients:
        session.fault(b"452 4.5.3 Too many recipients\r\n")
        return
    reply = session.door.recipient(session.peer, path.address)
    if reply is not None:
        session.refuse(reply)
        return
    transaction.recipients.append(Recipient(path.address, notify, orcpt))
    session.state = RECIPIENT
    session.say(b"250 2.1.5 Ok\r\n")


def _notices(path: Path) -> tuple[str, str]:
    """Read NOTIFY and ORCPT. Raises SyntaxFault. Source: RFC 3461 sections 4.1 and 4.2."""
    notify, orcpt = path.parameters.get("NOTIFY", "").upper(), path.parameters.get("ORCPT", "")
    for name in path.parameters:
        if name not in {"NOTIFY", "ORCPT"}:
            raise SyntaxFault(f"5.5.4 Parameter not known: {name[:40]}")
    asked = set(notify.split(",")) if "NOTIFY" in path.parameters else set()
    if asked and asked != {"NEVER"} and not asked <= _NOTIFY:
        raise SyntaxFault("5.5.4 NOTIFY cannot be understood")
    if "ORCPT" in path.parameters and (";" not in orcpt or len(orcpt) > 500 or not orcpt.isprintable()):
        raise SyntaxFault("5.5.4 ORCPT cannot be understood")
    return notify, xtext(orcpt)


def _data(session: Session, argument: bytes) -> None:
    transaction = sure(session.transaction)
    if argument.strip():
        session.fault(b"501 5.5.4 DATA takes no argument\r\n")
        return
    intake = session.door.intake(session.peer, transaction, session.manners.size_octets)
    if isinstance(intake, bytes):
        session.refuse(intake)
        return
    transaction.intake = intake
    transaction.reader = DataReader(intake.write, normalise=session.manners.normalise)
    session.state = TEXT
    session.say(b"354 End data with <CR><LF>.<CR><LF>\r\n")


def _data_without_recipient(session: Session, _argument: bytes) -> None:
    # A pipelining client sends DATA before it has read that every RCPT was refused. Source: RFC 2920 section 3.1.
    session.fault(b"554 5.5.1 No valid recipients\r\n")


def _rset(session: Session, _argument: bytes) -> None:
    if session.spend():
        session.reset()
        session.say(b"250 2.0.0 Ok\r\n")


def _noop(session: Session, _argument: bytes) -> None:
    if session.spend():
        session.say(b"250 2.0.0 Ok\r\n")


def _vrfy(session: Session, _argument: bytes) -> None:
    if session.spend():
        session.say(b"252 2.1.5 Send some mail, it will be tried\r\n")


def _expn(session: Session, _argument: bytes) -> None:
    if session.spend():
        session.say(b"502 5.5.1 Lists are not shown\r\n")


def _quit(session: Session, _argument: bytes) -> None:
    session.say(b"221 2.0.0 Bye\r\n")
    session.end()


def _starttls(session: Session, argument: bytes) -> None:
    if not session.manners.starttls:
        session.fault(b"502 5.5.1 STARTTLS is not offered\r\n")
    elif session.peer.tls:
        session.fault(b"503 5.5.1 TLS is already in use\r\n")
    elif argument.strip():
        session.fault(b"501 5.5.4 STARTTLS takes no argument\r\n")
    else:
        session.say(b"220 2.0.0 Ready to start TLS\r\n")
        session.event = TLS


def _auth(session: Session, argument: bytes) -> None:
    manners = session.manners
    if not manners.login or not session.peer.extended:
        session.fault(b"503 5.5.1 AUTH is not offered\r\n")
        return
    if not session.peer.tls and not manners.login_clear:
        session.fault(b"538 5.7.11 Encryption is required to log in\r\n")
        return
    if session.peer.login:
        session.fault(b"503 5.5.1 Already logged in\r\n")
        return
    # .NET's SmtpClient writes the mechanism in lower case.
    mechanism, _, initial = argument.strip().partition(b" ")
    name = mechanism.upper()
    if name not in {b"PLAIN", b"LOGIN"}:
        session.fault(b"504 5.5.4 Mechanism not known\r\n")
        return
    session.state = LOGIN
    session.user = None if name == b"PLAIN" else ""
    if initial:
        _login_answer(session, initial)
    else:
        session.say(b"334 \r\n" if name == b"PLAIN" else b"334 VXNlcm5hbWU6\r\n")


def _login_answer(session: Session, text: bytes) -> None:
    """Read one answer of PLAIN (RFC 4616) or of LOGIN, whose user name comes before its password."""
    if text == b"*":
        session.state = READY
        session.fault(b"501 5.7.0 Authentication cancelled\r\n")
        return
    try:
        answer = base64.b64decode(b"" if text == b"=" else text, validate=True).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError):
        session.state = READY
        session.fault(b"501 5.5.2 The answer is not base64\r\n")
        return
    if session.user is None:
        parts = answer.split("\0")
        if len(parts) != 3 or not parts[1]:
            session.state = READY
            session.fault(b"501 5.5.2 The answer cannot be understood\r\n")
            return
        session.credentials = (parts[1], parts[2])
    elif not session.user:
        session.user = answer or "?"
        session.say(b"334 UGFzc3dvcmQ6\r\n")
        return
    else:
        session.credentials = (session.user, answer)
    session.event = LOG_IN


_ANYWHERE: dict[bytes, Handler] = {
    b"NOOP": _noop, b"RSET": _rset, b"QUIT": _quit, b"VRFY": _vrfy, b"EXPN": _expn, b"HELP": _noop,
}  # fmt: skip
_GREETING: dict[bytes, Handler] = {b"HELO": _helo, b"EHLO": _ehlo}

# What each verb does in each state; a verb that stands only in other rows is out of sequence there.
TABLE: dict[State, dict[bytes, Handler]] = {
    NEW: {**_ANYWHERE, **_GREETING},
    READY: {**_ANYWHERE, **_GREETING, b"MAIL": _mail, b"STARTTLS": _starttls, b"AUTH": _auth},
    SENDER: {**_ANYWHERE, **_GREETING, b"RCPT": _rcpt, b"DATA": _data_without_recipient},
    RECIPIENT: {**_ANYWHERE, **_GREETING, b"RCPT": _rcpt, b"DATA": _data},
    TEXT: {},
    LOGIN: {},
    OVER: {},
}
