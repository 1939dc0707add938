"""Pages printed by the program say what the program does: weights and their sums, and the journeys."""

from __future__ import annotations

import math
import re

import pytest
from project import ROOT

from portero.core.weights import WEIGHTS
from portero.faces.journey_pages import journey_pages
from portero.faces.weight_page import examples, weight_page

JOURNEYS = ROOT / "docs" / "journeys"


def test_the_page_of_weights_is_that_of_the_judge() -> None:
    page = (ROOT / "docs" / "weights.md").read_text("utf-8")

    assert page == weight_page(), "run: python -m portero.faces.weight_page > docs/weights.md"


def test_every_weight_stands_on_the_page_with_a_source() -> None:
    rows = re.findall(r"^\| `([a-z0-9-]+)` \| [−0-9.]+ \| (.+) \|$", weight_page(), re.MULTILINE)

    assert dict(rows).keys() == WEIGHTS.keys()
    assert all(source.strip() for _, source in rows)


def test_the_examples_are_one_of_each_judgement_and_add_up() -> None:
    held = examples()

    assert sorted(each.judgement.value for each in held.values()) == ["abuse", "legitimate", "undecided"]
    for each in held.values():
        odds = sum(reason.weight for reason in each.because)
        abuse = 1 / (1 + math.exp(-odds))
        assert math.isclose(each.confidence, max(abuse, 1 - abuse), abs_tol=1e-9)


@pytest.mark.parametrize("name", sorted(journey_pages()))
def test_a_journey_is_what_the_simulator_prints(name: str) -> None:
    page = (JOURNEYS / name).read_text("utf-8")

    assert page == journey_pages()[name], "run: python -m portero.faces.journey_pages docs/journeys"


def test_no_other_page_lies_among_the_journeys() -> None:
    assert {path.name for path in JOURNEYS.iterdir()} == set(journey_pages())


def effects(name: str) -> list[list[str]]:
    """Give the effects of a page, mail by mail."""
    mails = journey_pages()[name].split("\n## ")[1:]
    return [re.findall(r"^\| [^|]+ \| (refused|kept|undetermined) \|", mail, re.MULTILINE) for mail in mails]


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("spoof-open.md", [["kept"], ["kept"]]),
        ("spoof-closed.md", [["refused"] * 3, ["kept", "refused", "refused"]]),
        ("printer-relay.md", [["refused", "kept"], ["kept", "kept"], ["refused", "refused"]]),
        ("forwarder.md", [["refused", "refused"], ["kept", "kept"]]),
        ("around-gateway.md", [["kept"] * 3, ["kept", "kept", "refused"], ["kept", "refused", "refused"]]),
    ],
)
def test_a_journey_ends_as_its_last_sentence_says(name: str, wanted: list[list[str]]) -> None:
    assert effects(name) == wanted
