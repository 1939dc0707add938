"""How far a hostile or damaged input is followed before it is stopped by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

# What is followed by recursion ends long before Python's own bound.
_MOST = {"nesting": 50, "part_nesting": 100}


class LimitError(ValueError):
    """A limit's name or value that is none; the message is the name."""


@dataclass(frozen=True, slots=True)
class Limits:
    """
    What one document may cost. Every overrun is a Gap, and the rest is still read.

    octets:         of one member of a container, decompressed.
    ratio:          of decompressed to compressed octets: of one member looked at beyond the first 16 MiB, and of all that
                    lies in one file that was handed over beyond the first 256 MiB.
    members:        of one file that was handed over, all its containers together.
    nesting:        containers inside containers; a mail is one.
    parts:          of one mail.
    part_nesting:   multipart bodies inside one another, in one mail; at most 100.
    records:        of one document.
    record_octets:  of one record or line.
    headers:        fields of one mail.
    mail_octets:    of one mail, as it lies in its file.
    """

    octets: int = 8 << 30
    ratio: int = 200
    members: int = 10_000
    nesting: int = 6
    parts: int = 400
    part_nesting: int = 12
    records: int = 200_000_000
    record_octets: int = 4 << 20
    headers: int = 2_000
    mail_octets: int = 160 << 20

    def with_values(self, values: Mapping[str, object]) -> Limits:
        """
        Give limits with some values changed: whole numbers from 1, or their texts.

        Raises LimitError with the name of the first that is no limit or no such number.
        """
        known = {field.name for field in fields(self)}
        changed: dict[str, int] = {}
        for name, value in values.items():
            text = str(value).strip()
            number = int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else 0
            if name not in known or not 1 <= number <= _MOST.get(name, number):
                raise LimitError(name)
            changed[name] = number
        return replace(self, **changed)


LIMITS = Limits()
