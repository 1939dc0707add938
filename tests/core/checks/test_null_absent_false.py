"""In no check is a property that was never exported good news, and in none is it said as one that was never set."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from portero.core.finding import Finding, Outcome
from support.powershell_model import carry_out
from support.scenes import SCENES, exported, judged, state_of

Build = Callable[..., Any]
Place = tuple[str, int, str]  # cmdlet, number of its object, property
# What an object is known by, and whether it is the one for everybody; without it the object is another one.
NAMES = {
    "Name",
    "Identity",
    "PrimarySmtpAddress",
    "Domain",
    "DomainName",
    "Value",
    "IsDefault",
    "IsBuiltInProtection",
}
MADE = {"Only via gateway", "Audit anonymous own-domain", "Let them in (anonymous)"}
# Values of which one or another is bad for any property that a check reads.
VALUES = (True, False, None, "x", ["contoso.com"], ["x"], "Off", "Allow", 0, 9, "Enabled")
GRAVER = (Outcome.PASS, Outcome.NOT_APPLICABLE, Outcome.UNKNOWN, Outcome.WARN, Outcome.FAIL)


@pytest.fixture(params=sorted(SCENES))
def mended(
    request: pytest.FixtureRequest, posture: Build, sender: Build
) -> tuple[Any, Callable[[Any], Finding]]:
    """Give each control's tenant after its fix, and what judges it."""
    objects, fields = SCENES[request.param]

    def judge(held: Any) -> Finding:
        return judged(request.param, held, posture, sender, fields)

    state = state_of(objects)
    for change in judge(objects).changes:
        carry_out(change.do, state)
    return exported(state, objects), judge


def places(objects: Any) -> Iterator[Place]:
    """Give every property of what was exported; what a fix made beside has no more than the fix gave it."""
    for cmdlet, items in objects.items():
        for number, item in enumerate(items):
            if item.get("Name") in MADE:
                continue
            yield from ((cmdlet, number, name) for name in item if name not in NAMES)


def holding(objects: Any, place: Place, value: object) -> Any:
    cmdlet, number, name = place
    changed = copy.deepcopy(objects)
    changed[cmdlet][number][name] = value
    return changed


def lacking(objects: Any, place: Place) -> Any:
    cmdlet, number, name = place
    changed = copy.deepcopy(objects)
    del changed[cmdlet][number][name]
    return changed


def test_what_may_be_bad_is_unknown_where_it_was_not_exported(
    mended: tuple[Any, Callable[[Any], Finding]],
) -> None:
    objects, judge = mended
    now = GRAVER.index(judge(objects).outcome)
    read = [
        place
        for place in places(objects)
        if any(GRAVER.index(judge(holding(objects, place, value)).outcome) > max(now, 2) for value in VALUES)
    ]

    assert {place: judge(lacking(objects, place)).outcome for place in read} == dict.fromkeys(
        read, Outcome.UNKNOWN
    )


@pytest.mark.parametrize("id_", sorted(SCENES))
def test_a_fault_is_not_gone_because_a_property_is(id_: str, posture: Build, sender: Build) -> None:
    objects, fields = SCENES[id_]
    for place in places(objects):
        found = judged(id_, lacking(objects, place), posture, sender, fields)
        assert found.outcome not in {Outcome.PASS, Outcome.NOT_APPLICABLE}, place


def test_never_set_and_never_exported_are_said_differently(
    mended: tuple[Any, Callable[[Any], Finding]],
) -> None:
    objects, judge = mended
    for place in places(objects):
        absent, null = judge(lacking(objects, place)), judge(holding(objects, place, None))
        if absent.outcome is Outcome.UNKNOWN and str(absent.because) != str(judge(objects).because):
            assert str(absent.because) != str(null.because), place
