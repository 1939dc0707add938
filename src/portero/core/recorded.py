"""Recorded mails one by one, for whoever asks what stands behind a number."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from portero.core.evidence import Origin
from portero.core.flow import FlowKey


@dataclass(frozen=True, slots=True)
class Mail:
    """
    One unique mail, as its witnesses together show it; None where none of them knew.

    key:     the way of sending that it was folded into.
    at:      aware UTC.
    author:  P2, or the traced sender where P2 is not known.
    origin:  a row that shows it.
    """

    key: FlowKey
    at: datetime | None
    author: str | None
    subject: str | None
    outcome: str | None
    size: int | None
    origin: Origin
