"""Prints in common: those of kept days that new ones have too, by day."""

import random

import pyarrow as pa

from portero.engine.prints import met


def numbers(*given):
    return pa.array(given, pa.int64())


def test_prints_are_named_by_the_days_that_have_them():
    held = {"b": numbers(5, -1, 2), "a": numbers(), "c": numbers(2, 7)}
    assert met(numbers(2, 2, -1, 9), held) == {"b": [-1, 2], "c": [2]}
    assert (
        met(numbers(8), held)
        == met(numbers(), held)
        == met(numbers(2), {})
        == met(numbers(2), {"a": numbers()})
        == {}
    )


def test_all_that_two_large_sets_share_is_found():
    chance = random.Random(3)
    held = {str(day): [chance.getrandbits(64) - 2**63 for _ in range(4000)] for day in range(40)}
    shared = {day: sorted(chance.sample(prints, 3)) for day, prints in held.items() if int(day) % 3 == 0}
    fresh = [chance.getrandbits(64) - 2**63 for _ in range(4000)] + [
        each for prints in shared.values() for each in prints
    ]
    assert met(numbers(*fresh), {day: numbers(*prints) for day, prints in held.items()}) == shared
