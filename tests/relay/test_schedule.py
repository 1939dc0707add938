"""Waits grow, are spread, and end."""

from portero.relay.schedule import LONGEST_SECONDS, expired, next_wait


def test_waits_grow_to_a_bound() -> None:
    waits = [next_wait(attempts, 0.5) for attempts in range(1, 100)]
    assert waits == sorted(waits)
    assert waits[0] == 60.0
    assert waits[-1] == LONGEST_SECONDS


def test_what_failed_together_is_spread() -> None:
    assert next_wait(3, 0.0) < next_wait(3, 1.0)


def test_retry_after_is_never_undercut() -> None:
    assert next_wait(1, 0.0, 900.0) == 900.0
    assert next_wait(9, 0.0, 1.0) > 1.0


def test_life_ends() -> None:
    assert not expired(0.0, 99.0, 100.0)
    assert expired(0.0, 100.0, 100.0)
