"""
Measures `portero scan` with attachments opened: messages a second, and the memory of all its processes together.

    python benchmarks/message_scan.py CORPORA [--each 400] [--workers 2]

So many messages of each collection, as they are, go to a temporary folder. Memory is the proportional set size of the
command and all its children, in which what processes share counts once; Linux only.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from messages import SETS, collection


def tree(process: int) -> Iterator[int]:
    """Give a process and all below it."""
    yield process
    for task in Path(f"/proc/{process}/task").glob("*/children"):
        try:
            children = task.read_text().split()
        except OSError:
            continue
        for child in children:
            yield from tree(int(child))


def shared_out(process: int) -> int:
    """Give a process's proportional set size in octets, 0 where it has ended."""
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) << 10 for line in lines if line.startswith("Pss:"))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("corpora", type=Path)
    parser.add_argument("--each", type=int, default=400)
    parser.add_argument("--workers", type=int, default=2)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        mails = Path(place) / "mails"
        mails.mkdir()
        number = 0
        for name in SETS:
            for _, octets in islice(collection(chosen.corpora, name), chosen.each):
                (mails / f"{number:05}.eml").write_bytes(octets)
                number += 1
        out = Path(place) / "judged.jsonl"
        words = ("scan", str(mails), "--workers", str(chosen.workers), "--out", str(out))
        start = time.perf_counter()
        with subprocess.Popen([sys.executable, "-m", "portero", *words], stdout=subprocess.DEVNULL) as run:
            peaks: dict[int, int] = {}
            peak = 0
            while run.poll() is None:
                held = {each: shared_out(each) for each in tree(run.pid)}
                peak = max(peak, sum(held.values()))
                peaks |= {each: max(size, peaks.get(each, 0)) for each, size in held.items()}
                time.sleep(0.1)
        took = time.perf_counter() - start
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        lines = len(out.read_text("utf-8").splitlines())
    print(
        f"{lines} messages in {took:.1f} s by the clock, {lines / took:.0f} a second, {chosen.workers} workers"
    )
    print(
        f"{used.ru_utime + used.ru_stime:.1f} s of the processor, {lines / (used.ru_utime + used.ru_stime):.0f} a second"
    )
    print(f"{peak / 2**20:.0f} MiB at most in all {len(peaks)} processes together")
    print("the largest of each:", ", ".join(f"{size / 2**20:.0f}" for size in sorted(peaks.values())[::-1]))


if __name__ == "__main__":
    main()
