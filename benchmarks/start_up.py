"""
What a call costs before it does anything: CPU seconds of the program's start beside those of Python alone.

Run from a checkout: python benchmarks/start_up.py
Each call runs in a process of its own, the first time for the files' sake and then seven times; the middle is given,
with how many starts of Python it amounts to.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

TIMES = 7


def seconds(words: list[str]) -> float:
    """Give the CPU seconds of one process."""
    before = os.times()
    subprocess.run([sys.executable, *words], capture_output=True, check=True)
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def middle(words: list[str]) -> float:
    """Give the middle of some runs, after one that warms the disk."""
    seconds(words)
    return sorted(seconds(words) for _ in range(TIMES))[TIMES // 2]


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        evidence = folder / "evidence"
        evidence.mkdir()
        domain = {"Name": "contoso.com", "DomainName": "contoso.com", "DomainType": "Authoritative"}
        (evidence / "Get-AcceptedDomain.json").write_text(json.dumps([domain]))
        program = ["-m", "portero"]
        calls = {
            "Python alone": ["-c", "pass"],
            "portero --help": [*program, "--help"],
            "portero --version": [*program, "--version"],
            "portero audit --help": [*program, "audit", "--help"],
            "portero decide, without evidence": [
                *program, "decide", "s-0123456789ab", "legitimate", "--config", str(folder / "portero.toml"),
            ],
            "portero audit of one small file": [*program, "audit", str(evidence), "--out", str(folder / "out")],
        }  # fmt: skip
        alone = 0.0
        for name, words in calls.items():
            took = middle(words)
            alone = alone or took
            print(f"{name:36} {took:6.2f} s {took / alone:6.1f} times Python")


if __name__ == "__main__":
    main()
