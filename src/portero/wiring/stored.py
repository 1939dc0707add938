"""What a store of evidence keeps."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from portero.core.text import Text
from portero.errors import ConfigError
from portero.store.lake import Kept, Lake, alone, organisations, writing


def kept(store: Path) -> tuple[tuple[str, Kept], ...]:
    """Give the documents of a store, each with the folder of its organisation."""
    return tuple((name, each) for name in organisations(store) for each in Lake(store / name).documents)


def forget(store: Path, documents: Sequence[str]) -> tuple[Kept, ...]:
    """
    Take documents, named by id or by name, out of a store.

    Raises ConfigError, before anything is dropped, for one that is not there or that several are called.
    """
    held = kept(store)
    chosen: dict[str, set[str]] = {}
    problems = []
    for given in documents:
        found = {(place, each.id) for place, each in held if each.id == given} or {
            (place, each.id) for place, each in held if each.name == given
        }
        if len(found) != 1:
            none = Text("The store holds no document {given}. portero evidence list shows them.", given=given)
            many = Text(
                "The store holds {number} documents called {given}. Name one by its id.",
                given=given,
                number=len(found),
            )
            problems.append(many if found else none)
        for place, document in found:
            chosen.setdefault(place, set()).add(document)
    if problems:
        raise ConfigError(tuple(problems))
    gone: list[Kept] = []
    for place, ids in chosen.items():
        with alone(store / place, lambda: None), writing(store / place):
            gone += Lake(store / place).drop(ids)
    return tuple(gone)
