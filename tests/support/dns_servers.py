"""Real DNS on the loopback: an authoritative server (NSD), a resolver (Unbound), and one that misbehaves on purpose."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import dns.flags
import dns.message
import dns.query
import pytest

HOST = "127.0.0.1"


def free_port() -> int:
    """Find a port that is free for UDP and TCP."""
    for _ in range(20):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp, socket.socket() as tcp:
            udp.bind((HOST, 0))
            port: int = udp.getsockname()[1]
            with contextlib.suppress(OSError):
                tcp.bind((HOST, port))
                return port
    raise RuntimeError("no port is free")


def program(name: str) -> str:
    """Locate a server; skips aloud where it is not installed."""
    path = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")
    if path is None:
        pytest.skip(f"{name} is not installed; ./dev test installs it")
    return path


@contextlib.contextmanager
def running(command: list[str], port: int, question: str, folder: Path) -> Iterator[int]:
    """Run a server until it answers, and end it afterwards."""
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            for _ in range(100):
                with contextlib.suppress(OSError, dns.exception.Timeout):
                    dns.query.udp(dns.message.make_query(question, "SOA"), HOST, 0.2, port)
                    break
                if process.poll() is not None:
                    raise RuntimeError((folder / "server.log").read_text())
                time.sleep(0.05)
            else:
                raise RuntimeError(f"{command[0]} does not answer: {(folder / 'server.log').read_text()}")
            yield port
        finally:
            process.terminate()
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@contextlib.contextmanager
def authoritative(folder: Path, zones: Mapping[str, str]) -> Iterator[int]:
    """Serve zones, by apex, from lines of a zone file; gives the port."""
    nsd, port = program("nsd"), free_port()
    folder.mkdir()
    lines = [
        "server:", f"  ip-address: {HOST}@{port}", '  username: ""', f'  zonesdir: "{folder}"', '  database: ""',
        '  pidfile: ""', f'  xfrdfile: "{folder}/xfrd"', f'  zonelistfile: "{folder}/list"', f'  xfrdir: "{folder}"',
        "  server-count: 1", "  do-ip6: no", "remote-control:", "  control-enable: no",
    ]  # fmt: skip
    for apex, text in zones.items():
        head = f"$ORIGIN {apex}.\n$TTL 60\n@ SOA ns.{apex}. root.{apex}. 1 60 60 60 60\n@ NS ns.{apex}.\nns A {HOST}\n"
        (folder / f"{apex}.zone").write_text(head + text)
        lines += ["zone:", f'  name: "{apex}"', f'  zonefile: "{folder}/{apex}.zone"']
    (folder / "nsd.conf").write_text("\n".join(lines) + "\n")
    with running([nsd, "-d", "-c", str(folder / "nsd.conf")], port, next(iter(zones)), folder):
        yield port


@contextlib.contextmanager
def resolver(folder: Path, default: int, others: Mapping[str, int]) -> Iterator[int]:
    """Resolve by asking the server at port `default`, and others for the domains they are named for; gives the port."""
    unbound, port = program("unbound"), free_port()
    folder.mkdir()
    lines = [
        "server:", f"  interface: {HOST}@{port}", "  do-daemonize: no", '  username: ""', '  chroot: ""',
        f'  directory: "{folder}"', '  pidfile: ""', "  use-syslog: no", "  do-not-query-localhost: no",
        '  module-config: "iterator"', "  num-threads: 1", "  do-ip6: no", "  edns-buffer-size: 1232",
        "remote-control:", "  control-enable: no",
    ]  # fmt: skip
    # Every name is asked of a server of ours, so that nothing leaves this machine.
    for name, upstream in {".": default, **others}.items():
        lines += ["stub-zone:", f'  name: "{name}"', f"  stub-addr: {HOST}@{upstream}"]
    (folder / "unbound.conf").write_text("\n".join(lines) + "\n")
    with running([unbound, "-d", "-c", str(folder / "unbound.conf")], port, "contoso.com", folder):
        yield port


@contextlib.contextmanager
def misbehaving(answer: Callable[[dns.message.Message], bytes | None]) -> Iterator[int]:
    """Answer UDP with whatever a function gives, None for silence; there is no TCP. Gives the port."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.bind((HOST, free_port()))
        udp.settimeout(0.05)
        ended = threading.Event()

        def serve() -> None:
            while not ended.is_set():
                with contextlib.suppress(TimeoutError):
                    wire, client = udp.recvfrom(65535)
                    reply = answer(dns.message.from_wire(wire))
                    if reply is not None:
                        udp.sendto(reply, client)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield udp.getsockname()[1]
        finally:
            ended.set()
            thread.join()


def cut(query: dns.message.Message) -> bytes:
    """Answer with nothing but the sign that the answer was cut."""
    response = dns.message.make_response(query)
    response.flags |= dns.flags.TC
    return response.to_wire()
