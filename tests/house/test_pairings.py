"""One more source or check is one file and one test, and its id is its name."""

import ast
from pathlib import Path

import pytest
from project import PACKAGE, ROOT

from portero.core.checks import checks
from portero.exports import exports
from portero.relay.transports import transports
from portero.sources import sources

SOURCES = sorted(
    path for path in (PACKAGE / "sources").glob("*.py") if "\nSOURCE = " in path.read_text("utf-8")
)
CHECKS = sorted(
    path for path in (PACKAGE / "core" / "checks").glob("*.py") if "\nCHECK = " in path.read_text("utf-8")
)


TRANSPORTS = sorted(
    path
    for path in (PACKAGE / "relay" / "transports").glob("*.py")
    if "\nTRANSPORT = " in path.read_text("utf-8")
)


EXPORTS = sorted(
    path for path in (PACKAGE / "exports").glob("*.py") if "\nEXPORT = " in path.read_text("utf-8")
)


def name_of(path: Path) -> str:
    return path.stem


@pytest.mark.parametrize("path", [*SOURCES, *CHECKS, *TRANSPORTS], ids=name_of)
def test_each_has_a_test_of_its_own(path: Path) -> None:
    test = ROOT / "tests" / path.relative_to(PACKAGE).with_name(f"test_{path.name}")
    assert test.is_file()
    functions = [
        node.name for node in ast.parse(test.read_text("utf-8")).body if isinstance(node, ast.FunctionDef)
    ]
    assert any(name.startswith("test_") for name in functions)


@pytest.mark.parametrize("path", [*SOURCES, *CHECKS, *TRANSPORTS], ids=name_of)
def test_each_has_a_page(path: Path) -> None:
    page = ast.get_docstring(ast.parse(path.read_text("utf-8")))
    assert page
    assert page.splitlines()[0].endswith(".")


def test_the_id_of_a_source_is_its_file_name() -> None:
    assert [each.id.replace("-", "_") for each in sources()] == [path.stem for path in SOURCES]


def test_the_id_of_a_check_is_its_file_name() -> None:
    assert [each.id.lower().replace("-", "_") for each in checks()] == [path.stem for path in CHECKS]


def test_the_id_of_a_way_out_is_its_file_name() -> None:
    assert [each.replace("-", "_") for each in transports()] == [path.stem for path in TRANSPORTS]


def test_the_id_of_an_export_is_its_file_name() -> None:
    assert [each.id for each in exports()] == [path.stem for path in EXPORTS]


def test_there_is_something_to_pair() -> None:
    assert SOURCES
    assert CHECKS
    assert EXPORTS
    assert TRANSPORTS
