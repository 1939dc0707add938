"""Every check has its test, its page, and an id equal to its file's name."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

from portero.core.checks import checks
from portero.core.finding import Check

TESTS = Path(__file__).resolve().parents[1] / "core" / "checks"
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
