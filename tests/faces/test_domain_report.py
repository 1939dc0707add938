"""`portero dns` over mail and recorded answers: the draft and the road reach the reader in both languages, as text."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from portero import wiring
from portero.core.mail.spf import MAX_LOOKUPS
from portero.faces.cli import build
from portero.proving.demo import write_sample

DOMAIN = "northwind.example"


@pytest.fixture(scope="module")
def evidence(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("evidence")
    write_sample(folder)
    return folder


def test_the_draft_and_the_road_as_json(evidence: Path) -> None:
    result = CliRunner().invoke(build(wiring, "en"), ["dns", DOMAIN, str(evidence), "--json"])

    assert result.exit_code == 0, result.output
    [found] = json.loads(result.stdout)
    draft, road = found["spf"], found["road"]
    assert draft["current"].split()[1:-1] == [each["term"] for each in draft["terms"]]
    assert any(each["messages"] and each["senders"] for each in draft["terms"])
    assert draft["record"].startswith("v=spf1 ")
    assert draft["lookups"] <= MAX_LOOKUPS
    assert not set(draft["kept"]) & set(draft["dropped"])
    states = {each["id"]: each["state"] for each in road["milestones"]}
    assert (states["record"], states["reject"]) == ("done", "open")
    assert "mailing lists" in road["exposure"][-1]


@pytest.mark.parametrize(
    ("lang", "words"), [("en", ("Look-ups", "Milestone")), ("es", ("Consultas", "Hito"))]
)
def test_the_draft_and_the_road_on_a_terminal(evidence: Path, lang: str, words: tuple[str, ...]) -> None:
    result = CliRunner().invoke(build(wiring, lang), ["dns", DOMAIN, str(evidence), "--flatten"])

    assert result.exit_code == 0, result.output
    assert all(word in result.stdout for word in words)
