"""Fuzzing within the tests' time: mutations of exemplars and samples on every parser, and a short guided search."""

import importlib.util
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from support.fuzzing import mutated, seeds, targets

RUN = Path(__file__).resolve().parents[1] / "fuzz" / "run.py"
_RUNS = 150
_SECONDS = 3.0


@pytest.mark.parametrize("name", sorted(targets()))
def test_mutations_raise_nothing(name):
    chance, target = random.Random(f"{name} 2026"), targets()[name]
    held, until = seeds(name), time.process_time() + _SECONDS
    for seed in held:
        target(seed)
    for _ in range(_RUNS):
        target(mutated(chance, chance.choice(held)))
        if time.process_time() > until:
            break


def test_the_tool_runs_for_as_long_as_it_is_told(tmp_path):
    call = [sys.executable, str(RUN), "trace-header", "mail", "--seconds", "1", "--corpus", str(tmp_path)]
    done = subprocess.run(call, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]


def test_a_crash_is_kept_and_told(tmp_path):
    """The tool itself must not swallow what it finds."""
    script = (
        f"import runpy, sys; sys.path.insert(0, {str(RUN.parents[1])!r}); import support.fuzzing as held\n"
        "held.targets = lambda: {'mail': lambda raw: 1 / 0}\n"
        f"sys.modules['atheris'] = None; sys.argv = ['run', 'mail', '--seconds', '5', '--corpus', {str(tmp_path)!r}]\n"
        f"runpy.run_path({str(RUN)!r}, run_name='__main__')"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 1
    assert "ZeroDivisionError" in done.stderr
    assert list((tmp_path / "mail").glob("crash-*"))


@pytest.mark.skipif(
    importlib.util.find_spec("atheris") is None, reason="atheris is not installed: pip install atheris"
)
def test_a_guided_search_finds_nothing_in_a_few_seconds(tmp_path):
    call = [
        sys.executable,
        str(RUN),
        "containers",
        "mail-message",
        "--seconds",
        "5",
        "--corpus",
        str(tmp_path),
    ]
    done = subprocess.run(call, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]
