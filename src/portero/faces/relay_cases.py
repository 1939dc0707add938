"""What the relay's commands ask for, as ports that wiring answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from portero.core.text import Text

Say = Callable[[Text], None]


class Sign(Protocol):
    """One thing that was tried: good is None where it could not be known."""

    @property
    def what(self) -> Text:
        """Say what should be so."""

    @property
    def good(self) -> bool | None:
        """Tell whether it is."""

    @property
    def advice(self) -> Text | None:
        """Say what to do, or None."""


class RelayUseCases(Protocol):
    """What these commands ask for; wiring answers."""

    def run(self, config: Path | None, say: Say, render: Callable[[Text], str]) -> None:
        """Run the relay until the system says stop; `render` gives the words of notices."""

    def check(self, config: Path | None, say: Say) -> Sequence[Sign]:
        """Try what the relay needs."""

    def queue(self, config: Path | None, states: Sequence[str], limit: int) -> Mapping[str, Any]:
        """Give the queue."""

    def show(self, config: Path | None, given: str) -> Mapping[str, Any]:
        """Give one message of the queue."""

    def export(self, config: Path | None, given: str) -> bytes:
        """Give a message's content."""

    def change(
        self, config: Path | None, what: str, given: Sequence[str], *, everything: bool
    ) -> Mapping[str, str]:
        """Change messages of the queue."""
