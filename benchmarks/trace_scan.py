"""
Measures a whole audit of large traces against the engine's own scan of the same files: `trace_scan.py FOLDER [MAILS]`.

The files are an Enhanced summary in UTF-16LE without BOM, a V2 CSV of the same mail and the exports of settings; what mail
they hold, `trace_files.py` says. The engine's part is what DuckDB takes to read both files whole, every column
of every row, and to count rows and different mails; beside it stands the bare count of rows. The audit's part is the
command line in a process of its own, from its start to the last file written. Both in seconds of the processor, all
threads counted.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import duckdb
from trace_files import ENHANCED, V2, write_exports

# The bar of the first issue: the audit takes at most so many times what the engine takes, and so much memory.
BAR, BAR_OCTETS = 3, 1.5e9


def engine_seconds(wide: Path, v2: Path, *, whole: bool) -> float:
    """Give the seconds that DuckDB takes to read and count both files, every column and the different mails if asked."""
    before = time.process_time()
    for path, encoding, columns in ((wide, "utf-16", ENHANCED.split(",")), (v2, "utf-8", V2.split(","))):
        wanted = ["count(*)"]
        if whole:
            identity = "network_message_id" if "network_message_id" in columns else "MessageTraceId"
            wanted += [f"count(DISTINCT {identity})", *(f"max(length({name}))" for name in columns)]
        query = (
            f"SELECT {', '.join(wanted)} "
            f"FROM read_csv('{path}', header=true, all_varchar=true, encoding='{encoding}')"
        )
        print(f"  {path.name}: {duckdb.connect().execute(query).fetchone()[:2]}")  # type: ignore[index]
    return time.process_time() - before


def audit_cost(folder: Path) -> tuple[float, int]:
    """Audit the folder in a process of its own; give its seconds of the processor and its peak memory in octets."""
    with tempfile.TemporaryDirectory() as out:
        command = [sys.executable, "-m", "portero", "audit", str(folder), "--out", out]
        # An installed program has its byte code; where none may be written the figure would hold its compiling.
        environ = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        subprocess.run([*command[:3], "--help"], env=environ, stdout=subprocess.DEVNULL, check=True)
        process = subprocess.Popen(command, env=environ, stdout=subprocess.DEVNULL)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise SystemExit(f"the audit ended with {process.returncode}")
    return used.ru_utime + used.ru_stime, used.ru_maxrss * 1024


def main(folder: Path, mails: int) -> None:
    """Print both figures, their ratio and the peak of memory."""
    wide, v2 = folder / "enhanced.csv", folder / "v2.csv"
    if not v2.exists():
        folder.mkdir(parents=True, exist_ok=True)
        write_exports(folder, mails)
    print("rows, different mails:")
    engine = engine_seconds(wide, v2, whole=True)
    bare = engine_seconds(wide, v2, whole=False)
    audit, octets = audit_cost(folder)
    print(f"engine reads every column and counts rows and mails  {engine:7.2f} s")
    print(f"engine counts rows                                   {bare:7.2f} s")
    print(f"audit, whole process                                 {audit:7.2f} s")
    print(f"audit / engine   {audit / engine:.1f}   (bar: {BAR})   audit / bare count   {audit / bare:.1f}")
    print(f"peak memory      {octets / 1e6:.0f} MB   (bar: {BAR_OCTETS / 1e6:.0f} MB)")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1_000_000)
