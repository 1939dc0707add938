"""Scenario files: read once, every fault said at once with its line, and written so that reading gives the same back."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from portero.core.address import IPNetwork, parse_network
from portero.core.controls import UnknownControlError, parse_control
from portero.core.migration import Road
from portero.core.register import pattern
from portero.core.scenario import MOVES, Move, Scenario
from portero.core.text import Text
from portero.core.toml_lines import Place, shown
from portero.toml_file import TomlReading, parse_toml, read_toml

_KEYS = ("name", "controls", "move")
_MOVE_KEYS = ("to", "senders", "header_from", "cidr")


def load_scenario(path: Path) -> Scenario:
    """Read a scenario file. Raises ConfigError with every fault, each by file and line."""
    text = read_toml(path)
    return _Reading(path, text).scenario(parse_toml(text, str(path)), path.stem)


class _Reading(TomlReading):
    def scenario(self, content: Mapping[str, Any], stem: str) -> Scenario:
        self._known(content, (), _KEYS)
        name = content.get("name", stem)
        if not isinstance(name, str) or not name:
            self._fault(("name",), Text("name is a text that is not empty."))
        controls = self._texts(content, "controls", ())
        for number, each in enumerate(controls):
            try:
                parse_control(each)
            except UnknownControlError as error:
                self._fault(("controls", number), error.text)
        tables = content.get("move", [])
        if not isinstance(tables, list) or not all(isinstance(each, dict) for each in tables):
            self._fault(("move",), Text("write each move as a table [[move]]."))
            tables = []
        moves = [self._move(each, ("move", number)) for number, each in enumerate(tables)]
        self._settle()
        return Scenario(str(name), controls, tuple(each for each in moves if each is not None))

    def _move(self, table: Mapping[str, Any], place: Place) -> Move | None:
        self._known(table, place, _MOVE_KEYS)
        to = table.get("to")
        known = tuple(each.value for each in MOVES)
        if to not in known:
            self._fault(
                (*place, "to"), Text("to is one of {known}, not {given}.", known=known, given=shown(to))
            )
        senders, names, ranges = (self._texts(table, key, place) for key in _MOVE_KEYS[1:])
        for each in senders:
            if not re.fullmatch(r"s-[0-9a-f]{12}", each):
                self._fault((*place, "senders"), Text("{given} is not a sender's id.", given=shown(each)))
        networks: list[IPNetwork] = []
        for each in ranges:
            try:
                networks.append(parse_network(each))
            except ValueError:
                self._fault((*place, "cidr"), Text("{given} is no address range.", given=shown(each)))
        if not senders and not names and not ranges:
            self._fault(place, Text("name whom it moves: senders, header_from or cidr."))
        if to not in known:
            return None
        return Move(Road(to), frozenset(senders), frozenset(map(pattern, names)), tuple(networks))

    def _texts(self, table: Mapping[str, Any], key: str, place: Place) -> tuple[str, ...]:
        held = table.get(key, [])
        if not isinstance(held, list) or not all(isinstance(each, str) for each in held):
            self._fault((*place, key), Text("{key} is a list of texts.", key=key))
            return ()
        return tuple(held)


def scenario_toml(scenario: Scenario) -> str:
    """Write a scenario as TOML that `load_scenario` reads back as the same."""
    lines = [f"name = {_quoted(scenario.name)}", f"controls = {_list(scenario.controls)}"]
    for each in scenario.moves:
        lines += ["", "[[move]]", f"to = {_quoted(each.to.value)}"]
        for key, held in (
            ("senders", sorted(each.senders)),
            ("header_from", sorted(each.header_from)),
            ("cidr", [str(network) for network in each.networks]),
        ):
            if held:
                lines.append(f"{key} = {_list(held)}")
    return "\n".join(lines) + "\n"


def _list(texts: tuple[str, ...] | list[str]) -> str:
    if not texts:
        return "[]"
    return "[\n" + "".join(f"    {_quoted(each)},\n" for each in texts) + "]"


def _quoted(text: str) -> str:
    # TOML's basic strings take JSON's escapes, ASCII throughout; DEL alone it wants escaped where JSON does not.
    return json.dumps(text).replace("\x7f", "\\u007f")
