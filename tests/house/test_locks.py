"""What is installed is pinned by hash, is what pyproject asks for, and names no place to fetch it from."""

import re
import tomllib

import pytest
from project import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
LOCKS = ("requirements.lock", "requirements-test.lock")
PIN = re.compile(r"^([a-z0-9][a-z0-9._-]*)(?:\[[a-z0-9,_-]+\])?==([^\s;]+)(?: ; [^\\]+)? \\$")


def pinned(lock: str) -> dict[str, str]:
    lines = (ROOT / lock).read_text("utf-8").splitlines()
    return {found[1]: found[2] for line in lines if (found := PIN.match(line))}


def asked(requirements: list[str]) -> set[str]:
    return {re.split(r"[\s\[<>=!~;]", each)[0].lower().replace("_", "-") for each in requirements}


@pytest.mark.parametrize("lock", LOCKS)
def test_every_line_is_a_pin_or_a_hash(lock: str) -> None:
    for line in (ROOT / lock).read_text("utf-8").splitlines():
        assert PIN.match(line) or re.fullmatch(r"    --hash=sha256:[0-9a-f]{64}( \\)?", line), line


@pytest.mark.parametrize("lock", LOCKS)
def test_the_lock_covers_what_the_project_asks_for(lock: str) -> None:
    wanted = asked(PROJECT["project"]["dependencies"]) | asked(PROJECT["build-system"]["requires"])
    if lock == "requirements-test.lock":
        for extra in ("dkim", "messages", "postgres", "relay", "web", "test"):
            wanted |= asked(PROJECT["project"]["optional-dependencies"][extra])
    assert wanted <= set(pinned(lock))


def test_both_locks_pin_the_same_versions() -> None:
    assert pinned("requirements.lock").items() <= pinned("requirements-test.lock").items()
