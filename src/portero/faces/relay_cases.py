"""What the relay's commands ask for, as ports that wiring answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from portero.core.sender import Sender
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

    def rules(self, senders: Sequence[Sender], render: Callable[[Text], str]) -> str:
        """Give device rules for an inventory's senders, as TOML."""

    def learnt_rules(self, config: Path | None, render: Callable[[Text], str]) -> str:
        """Give device rules for what has been learnt, as TOML."""

    def audit_verdict(self, config: Path | None) -> Mapping[str, Any]:
        """Check the audit trail."""

    def send(
        self, config: Path | None, way: str, sender: str, recipient: str, render: Callable[[Text], str]
    ) -> Sign:
        """Send one small message straight to a way out."""

    def queue(
        self, config: Path | None, states: Sequence[str], limit: int, render: Callable[[Text], str]
    ) -> Mapping[str, Any]:
        """Give the queue; `render` gives the words of explanations."""

    def devices(self, config: Path | None) -> Sequence[Mapping[str, Any]]:
        """Give the devices' rules and habits."""

    def show(self, config: Path | None, given: str, render: Callable[[Text], str]) -> Mapping[str, Any]:
        """Give one message of the queue."""

    def export(self, config: Path | None, given: str) -> bytes:
        """Give a message's content."""

    def change(
        self,
        config: Path | None,
        what: str,
        given: Sequence[str],
        *,
        everything: bool,
        render: Callable[[Text], str] = str,
    ) -> Mapping[str, str]:
        """Change messages of the queue, or report them; `render` gives the words of a report."""
