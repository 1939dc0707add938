"""Format, lint and types, so that one run of the tests says everything."""

import pytest
from project import tool


@pytest.mark.parametrize(
    "words", [("ruff", "format", "--check"), ("ruff", "check"), ("mypy", "--no-incremental")], ids=" ".join
)
def test_the_tool_finds_nothing(words: tuple[str, ...]) -> None:
    run = tool(*words)
    assert run.returncode == 0, run.stdout + run.stderr
