"""Watches what code reaches for outside its own memory: connections, programs, files written, files read that are not its own."""

from __future__ import annotations

import os
import sys
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager

# Source: Python's table of audit events.
_OUTSIDE = (
    "socket.connect", "socket.bind", "socket.sendto", "socket.getaddrinfo", "socket.gethostbyname", "subprocess.Popen",
    "os.system", "os.exec", "os.posix_spawn", "os.fork", "os.spawn", "os.mkdir", "os.remove", "os.rename", "os.link",
    "os.symlink", "os.truncate", "urllib.Request", "ctypes.dlopen", "tempfile.mkstemp", "tempfile.mkdtemp",
)  # fmt: skip
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_TRUNC
# Where modules lie, and data that is installed with them.
_INSTALLED = tuple(
    os.path.realpath(path)
    for path in (*filter(None, sys.path), *(sysconfig.get_path(name) for name in ("stdlib", "purelib")))
)
_reached: list[str] | None = None
_hooked = False


def _hook(event: str, arguments: tuple[object, ...]) -> None:
    if _reached is None:
        return
    if event in _OUTSIDE:
        _reached.append(f"{event} {arguments!r:.200}")
    elif event == "open":
        path, _, flags = arguments
        if isinstance(path, int) or not isinstance(flags, int):
            return
        text = os.path.realpath(os.fsdecode(path))  # type: ignore[arg-type]
        writes = flags & _WRITES and not text.endswith(".pyc")
        if writes or not text.startswith(_INSTALLED):
            _reached.append(f"open {text} {flags}")


@contextmanager
def nothing_outside() -> Iterator[None]:
    """Fail where code reached outside, whatever it did with the error; reading what is installed is no reaching out."""
    global _reached, _hooked
    if not _hooked:
        sys.addaudithook(_hook)
        _hooked = True
    before, _reached = _reached, []
    found = _reached
    try:
        yield
    finally:
        _reached = before
    assert found == []
