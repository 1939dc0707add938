"""How often somebody may knock: a bucket of tokens for each caller, in memory."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

# Callers remembered; the one not seen for longest is forgotten first, so that many addresses cost no more memory.
_REMEMBERED = 10_000


class Limit:
    """
    Allows bursts and a steady rate after them.

    burst:       calls at once.
    per_second:  calls that come back each second.
    clock:       monotonic seconds.
    """

    def __init__(self, burst: int, per_second: float, clock: Callable[[], float]) -> None:
        self._burst = burst
        self._per_second = per_second
        self._clock = clock
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait(self, caller: str) -> float:
        """Count a call; gives 0 when it may go on, else the seconds after which to try again."""
        now = self._clock()
        left, seen = self._left.pop(caller, (float(self._burst), now))
        left = min(self._burst, left + (now - seen) * self._per_second)
        allowed = left >= 1
        self._left[caller] = (left - 1 if allowed else left, now)
        if len(self._left) > _REMEMBERED:
            self._left.popitem(last=False)
        return 0.0 if allowed else (1 - left) / self._per_second
