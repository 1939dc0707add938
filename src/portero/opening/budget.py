"""How much one mail may cost: time, octets, parts, pages, pixels and links, shared by everything that opens it."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from portero.core.text import Text

SECONDS = 8.0
_OCTETS = 64 << 20
_PIXELS = 30_000_000
MOST_LINKS = 2_000
MOST_PICTURES = 24
MOST_PAGES = 6
MOST_MEMBERS = 60
MOST_ATTACHMENTS = 100
DEPTH = 4


@dataclass
class Budget:
    """
    What is left for one mail. Whoever opens something asks first, and says what was left unopened.

    seconds:  of wall clock for the whole mail.
    octets:   unpacked from containers.
    pixels:   decoded or drawn, of all pictures and pages together.
    """

    seconds: float = SECONDS
    octets: int = _OCTETS
    pixels: int = _PIXELS
    pictures: int = MOST_PICTURES
    pages: int = MOST_PAGES
    members: int = MOST_MEMBERS
    attachments: int = MOST_ATTACHMENTS
    gaps: list[Text] = field(default_factory=list)
    _end: float = 0.0

    def __post_init__(self) -> None:
        self._end = time.monotonic() + self.seconds

    @property
    def spent(self) -> bool:
        """Tell whether the time is over; says so once."""
        if time.monotonic() < self._end:
            return False
        self.gap(Text("Opening it took too long, so a part of it was not looked at."))
        return True

    def gap(self, text: Text) -> None:
        """Note what was not opened, each once."""
        if text not in self.gaps and len(self.gaps) < 20:
            self.gaps.append(text)

    def take_octets(self, octets: int) -> bool:
        """Take octets from what may be unpacked; False where they are not left."""
        if octets > self.octets:
            self.gap(Text("It unpacks to more than is opened."))
            return False
        self.octets -= octets
        return True

    def take_picture(self, width: int, height: int) -> bool:
        """Take a picture and its pixels; False where they are not left."""
        if width * height > self.pixels:
            self.gap(Text("A picture is too large to be looked at."))
            return False
        if self.pictures <= 0:
            self.gap(Text("It holds more pictures than are looked at."))
            return False
        self.pixels -= width * height
        self.pictures -= 1
        return True
