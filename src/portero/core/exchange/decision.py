"""What Exchange Online does with a session: the answer, the reply in its words, and the reason."""

from __future__ import annotations

from dataclasses import dataclass

from portero.core.simulation import Effect
from portero.core.text import Text


@dataclass(frozen=True, slots=True)
class Decision:
    """
    What happens to mail at one gate or after all of them.

    reply:  the SMTP reply as Exchange Online words it, where mail is refused with one.
    """

    effect: Effect
    why: Text
    reply: str | None = None


def kept(why: Text) -> Decision:
    """Say that mail passes."""
    return Decision(Effect.KEPT, why)


def undetermined(why: Text) -> Decision:
    """Say that the evidence does not settle it."""
    return Decision(Effect.UNDETERMINED, why)


def refused(reply: str | None, why: Text) -> Decision:
    """Say that mail is refused, or with no reply that it is not delivered to the mailbox."""
    return Decision(Effect.REFUSED, why, reply)
