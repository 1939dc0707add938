"""The markup that records of a report repeat: its texts are taken by one match, instead of by sixty events a record."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

Check = tuple[str | None, str | None, str | None]  # domain, result, scope as written

# Runs of tags with nothing but blanks between them; what stands between two runs is a text.
_MARKUP = re.compile(r"((?:<[^<>]*+>\s*+(?=<))*+<[^<>]*+>)")
# What means itself wherever XML allows text: no markup, no reference, no line end that XML reads as another.
_TEXT = r"([^<>&\x00-\x08\x0b-\x1f\ud800-\udfff\ufffe\uffff]*+)"
_MARK = "\ue000{}\ue001"
_LONGEST = 16_384  # characters of a record whose markup is learned
_MOST_TEXTS = 200
_KEPT = 64  # shapes; the oldest goes


@dataclass(slots=True)
class Record:
    """A record while it is read: its values as written, and one triple a signature or SPF check."""

    values: dict[str, str] = field(default_factory=dict)
    reasons: list[str] = field(default_factory=list)
    signatures: list[Check] = field(default_factory=list)
    checks: list[Check] = field(default_factory=list)
    broken: bool = False


@dataclass(frozen=True, slots=True)
class _Shape:
    """
    One markup.

    pattern:  matches a whole record with this markup; a group for each text.
    rest:     what records with this markup hold besides their texts, put behind them; the last is None.
    others:   where texts and rest, counted through, stand in a record.
    """

    pattern: re.Pattern[str]
    rest: tuple[str | None, ...]
    values: tuple[tuple[str, int], ...]
    reasons: tuple[int, ...]
    signatures: tuple[tuple[int, int, int], ...]
    checks: tuple[tuple[int, int, int], ...]

    def record(self, text: str) -> Record | None:
        found = self.pattern.fullmatch(text)
        if found is None:
            return None
        held = found.groups() + self.rest
        return Record(
            {name: held[at] for name, at in self.values},
            [held[at] for at in self.reasons],
            [(held[a], held[b], held[c]) for a, b, c in self.signatures],
            [(held[a], held[b], held[c]) for a, b, c in self.checks],
        )


class Shapes:
    """
    The shapes that were learned. Taking a record by its shape gives what reading its XML would give.

    read:  reads a record's XML, from before its first tag to before its end tag; None where that is not well formed.
    """

    def __init__(self, read: Callable[[str], Record | None]) -> None:
        self._read = read
        self._held: dict[str, _Shape] = {}
        self._by_tags: dict[int, list[_Shape]] = {}

    def take(self, text: str) -> Record | None:
        """Give the record that a text is, or None where its markup is not known or its texts want a parser."""
        for shape in self._by_tags.get(text.count("<"), ()):
            if record := shape.record(text):
                return record
        return None

    def learn(self, text: str) -> None:
        """
        Learn the markup of a record that was read.

        Its texts are replaced by numbered marks and the result is read: where a mark comes out, that text goes.
        A record in which a mark does not come out whole is left to the parser.
        """
        parts = _MARKUP.split(text) if len(text) <= _LONGEST else []
        markup = "\0".join(parts[1::2])
        if not 0 < len(parts) <= _MOST_TEXTS or markup in self._held:
            return
        texts = len(parts[::2])
        marks = {_MARK.format(n): n for n in range(texts)}
        read = self._read(
            "".join(each for pair in zip([*marks], [*parts[1::2], ""], strict=True) for each in pair)
        )
        shape = read and _shape(parts, marks, read)
        if shape and shape.record(text):
            if len(self._held) >= _KEPT:
                oldest = next(iter(self._held))
                gone = self._held.pop(oldest)
                self._by_tags[oldest.count("<")].remove(gone)
            self._held[markup] = shape
            self._by_tags.setdefault(text.count("<"), []).insert(0, shape)


def _shape(parts: list[str], marks: dict[str, int], read: Record) -> _Shape | None:
    rest: dict[str | None, int] = {}

    def at(value: str | None) -> int:
        number = None if value is None else marks.get(value)
        return rest.setdefault(value, len(marks) + len(rest)) if number is None else number

    values = tuple((name, at(value)) for name, value in read.values.items())
    reasons = tuple(at(value) for value in read.reasons)
    signatures, checks = (
        tuple((at(a), at(b), at(c)) for a, b, c in found) for found in (read.signatures, read.checks)
    )
    if any(value and "\ue000" in value for value in rest):
        return None
    pattern = re.compile("".join(_TEXT if n % 2 == 0 else re.escape(part) for n, part in enumerate(parts)))
    return _Shape(pattern, tuple(rest), values, reasons, signatures, checks)
