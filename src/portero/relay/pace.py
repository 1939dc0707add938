"""Pacing: how much of a far side's allowance is left, by (credential, mailbox)."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

MINUTE = 60.0
DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class Limits:
    """
    What a far side allows; None where it sets no limit.

    sessions:            at the same time: connections, or requests.
    messages_per_minute: in any sixty seconds.
    messages_per_hour:   in any hour.
    recipients_per_day:  in any twenty-four hours.
    """

    sessions: int = 3
    messages_per_minute: int | None = None
    messages_per_hour: int | None = None
    recipients_per_day: int | None = None


@dataclass(slots=True)
class Pace:
    """
    The allowance of one credential and mailbox over time; the clock is the caller's, in seconds since 1970.

    A limit counts what was begun, so that a restart or a lost answer errs on the safe side.
    """

    limits: Limits
    not_before: float = 0.0
    _begun: deque[float] = field(default_factory=deque)
    _recipients: deque[tuple[float, int]] = field(default_factory=deque)
    _day_total: int = 0

    def wait(self, now: float, recipients: int) -> float:
        """Give the seconds until a message to so many recipients may begin; 0 is now."""
        self._forget(now)
        ready = self.not_before
        for limit, span in (
            (self.limits.messages_per_minute, MINUTE),
            (self.limits.messages_per_hour, 60 * MINUTE),
        ):
            if limit is not None and len(self._begun) >= limit:
                ready = max(ready, self._begun[-limit] + span)
        allowed = self.limits.recipients_per_day
        if allowed is not None and self._recipients and self._day_total + recipients > allowed:
            # What leaves the window first makes room first.
            room = allowed - self._day_total
            for moment, count in self._recipients:
                room += count
                if room >= recipients:
                    ready = max(ready, moment + DAY)
                    break
            else:
                ready = max(ready, self._recipients[-1][0] + DAY)
        return max(ready - now, 0.0)

    def begin(self, now: float, recipients: int) -> None:
        """Count a message that is being sent."""
        limits = self.limits
        if limits.messages_per_minute is not None or limits.messages_per_hour is not None:
            self._begun.append(now)
        if limits.recipients_per_day is not None:
            self._recipients.append((now, recipients))
            self._day_total += recipients

    def pause(self, until: float) -> None:
        """Send nothing before this moment: the far side asked so."""
        self.not_before = max(self.not_before, until)

    def drain_seconds(self, messages: int, now: float) -> float | None:
        """Tell how long so many messages take at least; None where no limit says."""
        limits = self.limits
        rates = [
            limit / span
            for limit, span in ((limits.messages_per_minute, MINUTE), (limits.messages_per_hour, 60 * MINUTE))
            if limit is not None
        ]
        pause = max(self.not_before - now, 0.0)
        if not rates:
            return pause or None
        return pause + messages / min(rates)

    def kept(self) -> dict[str, object]:
        """Give what must outlive a restart."""
        return {
            "not_before": self.not_before,
            "begun": list(self._begun),
            "recipients": [list(each) for each in self._recipients],
        }

    def restore(self, kept: dict[str, object]) -> None:
        """Take up what `kept` gave; anything else is forgotten."""
        before, begun, recipients = kept.get("not_before"), kept.get("begun"), kept.get("recipients")
        if isinstance(before, int | float):
            self.not_before = float(before)
        if isinstance(begun, list):
            self._begun = deque(float(each) for each in begun if isinstance(each, int | float))
        if isinstance(recipients, list):
            pairs = [each for each in recipients if isinstance(each, list) and len(each) == 2]
            self._recipients = deque((float(moment), int(count)) for moment, count in pairs)
            self._day_total = sum(count for _, count in self._recipients)

    def _forget(self, now: float) -> None:
        longest = 60 * MINUTE if self.limits.messages_per_hour is not None else MINUTE
        while self._begun and self._begun[0] <= now - longest:
            self._begun.popleft()
        while self._recipients and self._recipients[0][0] <= now - DAY:
            self._day_total -= self._recipients.popleft()[1]
