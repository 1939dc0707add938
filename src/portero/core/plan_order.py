"""The order of the controls that refuse mail: of all that keep the same mail safe, the one with the least abuse still coming in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

# Days on which a refusing control is watched alone, the day of the change included. Source: controls catalogue R8.
WATCHED = 31
# Beyond as many, those that close least keep their place behind the others: the search doubles with each.
_MOST = 10


@dataclass(frozen=True, slots=True)
class Closing:
    """
    A control that refuses mail, as its order asks of it.

    control:  as the contract writes it.
    waits:    whether it waits until the senders to keep have their other ways in.
    lead:     days of steps that it alone needs before it.
    after:    controls that stand before it.
    """

    control: str
    waits: bool = False
    lead: int = 0
    after: frozenset[str] = frozenset()


def best_order(
    closings: Sequence[Closing], abuse: Mapping[frozenset[str], int], days: int
) -> tuple[Closing, ...]:
    """
    Order controls so that the least recorded abuse still arrives, summed over the days until all are in force.

    abuse:  recorded mails of abuse by the set of controls that refuse them.
    days:   how long it takes to give the senders to keep their other ways in, which is done once, before the first
            control that waits for it.
    Orders that are as good keep the order given. No order within the same conditions has less abuse open after every
    control, for it would have less in sum.
    """
    closed = {each.control: 0 for each in closings}
    for controls, mails in abuse.items():
        for control in controls & closed.keys():
            closed[control] += mails
    busiest = sorted(closings, key=lambda each: -closed[each.control])[:_MOST]
    needed = {name for each in busiest for name in each.after}
    searched = [each for each in closings if each in busiest or each.control in needed]
    rest = [each for each in closings if each not in searched]
    return (*_search(searched, abuse, days), *rest)


def open_days(order: Sequence[Closing], abuse: Mapping[frozenset[str], int], days: int) -> int:
    """Sum the abuse still open over the days until all controls of an order are in force and watched."""
    total, waited = 0, False
    for number, each in enumerate(order):
        before = _open(abuse, frozenset(held.control for held in order[:number]))
        after = _open(abuse, frozenset(held.control for held in order[: number + 1]))
        total += before * (each.lead + (days if each.waits and not waited else 0)) + after * WATCHED
        waited |= each.waits
    return total


def _open(abuse: Mapping[frozenset[str], int], done: frozenset[str]) -> int:
    return sum(mails for controls, mails in abuse.items() if not controls & done)


def _search(
    closings: Sequence[Closing], abuse: Mapping[frozenset[str], int], days: int
) -> tuple[Closing, ...]:
    """Search all sets of controls done, smaller ones first: the best way to each is one more step after the best before."""
    best: dict[frozenset[str], tuple[int, tuple[Closing, ...]]] = {frozenset(): (0, ())}
    left = {frozenset[str](): sum(abuse.values())}
    for _ in closings:
        following: dict[frozenset[str], tuple[int, tuple[Closing, ...]]] = {}
        for done, (total, order) in best.items():
            before = left[done]
            waited = any(each.waits for each in order)
            for each in closings:
                if each.control in done or not each.after <= done:
                    continue
                then = done | {each.control}
                wait = each.lead + (days if each.waits and not waited else 0)
                if then not in left:
                    left[then] = _open(abuse, then)
                cost = total + before * wait + left[then] * WATCHED
                if then not in following or cost < following[then][0]:
                    following[then] = (cost, (*order, each))
        best = following
    return next(iter(best.values()))[1]
