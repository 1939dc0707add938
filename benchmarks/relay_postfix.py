"""
The relay against Postfix in one run: delivered messages per second and CPU per message, on the loopback.

Needs root, postfix with smtp-source and smtp-sink, and a machine that is otherwise quiet; what else runs is printed.
    python benchmarks/relay_postfix.py --quick
    python benchmarks/relay_postfix.py --repeats 3
Each cell: smtp-source sends, smtp-sink receives, both on this machine. Accepted is counted when smtp-source is done
(every message answered 250 is durable by then); delivered when the queue is empty. CPU is that of the server's
processes alone, user and system, from /proc. The two take turns, so that both meet the same neighbours.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

TICK = os.sysconf("SC_CLK_TCK")
MAIN = """
compatibility_level = 3.6
queue_directory = {place}/queue
data_directory = {place}/data
maillog_file = {place}/maillog
maillog_file_prefixes = {place}
myhostname = postfix.test
mydestination =
mynetworks = 127.0.0.0/8
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
disable_dns_lookups = yes
relayhost = [127.0.0.1]:{sink}
in_flow_delay = 0
smtpd_client_connection_count_limit = 0
smtpd_peername_lookup = no
default_process_limit = 100
smtp_destination_concurrency_limit = 50
default_destination_concurrency_limit = 50
initial_destination_concurrency = 50
message_size_limit = 50000000
"""
SERVICES = """127.0.0.1:{port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
error unix - - n - - error
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
tlsmgr unix - - n 1000? 1 tlsmgr
showq unix n - n - - showq
"""
RELAY = """
[relay]
hostname = "relay.test"
spool = "{place}/spool"
accepted_domains = ["example.test"]
free_octets = 0
[[listener]]
address = "127.0.0.1:{port}"
connections_per_client = 200
[[device]]
name = "scanner"
cidr = ["127.0.0.0/8"]
mail_from = ["scanner@bench.test"]
[[way]]
name = "sink"
kind = "smarthost"
host = "127.0.0.1"
port = {sink}
tls = "none"
sessions = 20
{more}
"""
RUN = """
import sys
from pathlib import Path
from portero.relay.service import serve
from portero.relay.settings import load_settings
serve(load_settings(Path(sys.argv[1])), lambda ports: print("ready", flush=True))
"""


@dataclass
class Target:
    """A server: its port, its first process, and how to see that its queue is empty."""

    name: str
    port: int
    process: int
    queues: tuple[Path, ...] = ()
    spool: Path | None = None

    def cpu(self) -> float:
        """Give the seconds of CPU of the process, its children, and those that have ended."""
        parents: dict[int, list[int]] = {}
        times: dict[int, tuple[int, int]] = {}
        for path in Path("/proc").iterdir():
            if path.name.isdigit():
                with contextlib.suppress(OSError):
                    words = (path / "stat").read_text().rpartition(")")[2].split()
                    parents.setdefault(int(words[1]), []).append(int(path.name))
                    times[int(path.name)] = (int(words[11]) + int(words[12]), int(words[13]) + int(words[14]))
        wanted, total = [self.process], 0
        while wanted:
            number = wanted.pop()
            total += sum(times.get(number, (0, 0)))
            wanted += parents.get(number, [])
        return total / TICK

    def empty(self) -> bool:
        if self.spool is not None:
            from portero.relay.spool import Reader

            return not Reader(self.spool).count()
        return not any(path.is_file() for queue in self.queues for path in queue.rglob("*"))


def free_port() -> int:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return int(held.getsockname()[1])


def wait_for(port: int) -> None:
    for _ in range(400):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.05)
    raise SystemExit(f"nobody listens on {port}")


@contextlib.contextmanager
def postfix(folder: Path, sink: int) -> Iterator[Target]:
    place, port = folder / "postfix", free_port()
    for each in ("conf", "queue", "data"):
        (place / each).mkdir(parents=True)
    shutil.chown(place / "data", "postfix")
    (place / "conf" / "main.cf").write_text(MAIN.format(place=place, sink=sink))
    (place / "conf" / "master.cf").write_text(SERVICES.format(port=port))
    call = ["postfix", "-c", str(place / "conf")]
    subprocess.run([*call, "start"], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(port)
        master = int((place / "queue" / "pid" / "master.pid").read_text())
        queues = tuple(place / "queue" / each for each in ("incoming", "active", "deferred", "maildrop"))
        yield Target("postfix", port, master, queues)
    finally:
        subprocess.run([*call, "stop"], check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


@contextlib.contextmanager
def relay(folder: Path, sink: int, name: str = "portero", more: str = "") -> Iterator[Target]:
    place, port = folder / name, free_port()
    place.mkdir()
    (place / "relay.toml").write_text(RELAY.format(place=place, port=port, sink=sink, more=more))
    with subprocess.Popen(
        [sys.executable, "-c", RUN, str(place / "relay.toml")],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            assert process.stdout is not None
            process.stdout.readline()
            yield Target(name, port, process.pid, spool=place / "spool")
        finally:
            process.send_signal(signal.SIGTERM)


@dataclass
class Cell:
    """One measurement: messages a second accepted and delivered, milliseconds of CPU a message."""

    accepted: float
    delivered: float
    cpu: float


def measure(target: Target, sessions: int, size: int, number: int, *, kept: bool) -> Cell:
    before, start = target.cpu(), time.monotonic()
    words = [
        "smtp-source",
        *(["-d"] if kept else []),
        "-s",
        str(sessions),
        "-m",
        str(number),
        "-l",
        str(size),
    ]
    words += ["-f", "scanner@bench.test", "-t", "user@example.test", f"127.0.0.1:{target.port}"]
    subprocess.run(words, check=True, timeout=300)
    accepted = time.monotonic() - start
    while not target.empty():
        time.sleep(0.01)
    delivered = time.monotonic() - start
    return Cell(number / accepted, number / delivered, (target.cpu() - before) * 1000 / number)


def dkim(folder: Path) -> str:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(65537, 2048)
    path = folder / "dkim.pem"
    form = serialization.PrivateFormat.PKCS8
    path.write_bytes(key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()))
    return f'[[dkim]]\ndomain = "bench.test"\nselector = "s"\nkey = {{ file = "{path}" }}\n'


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--quick", action="store_true", help="three cells, one repeat")
    words.add_argument("--repeats", type=int, default=3)
    words.add_argument("--sizes", default="5120,102400,1048576")
    words.add_argument("--sessions", default="1,10,50,100")
    given = words.parse_args()
    sizes = [int(each) for each in given.sizes.split(",")]
    cells = [
        (size, each, kept)
        for size in sizes
        for each in map(int, given.sessions.split(","))
        for kept in (False, True)
    ]
    if given.quick:
        cells, given.repeats = [(5120, 50, False), (5120, 50, True), (102400, 50, False)], 1
    sink = free_port()
    with tempfile.TemporaryDirectory(prefix="portero-bench-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        with subprocess.Popen(["smtp-sink", "-u", "nobody", f"127.0.0.1:{sink}", "1000"]) as sinking:
            try:
                wait_for(sink)
                with (
                    postfix(folder, sink) as other,
                    relay(folder, sink) as ours,
                    relay(folder, sink, "portero-dkim", dkim(folder)) as signing,
                ):
                    print(f"load of the machine before: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
                    print(
                        "| KiB | sessions | kept | target | accepted/s | delivered/s | CPU ms/msg | delivered x | CPU / Postfix |"
                    )
                    print("|---|---|---|---|---|---|---|---|---|")
                    for size, sessions, kept in cells:
                        number = max(
                            min(int(2_500 * (1 if sessions > 1 else 0.15) * (5120 / size) ** 0.6), 2500), 60
                        )
                        seen: dict[str, list[Cell]] = {}
                        for _ in range(given.repeats):
                            for target in (other, ours, signing):
                                seen.setdefault(target.name, []).append(
                                    measure(target, sessions, size, number, kept=kept)
                                )
                        base = seen["postfix"]
                        for target_name, held in seen.items():
                            middle = [
                                statistics.median(getattr(each, part) for each in held)
                                for part in ("accepted", "delivered", "cpu")
                            ]
                            delivered = middle[1] / statistics.median(each.delivered for each in base)
                            cpu = middle[2] / max(statistics.median(each.cpu for each in base), 1e-9)
                            print(
                                f"| {size // 1024} | {sessions} | {'yes' if kept else 'no'} | {target_name} | {middle[0]:.0f} | {middle[1]:.0f} | {middle[2]:.3f} | {delivered:.1f} | {cpu:.3f} |",
                                flush=True,
                            )
                    print(f"load of the machine after: {os.getloadavg()[0]:.1f}")
            finally:
                sinking.terminate()


if __name__ == "__main__":
    main()
