"""
Fuzz one target, or all of them in turn: ``python tests/fuzz/run.py [TARGET...] --seconds 3600 --corpus FOLDER``.

With atheris installed (``pip install atheris``) the search is guided by coverage and the corpus grows in the folder, one
subfolder a target; without it, seeds are mutated at random. What crashes is written to the folder and ends the run with 1.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import subprocess
import sys
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1]), str(Path(__file__).resolve().parents[2] / "src")]

from support.fuzzing import mutated, seeds, targets  # noqa: E402 - behind the path it lies on


def _plain(name: str, seconds: float, folder: Path) -> int:
    chance, until, runs = random.Random(name), time.monotonic() + seconds, 0
    target, held = targets()[name], list(seeds(name))
    while time.monotonic() < until:
        raw = mutated(chance, chance.choice(held))
        try:
            target(raw)
        except Exception:
            path = folder / f"crash-{hashlib.sha256(raw).hexdigest()[:16]}"
            path.write_bytes(raw)
            print(f"{name}: {path}", file=sys.stderr)  # noqa: T201 - a tool for developers
            raise
        runs += 1
    print(f"{name}: {runs} runs without atheris")  # noqa: T201
    return 0


def _guided(name: str, seconds: float, folder: Path) -> int:
    """Run atheris in a process of its own: it takes over the one it runs in."""
    for raw in seeds(name):
        (folder / hashlib.sha256(raw).hexdigest()[:16]).write_bytes(raw)
    script = (
        "import sys, atheris\n"
        "with atheris.instrument_imports(include=['portero', 'email', 'json', 'csv', 'zipfile', 'tarfile', 'olefile']):\n"
        "    from support.fuzzing import targets\n"
        f"atheris.Setup(sys.argv, targets()[{name!r}])\n"
        "atheris.Fuzz()\n"
    )
    call = [
        sys.executable,
        "-c",
        script,
        str(folder),
        f"-max_total_time={int(seconds)}",
        "-timeout=25",
        "-rss_limit_mb=2048",
    ]
    path = os.pathsep.join(filter(None, (*sys.path[:2], os.environ.get("PYTHONPATH"))))
    return subprocess.run(
        [*call, f"-artifact_prefix={folder}/"], check=False, env={**os.environ, "PYTHONPATH": path}
    ).returncode


def main() -> int:
    """Fuzz what the arguments name."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("target", nargs="*", help="names; none for all")
    parser.add_argument("--seconds", type=float, default=60.0, help="for each target")
    parser.add_argument("--corpus", type=Path, default=Path("fuzz-corpus"))
    given = parser.parse_args()
    try:
        import atheris  # noqa: F401
    except ImportError:
        fuzz = _plain
    else:
        fuzz = _guided
    for name in given.target or sorted(targets()):
        folder = given.corpus / name
        folder.mkdir(parents=True, exist_ok=True)
        if code := fuzz(name, given.seconds, folder):
            return code
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
