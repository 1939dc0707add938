"""The order of refusing controls: no permitted order leaves less abuse open, and ties keep the order given."""

from __future__ import annotations

from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from portero.core.plan_order import Closing, best_order, open_days

NAMES = ("lock", "reject", "dmarc=a", "dmarc=b", "basic")


@st.composite
def closings(draw: st.DrawFn) -> list[Closing]:
    names = draw(st.lists(st.sampled_from(NAMES), unique=True, max_size=5))
    return [
        Closing(
            name,
            waits=draw(st.booleans()),
            lead=draw(st.sampled_from((0, 8))),
            after=frozenset(draw(st.sets(st.sampled_from(names[:number])))) if number else frozenset(),
        )
        for number, name in enumerate(names)
    ]


ABUSE = st.dictionaries(st.frozensets(st.sampled_from(NAMES), min_size=1), st.integers(1, 200), max_size=8)


def permitted(order: tuple[Closing, ...]) -> bool:
    return all(each.after <= {held.control for held in order[:number]} for number, each in enumerate(order))


@given(closings(), ABUSE, st.integers(0, 60))
def test_no_permitted_order_leaves_less_abuse_open(
    held: list[Closing], abuse: dict[frozenset[str], int], days: int
) -> None:
    found = best_order(held, abuse, days)
    others = [order for order in permutations(held) if permitted(order)]

    assert found in others
    assert open_days(found, abuse, days) == min(open_days(order, abuse, days) for order in others)


@given(closings(), st.integers(0, 60))
def test_without_abuse_the_order_given_is_kept(held: list[Closing], days: int) -> None:
    assert best_order(held, {}, days) == tuple(held)


def test_what_waits_for_nothing_goes_first_unless_more_is_behind_the_wait() -> None:
    reject, dmarc = Closing("reject", waits=True), Closing("dmarc")
    little = {frozenset({"dmarc"}): 10, frozenset({"reject"}): 10}
    much = {frozenset({"dmarc"}): 10, frozenset({"reject"}): 500}

    assert best_order([reject, dmarc], little, 24) == (dmarc, reject)
    assert best_order([reject, dmarc], much, 24) == (reject, dmarc)


def test_the_many_domains_of_a_large_organisation_are_ordered_too() -> None:
    many = [Closing(f"dmarc={number}") for number in range(40)]
    abuse = {frozenset({f"dmarc={number}"}): number for number in range(1, 40)}

    found = [each.control for each in best_order(many, abuse, 0)]

    assert sorted(found) == sorted(each.control for each in many)
    assert found[:3] == ["dmarc=39", "dmarc=38", "dmarc=37"]
