"""A really started `portero serve`, and a really started Chromium in front of it."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[2] / "src"


@dataclass
class Served:
    """
    A server that was started as anybody starts it.

    url, link:  what it printed.
    """

    process: subprocess.Popen[str]
    url: str
    link: str
    said: list[str] = field(default_factory=list)

    def kill(self) -> None:
        """End it as a power cut would."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(30)


def chromium() -> str | None:
    return next(
        (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))),
        None,
    )


@contextmanager
def served(data: Path, *words: str, database: str | None = None) -> Iterator[Served]:
    """Start `portero serve` on a free port, and stop it as Ctrl+C does."""
    environ = {**os.environ, "PYTHONPATH": str(SOURCE), "NO_COLOR": "1", "LC_ALL": "C.UTF-8"}
    if database:
        environ["PORTERO_DATABASE"] = database
    process = subprocess.Popen(
        [sys.executable, "-m", "portero", "serve", "--port", "0", "--data", str(data), "--lang", "en", *words],
        stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, env=environ,
    )  # fmt: skip
    assert process.stderr is not None
    said: list[str] = []
    listener = threading.Thread(target=lambda: said.extend(process.stderr or ()), daemon=True)
    listener.start()
    try:
        until = time.monotonic() + 120
        while not (found := re.search(r"(http://\S+/)sign-in\?link=(\S+)", "".join(said))):
            assert process.poll() is None, "".join(said)
            assert time.monotonic() < until, "".join(said)
            time.sleep(0.05)
        yield Served(process, found[1], found[0], said)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
        # A process that reads evidence may hold the other end for a while after its server was killed.
        listener.join(60)
        process.stderr.close()
