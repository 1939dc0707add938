"""What controls would do to recorded mail: the contract's SIMULATION as values."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum

from portero.core.sender import Judgement
from portero.core.text import Text
from portero.core.value import value


class Effect(StrEnum):
    """What would happen to mail under a control."""

    REFUSED = "refused"
    KEPT = "kept"
    UNDETERMINED = "undetermined"  # the evidence does not settle it
    MIXED = "mixed"  # of a sender: not all of its mail fares alike


@dataclass(frozen=True, slots=True)
class Turn:
    """
    How an authentication result of some mails fares under changed records.

    check:          ``spf`` or ``dmarc``.
    before, after:  results in RFC 8601 words, ``unknown`` where the evidence does not say.
    mails:          unique mails.
    """

    check: str
    before: str
    after: str
    mails: int

    @property
    def changes(self) -> bool:
        """Tell whether the result is another one, or may be."""
        return self.before != self.after


@dataclass(frozen=True, slots=True)
class Command:
    """How a control is made in the tenant, as PowerShell to review: do, verify, and undo."""

    do: str
    verify: str
    undo: str


@value(frozen=True, slots=True)
class SenderEffect:
    """
    What would happen to one sender's mail, in unique mails.

    reply:    the SMTP reply of refused mail as Exchange Online words it, or None.
    because:  why, in one sentence, for the largest part of what is not simply kept.
    caught, perhaps_caught: mails that a rule in audit mode would report, and that it may report.
    turns:    its SPF and DMARC results before and after, where a control changes records or where mail comes from.
    """

    sender: str
    effect: Effect
    refused: int
    kept: int
    undetermined: int
    judgement: Judgement
    reply: str | None
    because: Text
    turns: tuple[Turn, ...] = ()
    caught: int = 0
    perhaps_caught: int = 0


@dataclass(frozen=True, slots=True)
class Simulation:
    """
    Controls applied together, and what they would do to each sender; senders with most refused mail first.

    elsewhere:  by sender id, what changed records turn of the mail that other people's receivers reported; ``""`` stands
                for nobody known.
    dry_run:    whether a rule in audit mode is among the controls.
    commands:   for controls that no step of a plan makes, how they are made and undone.
    """

    controls: tuple[str, ...]
    senders: tuple[SenderEffect, ...]
    elsewhere: tuple[tuple[str, tuple[Turn, ...]], ...] = ()
    dry_run: bool = False
    commands: tuple[Command, ...] = ()

    @property
    def refused(self) -> int:
        """Count refused mails."""
        return sum(each.refused for each in self.senders)

    @property
    def kept(self) -> int:
        """Count kept mails."""
        return sum(each.kept for each in self.senders)

    @property
    def undetermined(self) -> int:
        """Count mails whose fate the evidence does not settle."""
        return sum(each.undetermined for each in self.senders)

    def caught_by_judgement(self) -> Counter[Judgement]:
        """Count the mails that a rule in audit mode would report, by what their sender was judged to be."""
        counted: Counter[Judgement] = Counter()
        for each in self.senders:
            counted[each.judgement] += each.caught
        return counted

    @property
    def perhaps_caught(self) -> int:
        """Count the mails of which the evidence does not say whether a rule in audit mode would report them."""
        return sum(each.perhaps_caught for each in self.senders)

    def refused_by_judgement(self) -> Counter[Judgement]:
        """Count refused mails by what their sender was judged to be."""
        counted: Counter[Judgement] = Counter()
        for each in self.senders:
            counted[each.judgement] += each.refused
        return counted
