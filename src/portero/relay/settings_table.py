"""One table of `relay.toml` while it is read: each key is taken once, and what is wrong is told with key and line."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar

from portero.core.address import IPNetwork, a_label, mailbox_key, parse_network
from portero.core.text import Text
from portero.core.toml_lines import Place, line_of, shown
from portero.relay.devices import Organisation, Pattern
from portero.relay.secrets import READERS, Secret

_MAILBOX = re.compile(r"[^\s@<>]+@[^\s@<>*/]+\Z")
_HOST = re.compile(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*\Z")
T = TypeVar("T")


@dataclass(slots=True)
class Book:
    """Where each key stands, and what was found to be wrong."""

    file: str
    lines: dict[Place, int]
    problems: list[tuple[int, Text]] = field(default_factory=list)

    def add(self, place: Place, problem: Callable[[str, int], Text]) -> None:
        """Note a problem of the key at a place; it is told with file and line."""
        line = line_of(self.lines, place)
        self.problems.append((line, problem(self.file, line)))


class Table:
    """One table while it is read: each key is taken once, and what is left over was misspelt."""

    def __init__(self, book: Book, content: dict[str, Any], place: Place) -> None:
        self.book = book
        self.content = content
        self.place = place
        self.asked: set[str] = set()

    def wrong(self, key: str, wanted: Text) -> None:
        """Note that a value is not what is wanted."""
        value = shown(self.content.get(key))
        self.book.add(
            (*self.place, key),
            lambda file, line: Text(
                "{file}, line {line}: {key} is {value}, which is not {wanted}.",
                file=file, line=line, key=self.name(key), value=value, wanted=wanted,
            ),
        )  # fmt: skip

    def missing(self, key: str) -> None:
        """Note that a key must be there."""
        self.book.add(
            (*self.place, key),
            lambda file, line: Text(
                "{file}, line {line}: {key} is missing. Add it.", file=file, line=line, key=self.name(key)
            ),
        )

    def say(self, key: str, template: Callable[[str, int], Text]) -> None:
        """Note another problem of a key, told with file and line."""
        self.book.add((*self.place, key), template)

    def name(self, key: str) -> str:
        """Give a key with the tables it stands in, counted from 1."""
        parts = (f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in (*self.place, key))
        return "".join(parts).removeprefix(".")

    def take(self, key: str, default: T, wanted: Text, read: Callable[[Any], T | None]) -> T:
        """Take a key; `read` gives None, or raises ValueError, for what is not `wanted`."""
        self.asked.add(key)
        if key not in self.content:
            return default
        try:
            value = read(self.content[key])
        except (ValueError, TypeError, AttributeError):
            value = None
        if value is None:
            self.wrong(key, wanted)
            return default
        return value

    def text(self, key: str, default: str = "", *, required: bool = False) -> str:
        """Take a text."""
        if required and key not in self.content:
            self.missing(key)
        return self.take(key, default, _TEXT, lambda value: value.strip() or None)

    def host(self, key: str, default: str = "", *, required: bool = False) -> str:
        """Take a host name."""
        if required and key not in self.content:
            self.missing(key)
        return self.take(key, default, _HOSTNAME, lambda value: value if _HOST.match(value) else None)

    def number(self, key: str, default: int | None) -> int | None:
        """Take a whole number that is not negative."""
        return self.take(
            key,
            default,
            _NUMBER,
            lambda value: (
                value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
            ),
        )

    def count(self, key: str, default: int) -> int:
        """Take a number that is always one."""
        value = self.number(key, default)
        return default if value is None else value

    def flag(self, key: str, *, default: bool = False) -> bool:
        """Take true or false."""
        return self.take(key, default, _FLAG, lambda value: value if isinstance(value, bool) else None)

    def one_of(self, key: str, choices: tuple[str, ...], default: str) -> str:
        """Take one of some words."""
        return self.take(
            key, default, Text("one of {values}", values=choices), lambda value: value if value in choices else None
        )  # fmt: skip

    def path(self, key: str) -> Path | None:
        """Take a path."""
        return self.take(key, None, _TEXT, lambda value: Path(value) if value.strip() else None)

    def mailbox(self, key: str) -> str:
        """Take a mailbox, "" where there is none."""
        return self.take(key, "", _A_MAILBOX, lambda value: value if _MAILBOX.match(value) else None)

    def texts(self, key: str) -> tuple[str, ...]:
        """Take a list of texts."""
        return self.take(
            key, (), _LIST, lambda value: tuple(value) if all(isinstance(e, str) for e in value) else None
        )

    def networks(self, key: str) -> tuple[IPNetwork, ...]:
        """Take a list of addresses or networks."""
        return self.take(
            key, (), _ADDRESSES, lambda value: tuple(parse_network(each) for each in _listed(value))
        )

    def pattern(self, key: str, organisation: Organisation, default: Pattern) -> Pattern:
        """Take the mailboxes that are allowed."""
        return self.take(key, default, _MAILBOXES, lambda value: _pattern(value, organisation))

    def secret(self, key: str) -> Secret | None:
        """Take the place where a secret is kept."""
        return self.take(key, None, _A_SECRET, _secret)

    def tables(self, key: str) -> list[Table]:
        """Take the tables of a name, in their order."""
        self.asked.add(key)
        held = self.content.get(key, [])
        if not isinstance(held, list) or not all(isinstance(each, dict) for each in held):
            self.wrong(key, Text("a table such as {example}", example=f"[[{key}]]"))
            return []
        return [Table(self.book, each, (*self.place, key, n)) for n, each in enumerate(held)]

    def table(self, key: str) -> Table | None:
        """Take the one table of a name."""
        self.asked.add(key)
        held = self.content.get(key)
        if held is None:
            return None
        if not isinstance(held, dict):
            self.wrong(key, Text("a table such as {example}", example=f"[{key}]"))
            return None
        return Table(self.book, held, (*self.place, key))

    def done(self) -> None:
        """Name every key that nobody asked for."""
        for key in self.content.keys() - self.asked:
            near = get_close_matches(key, self.asked, 1)
            known = tuple(sorted(self.asked))
            self.book.add((*self.place, key), self._unknown(self.name(key), near, known))

    @staticmethod
    def _unknown(name: str, near: list[str], known: tuple[str, ...]) -> Callable[[str, int], Text]:
        if near:
            return lambda file, line: Text(
                "{file}, line {line}: there is no key {key}. Did you mean {near}?",
                file=file, line=line, key=name, near=near[0],
            )  # fmt: skip
        return lambda file, line: Text(
            "{file}, line {line}: there is no key {key}. Known here: {names}.",
            file=file, line=line, key=name, names=known,
        )  # fmt: skip


_TEXT = Text("a text that is not empty")
_HOSTNAME = Text("a host name such as relay.contoso.com")
_NUMBER = Text("a whole number that is not negative")
_FLAG = Text("true or false")
_LIST = Text("a list of texts")
_ADDRESSES = Text("a list of addresses or networks such as 203.0.113.8/29")
_A_MAILBOX = Text("a mailbox such as payroll@contoso.com")
_MAILBOXES = Text('"inside", "anywhere", or a list such as ["payroll@contoso.com", "@contoso.com"]')
_A_SECRET = Text("the place where the secret is kept: a table with one of {kinds}", kinds=tuple(READERS))


def _listed(value: Any) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise ValueError
    return value


def _pattern(value: Any, organisation: Organisation) -> Pattern | None:
    if value == "inside":
        return Pattern(domains=organisation.accepted_domains)
    if value == "anywhere":
        return Pattern(anything=True)
    mailboxes, domains = set(), set()
    for each in _listed(value):
        if each.startswith("@") and _HOST.match(a_label(each[1:])):
            domains.add(a_label(each[1:]))
        elif each == "" or _MAILBOX.match(each):
            mailboxes.add(mailbox_key(each))
        else:
            return None
    return Pattern(frozenset(mailboxes), frozenset(domains))


def _secret(value: Any) -> Secret | None:
    if not isinstance(value, dict) or len(value) != 1:
        return None
    [(kind, where)] = value.items()
    return Secret(kind, where) if kind in READERS and isinstance(where, str) and where else None
