"""The checkout as the house tests see it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "portero"
# What tools leave behind; the names that .gitignore holds, and git's own.
_LEFT_BEHIND = frozenset(
    {".git", *(line.strip("/") for line in (ROOT / ".gitignore").read_text().split() if line.endswith("/"))}
)


def files() -> Iterator[Path]:
    """Give every file of the checkout that is the project's own."""
    for folder, folders, names in os.walk(ROOT):
        folders[:] = sorted(
            name for name in folders if name not in _LEFT_BEHIND and not name.endswith(".egg-info")
        )
        # In a worktree .git is a file.
        yield from (Path(folder) / name for name in sorted(names) if name not in _LEFT_BEHIND)


def tool(*words: str) -> subprocess.CompletedProcess[str]:
    """Run a program of this environment in the checkout."""
    program = Path(sys.executable).parent / words[0]
    environ = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "NO_COLOR": "1"}
    return subprocess.run(
        [program, *words[1:]], cwd=ROOT, env=environ, capture_output=True, text=True, check=False
    )
