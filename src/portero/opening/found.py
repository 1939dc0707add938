"""What the openers hand to one another: an attachment's kind, traits, words, links and further parts."""

from __future__ import annotations

from dataclasses import dataclass, field

from portero.core.message.content import Link
from portero.core.text import Text


@dataclass
class Found:
    """
    What an opener found.

    text, hidden:  words a reader sees, and those kept from readers.
    inner:         further parts to open, (name, declared type or "", octets).
    pictures:      pictures to look for codes in, (octets, where).
    """

    kind: str = "other"
    text: str = ""
    hidden: str = ""
    links: list[Link] = field(default_factory=list)
    traits: set[str] = field(default_factory=set)
    inner: list[tuple[str, str, bytes]] = field(default_factory=list)
    pictures: list[tuple[bytes, Text]] = field(default_factory=list)
    shown: int = 0
    remote: int = 0
