"""
The relay against Postfix in one run: delivered messages per second and CPU per message, on the loopback.

Needs root, postfix with smtp-source and smtp-sink, and a machine that is otherwise quiet; what else runs is printed.
    python benchmarks/relay_postfix.py --quick
    python benchmarks/relay_postfix.py --repeats 3
Each cell: smtp-source sends, smtp-sink receives, both on this machine; with TLS a source of our own sends, since
smtp-source has none. Every number of sessions, reconnecting and kept open; at 50 also with DKIM and with TLS. Accepted is counted when smtp-source is done
(every message answered 250 is durable by then); delivered when the queue is empty. CPU is that of the server's
processes alone, user and system, from /proc. All take turns, so that they meet the same neighbours; medians are given.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import shutil
import signal
import socket
import ssl
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
smtpd_tls_security_level = may
smtpd_tls_cert_file = {pem}
smtpd_tls_key_file = {pem}
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
tls = "offered"
certificate = "{pem}"
key = "{pem}"
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
    (place / "conf" / "main.cf").write_text(MAIN.format(place=place, sink=sink, pem=folder / "tls.pem"))
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
    (place / "relay.toml").write_text(
        RELAY.format(place=place, port=port, sink=sink, more=more, pem=folder / "tls.pem")
    )
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


def measure(target: Target, sessions: int, size: int, number: int, *, kept: bool, tls: bool = False) -> Cell:
    before, start = target.cpu(), time.monotonic()
    if tls:
        words = [
            sys.executable,
            __file__,
            "--tls-source",
            f"{target.port},{sessions},{number},{size},{kept:d}",
        ]
    else:
        words = ["smtp-source", *(["-d"] if kept else [])]
        words += ["-s", str(sessions), "-m", str(number), "-l", str(size)]
        words += ["-f", "scanner@bench.test", "-t", "user@example.test", f"127.0.0.1:{target.port}"]
    subprocess.run(words, check=True, timeout=600)
    accepted = time.monotonic() - start
    while not target.empty():
        time.sleep(0.01)
    delivered = time.monotonic() - start
    return Cell(number / accepted, number / delivered, (target.cpu() - before) * 1000 / number)


async def tls_source(port: int, sessions: int, number: int, size: int, *, kept: bool) -> None:
    """Send messages as smtp-source does, behind STARTTLS; every reconnection is a whole handshake."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    line = b"x" * 78 + b"\r\n"
    text = b"From: <scanner@bench.test>\r\nSubject: x\r\n\r\n" + line * (size // len(line)) + b".\r\n"
    left = iter(range(number))

    async def say(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter, words: bytes, code: bytes
    ) -> None:
        writer.write(words)
        while (reply := await reader.readline())[3:4] == b"-":
            pass
        if not reply.startswith(code):
            raise SystemExit(f"{words[:40]!r} was answered {reply!r}")

    async def one_session() -> None:
        line: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        for _ in left:
            if line is None:
                line = await asyncio.open_connection("127.0.0.1", port)
                await say(*line, b"", b"220")
                await say(*line, b"EHLO bench.test\r\n", b"250")
                await say(*line, b"STARTTLS\r\n", b"220")
                await line[1].start_tls(context)
                await say(*line, b"EHLO bench.test\r\n", b"250")
            for words, code in (
                (b"MAIL FROM:<scanner@bench.test>\r\n", b"250"),
                (b"RCPT TO:<user@example.test>\r\n", b"250"),
                (b"DATA\r\n", b"354"),
                (text, b"250"),
            ):
                await say(*line, words, code)
            if not kept:
                await say(*line, b"QUIT\r\n", b"221")
                line[1].transport.abort()
                line = None

    await asyncio.gather(*(one_session() for _ in range(sessions)))


def certificate(folder: Path) -> None:
    """Make the certificate that both servers show, RSA of 2048 bits."""
    call = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-subj",
        "/CN=bench.test",
        "-days",
        "2",
    ]
    pem = folder / "tls.pem"
    subprocess.run([*call, "-keyout", pem, "-out", folder / "crt"], check=True, stderr=subprocess.DEVNULL)
    pem.write_text(pem.read_text() + (folder / "crt").read_text())


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
    words.add_argument("--quick", action="store_true", help="5 cells, one repeat")
    words.add_argument("--repeats", type=int, default=3)
    words.add_argument("--sizes", default="5120,102400,1048576")
    words.add_argument("--sessions", default="1,10,50,100")
    words.add_argument("--messages", type=int, default=2500, help="of 5 KiB in a cell; fewer of larger ones")
    words.add_argument("--tls-source", help=argparse.SUPPRESS)
    given = words.parse_args()
    if given.tls_source:
        port, sessions, number, size, kept = map(int, given.tls_source.split(","))
        asyncio.run(tls_source(port, sessions, number, size, kept=bool(kept)))
        return
    cells = [
        (size, each, kept, more)
        for size in map(int, given.sizes.split(","))
        for each in map(int, given.sessions.split(","))
        for kept in (False, True)
        for more in (("", "TLS") if each == 50 else ("",))
    ]
    if given.quick:
        cells = [(5120, 50, False, ""), (5120, 50, True, ""), (102400, 50, False, ""), (102400, 50, True, ""), (5120, 50, True, "TLS")]  # fmt: skip
        given.repeats = 1
    sink = free_port()
    with tempfile.TemporaryDirectory(prefix="portero-bench-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        certificate(folder)
        with subprocess.Popen(["smtp-sink", "-u", "nobody", f"127.0.0.1:{sink}", "1000"]) as sinking:
            try:
                wait_for(sink)
                with (
                    postfix(folder, sink) as other,
                    relay(folder, sink) as ours,
                    relay(folder, sink, "portero, DKIM", dkim(folder)) as signing,
                ):
                    compare(cells, other, ours, signing, given.repeats, given.messages)
            finally:
                sinking.terminate()


def compare(
    cells: list[tuple[int, int, bool, str]],
    other: Target,
    ours: Target,
    signing: Target,
    repeats: int,
    messages: int,
) -> None:
    """Measure each cell and print it: medians, and how often and how much of Postfix that is."""
    print(f"load of the machine before: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    print(
        "| KiB | sessions | kept | target | accepted/s | delivered/s | CPU ms/msg | delivered x | CPU / Postfix |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    for size, sessions, kept, more in cells:
        number = max(min(int(messages * (1 if sessions > 1 else 0.15) * (5120 / size) ** 0.6), messages), 60)
        targets = (other, ours, signing) if sessions == 50 and not more else (other, ours)
        seen: dict[str, list[Cell]] = {}
        for _ in range(repeats):
            for target in targets:
                found = measure(target, sessions, size, number, kept=kept, tls=bool(more))
                seen.setdefault(target.name, []).append(found)
        medians = {
            each: [
                statistics.median(getattr(cell, part) for cell in held)
                for part in ("accepted", "delivered", "cpu")
            ]
            for each, held in seen.items()
        }
        base = medians["postfix"]
        for each, (accepted, delivered, cpu) in medians.items():
            print(
                f"| {size // 1024} | {sessions} | {'yes' if kept else 'no'} | {each}{', TLS' if more else ''} | {accepted:.0f} | {delivered:.0f} | {cpu:.3f} | {delivered / base[1]:.1f} | {cpu / max(base[2], 1e-9):.3f} |",
                flush=True,
            )
    print(f"load of the machine after: {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
