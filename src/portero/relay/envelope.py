"""What the relay promised to carry: one message's envelope, its recipients and the fate of each."""

from __future__ import annotations

import json
from dataclasses import MISSING, dataclass, field, fields
from enum import StrEnum
from operator import attrgetter
from typing import Any

from pydantic_core import to_json


class Fate(StrEnum):
    """What has become of one recipient."""

    WAITING = "waiting"  # not tried, or tried and to be tried again
    DELIVERED = "delivered"  # the far side answered for it
    REFUSED = "refused"  # the far side will never take it
    EXPIRED = "expired"  # tried until the message's life was over
    DROPPED = "dropped"  # a person took it out of the queue


@dataclass(slots=True)
class Recipient:
    """
    One forward-path and its fate.

    notify, orcpt:  what the client asked of delivery status notices, "" where it asked nothing. Source: RFC 3461.
    attempts:       tries that reached a far side or failed to.
    reply:          the last answer, as one line; "" before the first.
    way:            the name of the way out that gave it.
    told:           the owner has been told of its end.
    """

    address: str
    notify: str = ""
    orcpt: str = ""
    fate: Fate = Fate.WAITING
    attempts: int = 0
    reply: str = ""
    way: str = ""
    told: bool = False


@dataclass(slots=True)
class Envelope:
    """
    One message as the queue holds it.

    id:           rises with time and is never given twice; written in hexadecimal it is the queue id.
    received_at:  seconds since 1970, UTC, as `due_at`, the next time to try.
    mail_from:    the reverse-path; "" is the null one.
    size:         octets of the content, dot-stuffed as it travels.
    ret, envid:   DSN parameters, "" where not given. Source: RFC 3461.
    kind:         "mail", or "notice" for our own delivery status notices, which never cause another.
    state:        where it stands: "fresh", "waiting", "held", "quarantined".
    reasons:      why it is in quarantine: code and value pairs.
    warned:       its owner has been told of the delay.
    filed:        the content is a file of its own, not a cell of the table.
    """

    id: int
    received_at: float
    client: str
    ehlo: str
    device: str
    mail_from: str
    header_from: str
    message_id: str
    subject: str
    recipients: list[Recipient]
    size: int
    eight_bit: bool = False
    smtputf8: bool = False
    longest_line: int = 0
    login: str = ""
    tls: str = ""
    ret: str = ""
    envid: str = ""
    kind: str = "mail"
    state: str = "fresh"
    due_at: float = 0.0
    owner: str = ""
    reasons: list[list[str]] = field(default_factory=list)
    warned: bool = False
    filed: bool = False

    @property
    def queue_id(self) -> str:
        """Give the id as people and logs write it."""
        return f"{self.id:x}"

    @property
    def finished(self) -> bool:
        """Tell whether nothing is left to do for any recipient."""
        return all(each.fate is not Fate.WAITING for each in self.recipients)

    def to_json(self) -> str:
        """Give the envelope as the text that the spool keeps, without what is as always; `read_envelope` reads it."""
        held = _OF_ENVELOPE.unusual(self)
        held["recipients"] = [_OF_RECIPIENT.unusual(each) for each in self.recipients]
        # A quarter of the time that json takes; a message is written thrice.
        return to_json(held).decode()


class _Fields:
    """The fields of a kind with their defaults; a field without one differs from its default always."""

    def __init__(self, kind: type[Any], *without: str) -> None:
        held = [each for each in fields(kind) if each.name not in without]
        self._names = [each.name for each in held]
        self._usual = [
            each.default if each.default_factory is MISSING else each.default_factory() for each in held
        ]
        self._values = attrgetter(*self._names)

    def unusual(self, value: object) -> dict[str, Any]:
        return {
            name: held
            for name, held, usual in zip(self._names, self._values(value), self._usual, strict=True)
            if held != usual
        }


_OF_ENVELOPE = _Fields(Envelope, "recipients")
_OF_RECIPIENT = _Fields(Recipient)


def read_envelope(text: str) -> Envelope:
    """Read what `Envelope.to_json` wrote. Raises ValueError, KeyError or TypeError for anything else."""
    held: dict[str, Any] = json.loads(text)
    recipients = [
        Recipient(**{**each, "fate": Fate(each.get("fate", Fate.WAITING))}) for each in held.pop("recipients")
    ]
    return Envelope(recipients=recipients, **held)


def parse_queue_id(text: str) -> int:
    """Read a queue id as people write it. Raises ValueError for anything else."""
    return int(text.strip(), 16)
