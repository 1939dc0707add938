"""A person's decision about a sender: it always wins, is dated and owned, and may run out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime

from portero.core.sender import WORD_ODDS, DecidedBy, Judgement, Kind, Reason, Sender
from portero.core.text import Text

# What the record of decisions is called wherever it lies: one JSON object a line, each as `Decision.document` gives it.
RECORD = "portero.decisions.jsonl"


@dataclass(frozen=True, slots=True)
class Decision:
    """
    What somebody decided about one sender.

    sender:      the sender's id.
    owner:       who answers for the sender, or None.
    expires_on:  last day on which the decision holds, or None: until somebody decides otherwise.
    """

    sender: str
    judgement: Judgement
    decided_by: str
    decided_at: datetime
    owner: str | None = None
    note: str = ""
    expires_on: date | None = None

    def holds(self, now: datetime) -> bool:
        """Tell whether the decision has not run out."""
        return self.expires_on is None or now.date() <= self.expires_on

    def document(self) -> dict[str, str | None]:
        """Give the decision as JSON holds it; times in ISO 8601."""
        return {
            "sender": self.sender,
            "judgement": self.judgement.value,
            "decided_by": self.decided_by,
            "decided_at": self.decided_at.isoformat(),
            "owner": self.owner,
            "note": self.note,
            "expires_on": self.expires_on.isoformat() if self.expires_on else None,
        }


def with_decisions(
    senders: Iterable[Sender], decisions: Iterable[Decision], now: datetime
) -> tuple[Sender, ...]:
    """
    Give the senders judged as people decided; what nobody decided, or no longer, stays as evidence has it.

    now:  the time of the audit, aware UTC.
    """
    held = {each.sender: each for each in decisions if each.holds(now)}
    return tuple(_decided(each, held[each.id]) if each.id in held else each for each in senders)


def _decided(sender: Sender, decision: Decision) -> Sender:
    undecided = decision.judgement is Judgement.UNDECIDED
    kind = sender.kind
    if decision.judgement is Judgement.ABUSE:
        kind = Kind.SPOOFER
    elif kind is Kind.SPOOFER:
        # It was called so for its judgement alone; what it is instead, its mail did not show.
        kind = Kind.UNKNOWN
    said = Text("{person} decided so on {day}.", person=decision.decided_by, day=decision.decided_at.date())
    return replace(
        sender,
        kind=kind,
        judgement=decision.judgement,
        confidence=0.5 if undecided else 0.999,
        decided_by=DecidedBy.PERSON,
        owner=decision.owner or sender.owner,
        because=(Reason("person", said, WORD_ODDS[decision.judgement]),),
    )
