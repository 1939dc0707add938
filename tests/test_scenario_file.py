"""Scenario files: what is written reads back as the same, and every fault is said with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from portero.core.address import parse_network
from portero.core.migration import Road
from portero.core.scenario import Move, Scenario
from portero.errors import ConfigError
from portero.scenario_file import load_scenario, scenario_toml

WHOLE = """\
name = "Printers to the relay"
controls = ["reject-direct-send", "allow=203.0.113.8/29"]

[[move]]
to = "relay"
header_from = ["Scanner@Contoso.com", "*@branch.example"]
cidr = ["198.51.100.0/24"]

[[move]]
to = "retire"
senders = ["s-0123456789ab"]
"""


def read(folder: Path, text: str) -> Scenario:
    path = folder / "try.toml"
    path.write_text(text, "utf-8")
    return load_scenario(path)


def faults(folder: Path, text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        read(folder, text)
    return [str(each).replace(str(folder), "") for each in caught.value.problems]


def test_a_file_is_read_whole_and_written_back_as_the_same(tmp_path: Path) -> None:
    held = read(tmp_path, WHOLE)

    assert held == Scenario(
        "Printers to the relay",
        ("reject-direct-send", "allow=203.0.113.8/29"),
        (
            Move(
                Road.RELAY,
                header_from=frozenset({"scanner@contoso.com", "@branch.example"}),
                networks=(parse_network("198.51.100.0/24"),),
            ),
            Move(Road.RETIRE, frozenset({"s-0123456789ab"})),
        ),
    )
    assert read(tmp_path, scenario_toml(held)) == held


def test_a_file_without_a_name_is_called_by_its_own(tmp_path: Path) -> None:
    assert read(tmp_path, "").name == "try"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("nmae = 'x'", ["line 1: there is no key nmae"]),
        ("name = 3", ["line 1: name is a text"]),
        ("\ncontrols = 'x'", ["line 2: controls is a list of texts"]),
        ("controls = ['reject']", ["line 1: There is no control reject"]),
        ("move = 3", ["line 1: write each move as a table"]),
        ("[[move]]\nto = 'pigeon'\nsenders = ['s-0123456789ab']", ["line 2: to is one of relay"]),
        ("[[move]]\nto = 'relay'", ["line 1: name whom it moves"]),
        ("[[move]]\nto = 'relay'\ncidr = ['x']", ["line 3: 'x' is no address range"]),
        ("[[move]]\nto = 'relay'\nsenders = ['x']", ["line 3: 'x' is not a sender's id"]),
        ("[[move]]\nto = 'relay'\nsenders = ['x']\nwho = 1", ["line 4: there is no key who", "line 3:"]),
        ("= 3", ["line 1: this is not TOML"]),
    ],
)
def test_every_fault_is_said_with_its_line(tmp_path: Path, text: str, said: list[str]) -> None:
    found = faults(tmp_path, text)

    assert len(found) == len(said)
    assert all(each in one for each, one in zip(said, found, strict=True)), found
