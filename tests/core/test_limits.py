"""Limits: changed by name, refused by name."""

import pytest

from portero.core.limits import LIMITS, LimitError


def test_values_and_their_texts_change_limits():
    changed = LIMITS.with_values({"nesting": 2, "record_octets": " 1000 "})
    assert (changed.nesting, changed.record_octets, changed.members) == (2, 1000, LIMITS.members)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("nest", 2),
        ("nesting", 0),
        ("nesting", -1),
        ("nesting", "x"),
        ("nesting", True),
        ("nesting", 51),
        ("octets", "9" * 40),
    ],
)
def test_what_is_no_limit_is_refused_by_its_name(name, value):
    with pytest.raises(LimitError, match=name):
        LIMITS.with_values({name: value})
