"""Values of which there are hundreds of thousands: nobody may change them, and making one costs a third of what it would."""

from __future__ import annotations

from typing import TYPE_CHECKING

__all__ = ["value"]

if TYPE_CHECKING:
    from dataclasses import dataclass as value
else:
    from dataclasses import dataclass

    def value(*, frozen: bool, slots: bool):
        """
        Make a dataclass that only mypy keeps from being changed.

        The interpreter's own frozen dataclasses set each field through a call, which for a sender is forty calls.
        """
        return dataclass(slots=slots, unsafe_hash=frozen)
