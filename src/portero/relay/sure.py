"""What the order of a conversation guarantees: a value that must be there by now."""

from __future__ import annotations

from typing import TypeVar

T = TypeVar("T")


def sure(value: T | None) -> T:
    """Give the value; its absence is a fault of ours and travels up. Raises RuntimeError."""
    if value is None:
        raise RuntimeError("a value is missing that an earlier step must have set")
    return value
