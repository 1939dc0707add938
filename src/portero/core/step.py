"""Steps of a plan as values: what to do, how to see that it worked, and the way back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from portero.core.exchange.change import Change
from portero.core.text import Text


class Risk(StrEnum):
    """How much mail a step can cost if something was not seen."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


@dataclass(frozen=True, slots=True)
class Step:
    """
    One step of the plan; the contract's STEP.

    controls:  controls of the contract that are in force from this step on.
    moved:     ids of senders that use another way in from this step on, so that no control here concerns them.
    commands:  the changes a script can make; empty where people or other systems do the work.
    name:      what kind of step it is, in one word; "" where nothing asks.
    by:        the day by which it must be done, whatever else the plan waits for; None where no date presses.
    """

    n: int
    title: Text
    why: Text
    do: Text
    verify: Text
    undo: Text
    after: tuple[int, ...]
    senders: tuple[str, ...]
    risk: Risk
    owner: Text
    controls: tuple[str, ...] = ()
    moved: tuple[str, ...] = ()
    commands: tuple[Change, ...] = ()
    name: str = ""
    by: date | None = None

    @property
    def refuses(self) -> bool:
        """Tell whether a control comes into force with it that may refuse mail."""
        return any(not each.startswith("allow=") for each in self.controls)
