"""What a way out is: the port that every file in `transports` fits, and what it is given to send."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from portero.core.text import Text
from portero.relay.outcome import Outcome
from portero.relay.pace import Limits


class Outgoing(NamedTuple):
    """
    One message as it leaves, for some of its recipients; a tuple, made in half the time of a frozen dataclass.

    content:       dot-stuffed, lines ending in CRLF, without the final dot.
    recipients:    forward-paths with their DSN words: (address, notify, orcpt).
    eight_bit, smtputf8, longest_line:  what the message needs of a far side.
    """

    queue_id: str
    mail_from: str
    recipients: Sequence[tuple[str, str, str]]
    content: bytes
    eight_bit: bool = False
    smtputf8: bool = False
    longest_line: int = 0
    ret: str = ""
    envid: str = ""

    def plain(self) -> bytes:
        """Give the content without dot-stuffing. Source: RFC 5321 section 4.5.2."""
        return unstuffed(self.content)


def unstuffed(content: bytes) -> bytes:
    """Take the stuffing out of lines that begin with a dot."""
    # Most messages have none, and looking backwards takes a quarter of what replacing nothing takes.
    plain = content.replace(b"\r\n.", b"\r\n") if content.rfind(b"\r\n.") >= 0 else content
    return plain[1:] if plain.startswith(b".") else plain


def stuffed(plain: bytes) -> bytes:
    """Put a dot before every line that begins with one, and a line end behind the last."""
    content = plain.replace(b"\r\n.", b"\r\n..")
    if content.startswith(b"."):
        content = b"." + content
    return content if content.endswith(b"\r\n") else content + b"\r\n"


@dataclass(frozen=True, slots=True)
class Sign:
    """
    One thing that `portero relay check` looked at.

    good:  True, False, or None where it could not be known.
    """

    what: Text
    good: bool | None
    advice: Text | None = None


class Carrier(Protocol):
    """One session of a way out; it carries one message at a time, and many one after another."""

    async def deliver(self, message: Outgoing) -> list[Outcome]:
        """
        Carry a message; give one outcome a recipient, in their order.

        Raises nothing: what breaks defers.
        """

    async def close(self) -> None:
        """Leave politely, or at once where the line is broken."""

    async def check(self) -> list[Sign]:
        """Try connection and credentials without sending anything."""


@dataclass(frozen=True, slots=True)
class Option:
    """
    One key of a way's table.

    kind:  ``text``, ``number``, ``flag``, ``secret``, ``file``, ``domains``.
    """

    name: str
    kind: str = "text"
    required: bool = False
    default: object = None


@dataclass(frozen=True, slots=True)
class Way:
    """
    One configured way out.

    options:  by the names its transport declares, defaults filled in.
    mailbox:  whose allowance it uses up, together with the credential; two ways that share both share the pace.
    """

    name: str
    kind: str
    options: Mapping[str, object]
    limits: Limits
    line: int = 0

    def text(self, name: str) -> str:
        """Give an option that is a text, "" where it was not given."""
        value = self.options.get(name)
        return value if isinstance(value, str) else ""

    def number(self, name: str) -> int:
        """Give an option that is a number, 0 where it was not given."""
        value = self.options.get(name)
        return value if isinstance(value, int) else 0

    @property
    def pace_key(self) -> str:
        """Give what names the allowance: credential and mailbox where there are any, else the way itself."""
        credential, mailbox = self.text("client_id") or self.text("user"), self.text("mailbox")
        return f"{credential}|{mailbox}" if credential or mailbox else f"way:{self.name}"


class TokenStore(Protocol):
    """Where access tokens come from."""

    async def get(self, way: Way) -> str:
        """Give a token for a way. Raises TokenFault."""

    def forget(self, way: Way) -> None:
        """Ask anew next time: the far side has refused this token."""


@dataclass(frozen=True, slots=True)
class Kit:
    """
    What the house lends a carrier.

    hostname:  what we call ourselves.
    tokens:    access tokens for the ways that need them.
    """

    hostname: str
    tokens: TokenStore


@dataclass(frozen=True, slots=True)
class Transport:
    """
    A kind of way out.

    size_octets:  largest message it carries, or None.
    inside_only:  it takes no recipient outside the organisation.
    """

    id: str
    title: Text
    options: tuple[Option, ...]
    limits: Limits
    open: Callable[[Way, Kit], Carrier]
    size_octets: int | None = None
    inside_only: bool = False
    recipients: int | None = None
    notes: tuple[str, ...] = field(default=())
