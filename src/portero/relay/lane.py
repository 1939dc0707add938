"""A lane: one way out at work, what waits for it, and the lines that carry or rest."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field

from portero.relay.envelope import Envelope, Recipient
from portero.relay.pace import Pace
from portero.relay.transport import Transport, Way

# A line that has nothing to do is given up after so long.
IDLE_SECONDS = 15.0


@dataclass(slots=True)
class Entry:
    """
    A message in hand.

    was:    the state its row has.
    open:   jobs not yet answered.
    read:   the content that was read from disk, while it is small.
    dropped, hold:  a person wants it out of the queue, or put aside, once its jobs are answered.
    away:   it was handed to the disk, which has not answered yet.
    """

    envelope: Envelope
    content: bytes | None
    was: str
    open: int = 0
    retry_after: float = 0.0
    dropped: bool = False
    hold: bool = False
    read: bytes | None = None
    away: bool = False


@dataclass(slots=True)
class Job:
    """Some recipients of a message, for one way."""

    entry: Entry
    recipients: list[Recipient]


@dataclass(slots=True)
class Lane:
    """
    One way out at work.

    idle:        lines that wait for a job, and since when on the loop's clock; `clearing` will end those that wait long.
    down_until:  not tried before, since it failed; seconds since 1970.
    trouble:     what it failed with, "" while it works.
    """

    way: Way
    transport: Transport
    pace: Pace
    ready: deque[Job] = field(default_factory=deque)
    idle: deque[tuple[float, asyncio.Future[None]]] = field(default_factory=deque)
    clearing: asyncio.TimerHandle | None = None
    tasks: set[asyncio.Task[None]] = field(default_factory=set)
    down_until: float = 0.0
    failures: int = 0
    trouble: str = ""
    delivered: int = 0
    deferred: int = 0
    refused: int = 0

    def down(self, now: float) -> bool:
        """Tell whether it is not to be tried yet."""
        return now < self.down_until

    def wake(self) -> bool:
        """Call a line that rests; False where none does."""
        while self.idle:
            # The last to rest is the warmest; the first may end if the others suffice.
            _, future = self.idle.pop()
            if not future.done():
                future.set_result(None)
                return True
        return False

    async def rest(self) -> bool:
        """Wait for a job; False where none came for long."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[None] = loop.create_future()
        self.idle.append((loop.time(), future))
        if self.clearing is None:
            # One clock for all its lines: a line rests between any two messages.
            self.clearing = loop.call_later(IDLE_SECONDS, self._clear)
        try:
            await future
        except asyncio.CancelledError:
            if not future.cancelled():
                raise
            return bool(self.ready)
        return True

    def _clear(self) -> None:
        """Give up the lines that have had nothing to do for long."""
        loop = asyncio.get_running_loop()
        while self.idle and self.idle[0][0] <= loop.time() - IDLE_SECONDS:
            self.idle.popleft()[1].cancel()
        rests = [since for since, future in self.idle if not future.done()]
        self.clearing = loop.call_at(rests[0] + IDLE_SECONDS, self._clear) if rests else None
