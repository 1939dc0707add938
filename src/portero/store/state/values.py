"""
Core values as compressed JSON and back: only the core's own dataclasses and enumerations, never code.

A class of the core that is neither gives by its property ``recorded`` the arguments that make an equal one.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from datetime import date, datetime, timedelta
from enum import Enum
from importlib import import_module
from ipaddress import IPv4Network, IPv6Network, ip_network

_FORMAT = 1
_HOME = "portero.core."
# A value as JSON: plain scalars stand for themselves; everything else is a list that begins with its tag.
# A number as tag is the place of a class in the table at the head of the document.


class UnreadableError(ValueError):
    """The stored form is of another version or damaged; read the evidence again."""


def dump(value: object) -> bytes:
    """Write a value made of the core's frozen dataclasses, enumerations and plain containers."""
    writer = _Writer()
    body = writer.write(value)
    return zlib.compress(json.dumps([_FORMAT, writer.table, body], separators=(",", ":")).encode(), 3)


def load(content: bytes) -> object:
    """Read what `dump` wrote. Raises UnreadableError."""
    try:
        version, table, body = json.loads(zlib.decompress(content))
        if version != _FORMAT:
            raise UnreadableError("another format")
        return _Reader(table).read(body)
    except UnreadableError:
        raise
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, ImportError, zlib.error) as error:
        raise UnreadableError(str(error)) from error


class _Writer:
    def __init__(self) -> None:
        self.table: list[list[str]] = []
        self._places: dict[type, tuple[int, tuple[str, ...]]] = {}

    def write(self, value: object) -> object:
        kind = type(value)
        if kind in _PLAIN:
            return value
        if kind is tuple:
            return ["t", *map(self.write, value)]  # type: ignore[call-overload]  # a tuple, by the line above
        if isinstance(value, Enum):
            return [self._place(kind)[0], value.value]
        if (recorded := getattr(value, "recorded", None)) is not None:
            return [self._place(kind)[0], *map(self.write, recorded)]
        if is_dataclass(value):
            place, names = self._place(kind)
            return [place, *[self.write(getattr(value, name)) for name in names]]
        if isinstance(value, Mapping):
            return ["d", *[self.write(part) for pair in value.items() for part in pair]]
        if isinstance(value, set | frozenset):
            return ["s", *map(self.write, sorted(value))]
        if isinstance(value, list):
            return ["l", *map(self.write, value)]
        if isinstance(value, datetime):
            return ["T", value.isoformat()]
        if isinstance(value, date):
            return ["D", value.isoformat()]
        if isinstance(value, timedelta):
            return ["S", value.total_seconds()]
        if isinstance(value, IPv4Network | IPv6Network):
            return ["N", str(value)]
        raise TypeError(f"{kind.__name__} has no stored form")

    def _place(self, kind: type) -> tuple[int, tuple[str, ...]]:
        if kind not in self._places:
            if not kind.__module__.startswith(_HOME):
                raise TypeError(f"{kind.__name__} is no value of the core")
            names = tuple(each.name for each in fields(kind)) if is_dataclass(kind) else ()
            self._places[kind] = (len(self.table), names)
            self.table.append([kind.__module__, kind.__qualname__, *names])
        return self._places[kind]


class _Reader:
    def __init__(self, table: list[list[str]]) -> None:
        self._makers = [self._maker(*row) for row in table]
        self._tags: dict[str, Callable[[list[object]], object]] = {
            "t": lambda rest: tuple(map(self.read, rest)),
            "l": lambda rest: list(map(self.read, rest)),
            "s": lambda rest: frozenset(map(self.read, rest)),
            "d": lambda rest: dict(zip(map(self.read, rest[::2]), map(self.read, rest[1::2]), strict=True)),
            "T": lambda rest: datetime.fromisoformat(str(rest[0])),
            "D": lambda rest: date.fromisoformat(str(rest[0])),
            "S": lambda rest: timedelta(seconds=float(str(rest[0]))),
            "N": lambda rest: ip_network(str(rest[0])),
        }

    def read(self, value: object) -> object:
        if type(value) is not list:
            return value
        tag, *rest = value
        return self._makers[tag](rest) if type(tag) is int else self._tags[tag](rest)

    def _maker(self, module: str, name: str, *names: str) -> Callable[[list[object]], object]:
        if not module.startswith(_HOME) or not name.isidentifier():
            raise UnreadableError(f"{module} is no part of the core")
        kind = getattr(import_module(module), name)
        if isinstance(kind, type) and issubclass(kind, Enum):
            return lambda rest: kind(rest[0])
        if isinstance(kind, type) and hasattr(kind, "recorded"):
            return lambda rest: kind(*map(self.read, rest))
        if not (isinstance(kind, type) and is_dataclass(kind)):
            raise UnreadableError(f"{name} is no value of the core")
        own = {each.name: each for each in fields(kind)}
        # What this version no longer has is dropped; what it has since is at its default.
        added = [each for each in own.values() if each.name not in names]
        kept = [name if name in own else None for name in names]

        def make(rest: list[object]) -> object:
            made = object.__new__(kind)
            for field_name, part in zip(kept, rest, strict=True):
                if field_name is not None:
                    object.__setattr__(made, field_name, self.read(part))
            for each in added:
                object.__setattr__(made, each.name, _default(each))
            return made

        return make


def _default(field: Field[object]) -> object:
    if field.default is not MISSING:
        return field.default
    if field.default_factory is not MISSING:
        return field.default_factory()
    raise UnreadableError(f"{field.name} was not written")


_PLAIN = frozenset({str, int, float, bool, type(None)})
