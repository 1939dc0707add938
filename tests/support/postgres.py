"""A PostgreSQL server of the tests' own, in a folder of its own, reached by a socket there and by nothing else."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def programs() -> Path | None:
    """Give the folder of the newest server's programs; None where none is installed."""
    # Debian keeps them out of the search path, one folder a version.
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if found:
        return found[-1].parent
    on_path = shutil.which("initdb")
    return Path(on_path).resolve().parent if on_path else None


@contextmanager
def server() -> Iterator[str]:
    """Run a server and give the URL of its empty database; it refuses to run as root, so root lends it another user."""
    bin_folder = programs()
    assert bin_folder is not None
    # Short: a socket's path may have 107 octets.
    home = Path(tempfile.mkdtemp(prefix="pg"))
    user = pwd.getpwuid(os.getuid()).pw_name
    if os.getuid() == 0:
        user = "postgres" if any(each.pw_name == "postgres" for each in pwd.getpwall()) else "nobody"
        shutil.chown(home, user)

    def run(program: str, *words: str) -> None:
        subprocess.run(
            [bin_folder / program, *words],
            check=True,
            cwd=home,
            user=user if os.getuid() == 0 else None,
            group=pwd.getpwnam(user).pw_gid if os.getuid() == 0 else None,
            extra_groups=[] if os.getuid() == 0 else None,
            env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"},
            stdout=subprocess.DEVNULL,
            timeout=120,
        )

    try:
        run(
            "initdb",
            "--auth=trust",
            "--username=portero",
            "--encoding=UTF8",
            "--no-sync",
            "-D",
            str(home / "data"),
        )
        run("pg_ctl", "-D", str(home / "data"), "-w", "-l", str(home / "log"), "-o", f"-c listen_addresses= -c fsync=off -k {home}", "start")  # fmt: skip
        try:
            yield f"postgresql://portero@/postgres?host={home}"
        finally:
            run("pg_ctl", "-D", str(home / "data"), "-m", "immediate", "stop")
    finally:
        shutil.rmtree(home, ignore_errors=True)
