"""
Measures an audit of DMARC reports in which very many addresses stand once each: `dmarc_crowd.py [ADDRESSES]`.

Every address sent one mail that failed, as a botnet that borrows a domain shows in reports. The audit runs in a process of
its own, from reading to all files written; counted are its seconds of the processor and its peak memory, imports included.

Measured on 2026-11-24 on two shared cores under load: 200,000 addresses 11.3 s and 464 MiB. Before the crowd was taken apart
ahead of making ways of sending of it, it was 33.5 s and 1,161 MiB with the same audit.json, but for its time.
"""

from __future__ import annotations

import random
import subprocess
import sys
import tempfile
from pathlib import Path

from dmarc_scan import HEAD, RECORD

CONFIG = '[organisation]\nname = "Contoso"\naccepted_domains = ["contoso.com"]\n'
EACH = 500
RUN = """
import resource, sys
from portero.__main__ import main
sys.argv = ["portero", "audit", sys.argv[1], "--out", sys.argv[2]]
try:
    main()
except SystemExit as end:
    if end.code:
        raise
spent = resource.getrusage(resource.RUSAGE_SELF)
print(f"\\n{spent.ru_utime + spent.ru_stime:.1f} s of the processor, {spent.ru_maxrss / 1024:.0f} MiB")
"""


def write_reports(folder: Path, addresses: int, chance: random.Random) -> None:
    """Write reports of five hundred records by forty receivers."""
    for number in range(0, addresses, EACH):
        with (folder / f"{number}.xml").open("w", encoding="utf-8") as file:
            file.write(
                HEAD.format(number=number).replace(f"Receiver {number}", f"Receiver {number // EACH % 40}")
            )
            for _ in range(min(EACH, addresses - number)):
                ip = ".".join(str(chance.randrange(1, 224)) for _ in range(4))
                file.write(RECORD.format(ip=ip, count=1, dkim="fail", spf="fail", to=chance.randrange(500)))
            file.write("</feedback>\n")


def main() -> None:
    """Print what the audit costs."""
    addresses = int(sys.argv[1]) if len(sys.argv) > 1 else 200_000
    with tempfile.TemporaryDirectory() as place:
        folder, out = Path(place, "evidence"), Path(place, "out")
        folder.mkdir()
        (folder / "portero.toml").write_text(CONFIG)
        write_reports(folder, addresses, random.Random(7))
        command = [sys.executable, "-c", RUN, str(folder), str(out)]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    print(f"{addresses} addresses: {done.stdout.splitlines()[-1]}")


if __name__ == "__main__":
    main()
