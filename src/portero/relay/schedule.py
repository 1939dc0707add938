"""When to try again: waits that grow, are never all at once, and end."""

from __future__ import annotations

FIRST_SECONDS = 60.0
LONGEST_SECONDS = 4000.0


def next_wait(attempts: int, chance: float, retry_after_seconds: float | None = None) -> float:
    """
    Give the seconds until the next try.

    attempts:  tries so far, at least 1.
    chance:    a random number from 0 to 1, which spreads what failed together by a fifth.
    retry_after_seconds:  what the far side asked for; it is never undercut.
    """
    wait = min(FIRST_SECONDS * 2.0 ** min(attempts - 1, 20), LONGEST_SECONDS)
    spread = wait * (0.9 + 0.2 * chance)
    return max(spread, retry_after_seconds or 0.0)


def expired(received_at: float, now: float, life_seconds: float) -> bool:
    """Tell whether a message's life is over. Source of the usual five days: RFC 5321 section 4.5.4.1."""
    return now - received_at >= life_seconds
