"""What a format takes and gives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from portero.core.audit import Audit
from portero.core.text import Text


@dataclass(frozen=True, slots=True)
class Report:
    """
    What is to be written.

    say:      gives a sentence, or any value that may stand in one, in the reader's language.
    lang:     that language, ``en`` or ``es``.
    version:  of portero.
    """

    audit: Audit
    say: Callable[[object], str]
    lang: str
    version: str


@dataclass(frozen=True, slots=True)
class Export:
    """
    One output format.

    id:     its file's name.
    file:   what its result is called.
    write:  a pure function; the same report gives the same octets.
    """

    id: str
    file: str
    title: Text
    write: Callable[[Report], bytes]


def iso(moment: datetime) -> str:
    """Write a time as ISO 8601 in UTC with ``Z``, to the second."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"
