"""Every check has its test, its page, and an id equal to its file's name."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path

import pytest

from portero.core.checks import checks
from portero.core.finding import Check, Outcome

TESTS = Path(__file__).resolve().parents[1] / "core" / "checks"
CHECKS = Path(inspect.getfile(checks)).parent
# Outcomes that a check never has, with the reason.
NEVER = {
    "CON-10": {"FAIL": "a dormant connector may be a path for emergencies"},
    "CON-14": {"FAIL": "no evidence says which tenants belong to the group"},
    "DS-07": {"FAIL": "whether the refusal follows MatchSubDomains is not documented"},
    "LOG-05": {"FAIL": "how long mail may be kept is for the law to say"},
    "NET-01": {"PASS": "a log shows who opened the port, not that the others could not"},
    "RULE-04": {"FAIL": "only a test mail shows what a rule misses"},
    "UX-02": {"FAIL": "a tip less lets no mail in"},
}
PAGE = ("Before:", "After:", "Mend:", "Verify:", "May break:", "Exceptions:", "Severity:")


@pytest.fixture(params=checks(), ids=lambda check: check.id)
def check(request: pytest.FixtureRequest) -> Check:
    found: Check = request.param
    return found


def test_ids_are_given_once() -> None:
    ids = [check.id for check in checks()]

    assert len(ids) == len(set(ids))


def test_its_id_is_its_files_name(check: Check) -> None:
    module = inspect.getmodule(check.judge)

    assert module is not None
    assert module.__name__.rpartition(".")[2] == check.id.lower().replace("-", "_")


def test_it_has_its_test(check: Check) -> None:
    assert (TESTS / f"test_{check.id.lower().replace('-', '_')}.py").is_file()


def shown(path: Path) -> set[str]:
    """Name the outcomes that a module speaks of, but for the line that gives them short names."""
    found: set[str] = set()
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Tuple):
            continue
        for part in ast.walk(node):
            if isinstance(part, ast.Attribute) and ast.unparse(part.value) == "Outcome":
                found.add(part.attr)
            elif isinstance(part, ast.Name) and part.id in Outcome.__members__:
                found.add(part.id)
    return found


def test_its_test_shows_every_outcome_that_it_can_have(check: Check) -> None:
    name = check.id.lower().replace("-", "_")
    own = shown(CHECKS / f"{name}.py") | {"PASS", "FAIL", "UNKNOWN"}
    never = NEVER.get(check.id, {})

    assert own - set(never) <= shown(TESTS / f"test_{name}.py")
    assert not set(never) & shown(TESTS / f"test_{name}.py")


def test_its_docstring_is_its_page(check: Check) -> None:
    module = inspect.getmodule(check.judge)
    page = inspect.getdoc(module) or ""
    paragraphs = [paragraph.lstrip() for paragraph in page.split("\n\n")]

    assert [label for label in PAGE if not any(part.startswith(label) for part in paragraphs)] == []


def test_it_says_where_it_stands_in_other_catalogues(check: Check) -> None:
    assert check.maps
    assert all(ids.strip() for ids in check.maps.values())


def test_it_says_how_to_mend_and_how_to_go_back(check: Check) -> None:
    assert str(check.fix).strip()
    assert str(check.undo).strip()
