"""The page of formats names every source, and its limits are the limits."""

import re
import tomllib
from dataclasses import asdict

from project import ROOT

from portero.core.limits import LIMITS
from portero.sources import sources

PAGE = (ROOT / "docs" / "evidence-formats.md").read_text("utf-8")


def test_every_source_is_on_the_page_and_nothing_else() -> None:
    named = [
        name
        for row in re.findall(r"^\| (`[^|]*) \|", PAGE, re.MULTILINE)
        for name in re.findall(r"`([a-z0-9-]+)`", row)
    ]
    assert sorted(named) == sorted(source.id for source in sources())


def test_the_limits_are_the_ones_in_force() -> None:
    [block] = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    assert tomllib.loads(block)["limits"] == asdict(LIMITS)
