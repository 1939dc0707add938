"""Outcomes: what became of a delivery, told apart as temporary or permanent at the first line that can know."""

from __future__ import annotations

import re
from enum import Enum, StrEnum, auto
from typing import NamedTuple

_ENHANCED = re.compile(r"([245])\.(\d{1,3})\.(\d{1,3})(?:\s|$|;)")


class Kind(StrEnum):
    """The three outcomes of RFC 5321 section 4.2.1, by the words of the audit trail."""

    DELIVERED = auto()  # the far side has taken the recipient on
    DEFERRED = auto()  # try again
    REFUSED = auto()  # never try again


class Scope(Enum):
    """How far an outcome reaches."""

    RECIPIENT = auto()  # this recipient alone
    MESSAGE = auto()  # every recipient of this message
    WAY = auto()  # the way out itself: connection, credentials, throttle


class Outcome(NamedTuple):
    """
    What a far side answered for one recipient; a tuple, made in half the time of a frozen dataclass.

    reply:                what it said, one line; or what kept us from hearing it.
    retry_after_seconds:  when it asks to be asked again, or None.
    """

    kind: Kind
    reply: str
    scope: Scope = Scope.RECIPIENT
    retry_after_seconds: float | None = None

    @property
    def status(self) -> str:
        """Give the enhanced status code, derived from the class where the far side gave none. Source: RFC 3463."""
        found = _ENHANCED.search(self.reply)
        if found:
            return f"{found[1]}.{found[2]}.{found[3]}"
        return {Kind.DELIVERED: "2.0.0", Kind.DEFERRED: "4.0.0", Kind.REFUSED: "5.0.0"}[self.kind]


# Refusals that speak of the way and not of the message: mend the credentials and the same message goes.
# Source: Microsoft, "Fix issues with printers, scanners, and LOB applications"; exchange-online reference 1.8.
_OF_THE_WAY = (
    "5.7.3",
    "5.7.57",
    "5.7.139",
    "5.7.30",
    "5.7.64",
    "5.7.51",
    "5.7.68",
    "5.7.708",
    "5.7.8",
    "5.7.9",
)
# A mailbox that is full or over its limits sends again later; Exchange answers these with class 5.
_TEMPORARY_AFTER_ALL = ("5.2.2",)


def outcome_of_reply(code: int, reply: str, scope: Scope = Scope.RECIPIENT) -> Outcome:
    """
    Read an SMTP reply.

    A refusal that names the way (authentication, relaying, throttling) defers: nothing is wrong with the message,
    and it is not to be returned because a secret has expired. Source: RFC 5321 section 4.2.1; RFC 3463.
    """
    if 200 <= code < 300:
        return Outcome(Kind.DELIVERED, reply, scope)
    status = _ENHANCED.search(reply)
    enhanced = status[0].strip(" ;") if status else ""
    if enhanced in _OF_THE_WAY or code in {530, 534, 535, 538}:
        return Outcome(Kind.DEFERRED, reply, Scope.WAY)
    if enhanced in _TEMPORARY_AFTER_ALL and "mailbox full" in reply.lower():
        return Outcome(Kind.DEFERRED, reply, Scope.WAY, 900.0)
    if code in {421, 430, 432}:
        return Outcome(Kind.DEFERRED, reply, Scope.WAY)
    if 500 <= code < 600 and scope is not Scope.WAY:
        return Outcome(Kind.REFUSED, reply, scope)
    # 4xx, and what is no SMTP at all: in doubt, later.
    return Outcome(Kind.DEFERRED, reply, scope)


def lost(reason: str) -> Outcome:
    """Give the outcome of an answer that never came: a repeated message is better than a lost one. Source: RFC 1047."""
    return Outcome(Kind.DEFERRED, reason, Scope.WAY)
