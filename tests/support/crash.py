"""The crash harness: a relay under load that is killed again and again, and the count of what became of its mail."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import random
import re
import select
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from portero.relay.spool import Reader
from support.relay import CONFIG, Device, Hop, hop

# Forks a relay that has everything imported, so that a thousand starts take minutes and not hours.
NURSERY = """
import ctypes, json, os, sys
from pathlib import Path
from portero.relay import service, use_cases
from portero.relay.settings import load_settings
import msal, uvloop
shim = ctypes.CDLL(None)
use_cases.logging_to(sys.stderr)
for line in sys.stdin:
    config, at, action, moment, length = json.loads(line)
    child = os.fork()
    if child == 0:
        try:
            sys.stdin.close()
            shim.crash_arm(ctypes.c_long(at), action, moment, ctypes.c_long(length))
            service.serve(load_settings(Path(config)), lambda ports: print("ready", os.getpid(), flush=True))
        except BaseException:
            import traceback
            traceback.print_exc()
        os._exit(0)
    print("child", child, flush=True)
    print("died", os.waitpid(child, 0)[1], flush=True)
"""
KILL, NO_SPACE, IO_ERROR = 0, 1, 2
BEFORE, AFTER, TORN = 0, 1, 2


@dataclass
class Count:
    """
    What was seen over all lives of the relay.

    kept:  what the queue still held behind the last kill; answered but neither arrived nor kept then is lost for certain.
    """

    lives: int = 0
    kills: int = 0
    sites: Counter[str] = field(default_factory=Counter)
    disk_errors: int = 0
    answered: dict[str, str] = field(default_factory=dict)
    refused: Counter[str] = field(default_factory=Counter)
    arrived: Counter[str] = field(default_factory=Counter)
    damaged: list[str] = field(default_factory=list)
    kept: set[str] = field(default_factory=set)
    lost_at_the_last_kill: set[str] = field(default_factory=set)

    @property
    def lost(self) -> set[str]:
        return set(self.answered) - set(self.arrived)

    @property
    def repeated(self) -> int:
        return sum(number - 1 for number in self.arrived.values())


def compile_shim(folder: Path) -> Path:
    """Compile the shim. Raises CalledProcessError."""
    made = folder / "crash.so"
    source = Path(__file__).with_name("crash.c")
    subprocess.run(["gcc", "-shared", "-fPIC", "-O1", "-Wall", "-o", made, source, "-ldl"], check=True)
    return made


@contextlib.contextmanager
def nursery(folder: Path) -> Iterator[subprocess.Popen[str]]:
    environ = {**os.environ, "LD_PRELOAD": str(compile_shim(folder)), "CRASH_FOLDER": str(folder / "spool")}
    with (folder / "log").open("a") as log, subprocess.Popen(
        [sys.executable, "-c", NURSERY], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True, bufsize=1, env=environ
    ) as process:  # fmt: skip
        try:
            yield process
        finally:
            assert process.stdin is not None
            process.stdin.close()


def crash(folder: Path, kills: int, *, seed: int = 1) -> Count:
    """Kill a relay so many times under load, let it finish, and count."""
    total, chance = Count(), random.Random(seed)
    listen = _fixed_port()
    stop = threading.Event()
    with hop() as far, nursery(folder) as process:
        words = {"listener": "", "device": "", "way": "sessions = 3", "more": ""}
        config = CONFIG.format(folder=folder, port=far.port, **words).replace(
            "127.0.0.1:0", f"127.0.0.1:{listen}"
        )
        (folder / "relay.toml").write_text(config)
        senders = [
            threading.Thread(target=_load, args=(listen, seed * 1000 + n, total, stop)) for n in range(6)
        ]
        for each in senders:
            each.start()
        try:
            for number in range(kills):
                _life(process, folder, total, chance, number)
        finally:
            stop.set()
            for each in senders:
                each.join()
        _look_at_the_dead(folder, far, total)
        _finish(process, folder)
        for got in far.got:
            _weigh(total, got.content)
    total.sites.update(
        re.findall(r"^crash (\w+ \w+ /[\w.-]*)", (folder / "log").read_text("utf-8", "replace"), re.MULTILINE)
    )
    return total


def _fixed_port() -> int:
    """Give a port below those the system gives out: a device that knocks while the relay is dead would meet itself there."""
    for port in random.Random(os.getpid()).sample(range(20_000, 32_000), 50):
        with socket.socket() as held, contextlib.suppress(OSError):
            held.bind(("127.0.0.1", port))
            return port
    raise AssertionError("no port is free")


def _life(
    process: subprocess.Popen[str], folder: Path, total: Count, chance: random.Random, number: int
) -> None:
    """Let a relay live until it is killed: at its n-th change of a file, at a random moment, or behind disk errors."""
    sort = number % 5
    total.lives += 1
    if sort < 3:
        # Every change in turn, from the first of the start on, each before, behind and within.
        order = number // 5 * 3 + sort
        child = _start(process, folder, order // 3 % 120 + 1, KILL, order % 3, 1)
        if not _died(process, 1.5):
            # On a busy machine it may come to its end between the two.
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
            _died(process, 10.0)
        total.kills += 1
        return
    if sort == 3:
        child = _start(process, folder, 0, KILL, BEFORE, 0)
        time.sleep(chance.uniform(0.0, 0.6))
    else:
        kind = NO_SPACE if number % 2 else IO_ERROR
        child = _start(process, folder, chance.randrange(40, 200), kind, BEFORE, chance.randrange(1, 30))
        total.disk_errors += 1
        _died(process, chance.uniform(0.5, 1.0))
    with contextlib.suppress(ProcessLookupError):
        os.kill(child, signal.SIGKILL)
    total.kills += 1
    _died(process, 10.0)


def _start(
    process: subprocess.Popen[str], folder: Path, at: int, action: int, moment: int, length: int
) -> int:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(json.dumps([str(folder / "relay.toml"), at, action, moment, length]) + "\n")
    words = process.stdout.readline().split()
    while words[0] != "child":
        words = process.stdout.readline().split()
    return int(words[1])


def _died(process: subprocess.Popen[str], seconds: float) -> bool:
    """Wait for the end of a life, so long."""
    assert process.stdout is not None
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        if not select.select([process.stdout], [], [], left)[0]:
            return False
        line = process.stdout.readline()
        assert line, "the nursery is gone"
        if line.startswith("died"):
            return True
    return False


def _look_at_the_dead(folder: Path, far: Hop, total: Count) -> None:
    """Count while nobody lives: what was answered 250 lies at the next hop or in the queue, and nowhere else."""
    end = time.monotonic() + 30
    while far.open and time.monotonic() < end:
        time.sleep(0.05)
    assert not far.open
    arrived = {name for got in far.got if (name := _name(got.content)) is not None}
    total.kept = {
        envelope.message_id[1:-1]
        for envelope in Reader(folder / "spool").messages((), 1_000_000)
        if envelope.message_id.endswith("@load.test>")
    }
    total.lost_at_the_last_kill = set(total.answered) - arrived - total.kept


def _finish(process: subprocess.Popen[str], folder: Path) -> None:
    """Run undisturbed until nothing waits; a busy machine has time as long as the queue gets shorter."""
    child = _start(process, folder, 0, KILL, BEFORE, 0)
    reader, least, end = Reader(folder / "spool"), 1_000_000, time.monotonic() + 60
    while time.monotonic() < end:
        time.sleep(0.3)
        with contextlib.suppress(sqlite3.Error):
            left = sum(reader.count().values())
            if not left:
                break
            if left < least:
                least, end = left, time.monotonic() + 60
    left = reader.messages()
    os.kill(child, signal.SIGTERM if not left else signal.SIGKILL)
    assert _died(process, 30)
    assert not left, f"what was answered 250 still waits: {left[:5]}"


def _load(port: int, seed: int, total: Count, stop: threading.Event) -> None:
    """Be a device that never tires: note each message that was answered 250, and why others were not."""
    chance, number = random.Random(seed), 0
    while not stop.is_set():
        try:
            with Device(port) as device:
                device.line.settimeout(10)
                while not stop.is_set():
                    number += 1
                    name = f"{seed}.{number}@load.test"
                    size = 400_000 if chance.random() < 0.03 else chance.randrange(10, 20_000)
                    body = chance.randbytes(size // 2).hex().encode()
                    lines = b"\r\n".join(body[at : at + 70] for at in range(0, len(body), 70)) + b"\r\n.x\r\n"
                    content = (
                        f"From: scan@inside.test\r\nDate: x\r\nMessage-ID: <{name}>\r\n\r\n".encode() + lines
                    )
                    reply = device.mail(content, "a@inside.test")
                    if reply.startswith("250"):
                        total.answered[name] = hashlib.sha256(content).hexdigest()
                    else:
                        total.refused[reply[:9] or "gone"] += 1
                        if not reply:
                            break
                        device.ask("RSET")
        except OSError:
            time.sleep(0.02)


_TRACE = re.compile(rb"\AX-Portero-Relay: [^\r\n]*\r\nReceived: (?:[^\r\n]|\r\n\t)*\r\n")


def _name(content: bytes) -> str | None:
    """Give the name a device of ours gave to a message, or None for a notice."""
    found = re.search(rb"^Message-ID: <(.*?)>", content, re.MULTILINE)
    return None if found is None or b"delivery-status" in content[:2000] else found[1].decode()


def _weigh(total: Count, content: bytes) -> None:
    name = _name(content)
    if name is None:
        return
    total.arrived[name] += 1
    wanted = total.answered.get(name)
    # What was never answered 250 may arrive all the same: the answer was lost with the process.
    if wanted is not None and hashlib.sha256(_TRACE.sub(b"", content)).hexdigest() != wanted:
        total.damaged.append(name)
