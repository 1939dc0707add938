"""Steps of the plan as people carry them out: stable names, waves, and who may move a step on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from hashlib import sha256

from portero.core.ledger import StepMark, StepState
from portero.core.step import Step
from portero.core.text import Text


class SameHandsError(Exception):
    """Whoever prepared a step may not sign it too."""


def key_of(step: Step) -> str:
    """Name a step by what it is about, so that it is found again in the plan of a later run."""
    return "k-" + sha256(f"{step.title}|{'|'.join(step.controls)}".encode()).hexdigest()[:16]


def waves(steps: Sequence[Step]) -> tuple[tuple[Step, ...], ...]:
    """Group steps into waves: each step stands in the first wave after all the steps it waits for."""
    at: dict[int, int] = {}
    for step in steps:
        at[step.n] = max((at.get(before, 0) + 1 for before in step.after), default=0)
    return tuple(tuple(step for step in steps if at[step.n] == wave) for wave in sorted(set(at.values())))


def moved(mark: StepMark, wanted: StepState, who: str) -> StepMark:
    """
    Give what is said of a step after somebody moved it.

    Raises SameHandsError where the one who prepared it signs. Going back takes off the names that no longer hold.
    """
    if wanted is StepState.PREPARED:
        return replace(mark, state=wanted, prepared_by=who, signed_by=None)
    if wanted is StepState.SIGNED:
        if mark.prepared_by is None or mark.prepared_by == who:
            raise SameHandsError
        return replace(mark, state=wanted, signed_by=who)
    if wanted is StepState.OPEN:
        return replace(mark, state=wanted, prepared_by=None, signed_by=None, verified=None)
    return replace(mark, state=wanted)


def progress(keys: Iterable[str], marks: Mapping[str, StepMark]) -> Mapping[StepState, int]:
    """Count steps by state."""
    found = dict.fromkeys(StepState, 0)
    for key in keys:
        held = marks.get(key)
        found[held.state if held is not None else StepState.OPEN] += 1
    return found


STATES: Mapping[StepState, Text] = {
    StepState.OPEN: Text("Open", context="step-state"),
    StepState.PREPARED: Text("Waiting for approval", context="step-state"),
    StepState.SIGNED: Text("Approved", context="step-state"),
    StepState.DONE: Text("Done", context="step-state"),
}
