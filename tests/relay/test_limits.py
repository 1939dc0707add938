"""Named limits under abuse: memory stays bounded, and others are still served."""

from __future__ import annotations

import contextlib
import resource
import selectors
import socket
import time
from pathlib import Path

import pytest

from support.relay import MESSAGE, Device, Relay, hop, running


def resident_octets(relay: Relay) -> int:
    for line in Path(f"/proc/{relay.process.pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise AssertionError("no such process")


def test_a_line_without_end_takes_no_memory(tmp_path: Path) -> None:
    """aiosmtpd 1.4.6 keeps all of it; so did nobody notice."""
    with hop() as far, running(tmp_path, far.port) as relay, Device(relay.port) as device:
        before = resident_octets(relay)
        for _ in range(500):
            device.send(b"x" * 100_000)
        device.send(b"\r\n")
        assert device.reply().startswith("500")
        assert resident_octets(relay) - before < 20_000_000


def test_a_message_without_line_end_or_end_takes_no_memory(tmp_path: Path) -> None:
    with (
        hop() as far,
        running(tmp_path, far.port, listener="size_octets = 1000000") as relay,
        Device(relay.port) as device,
    ):
        for line in ("MAIL FROM:<scan@inside.test>", "RCPT TO:<a@inside.test>", "DATA"):
            device.ask(line)
        before = resident_octets(relay)
        device.send(b"From: scan@inside.test\r\n\r\n")
        for _ in range(500):
            device.send(b"y" * 100_000)
        device.send(b"\r\n.\r\n")
        assert device.reply().startswith("552 5.3.4")
        assert resident_octets(relay) - before < 20_000_000
        assert not list((tmp_path / "spool" / "bodies").iterdir())


def test_a_client_that_never_reads_takes_no_memory(tmp_path: Path) -> None:
    with hop() as far, running(tmp_path, far.port, listener="idle_commands = 100000000") as relay:
        with Device(relay.port) as device:
            before = resident_octets(relay)
            device.line.settimeout(0.5)
            with contextlib.suppress(TimeoutError, ConnectionError):
                for _ in range(300):
                    device.send(b"NOOP\r\n" * 10_000)
            assert resident_octets(relay) - before < 30_000_000
        with Device(relay.port) as device:
            assert device.mail(MESSAGE, "a@inside.test").startswith("250")


def test_ten_thousand_connections(tmp_path: Path) -> None:
    wanted = 10_000
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < wanted + 500:
        pytest.skip(f"this system allows {hard} open files")
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted + 500, hard))
    try:
        with hop() as far, running(tmp_path, far.port, listener="connections = 9000") as relay:
            before = resident_octets(relay)
            lines = []
            for n in range(wanted):
                line = socket.socket()
                # A client is known by its address, so there must be many of them.
                line.bind((f"127.{1 + n // 2500}.{n // 25 % 100}.1", 0))
                line.setblocking(False)
                line.connect_ex(("127.0.0.1", relay.port))
                lines.append(line)
                if n % 200 == 199:
                    time.sleep(0.05)
            greeted = refused = 0
            with selectors.DefaultSelector() as selector:
                for line in lines:
                    selector.register(line, selectors.EVENT_READ)
                end = time.monotonic() + 60
                while greeted + refused < wanted and time.monotonic() < end:
                    for key, _ in selector.select(1.0):
                        with contextlib.suppress(OSError):
                            word = key.fileobj.recv(3)  # type: ignore[union-attr]  # a socket
                            greeted += word == b"220"
                            refused += word != b"220"
                        selector.unregister(key.fileobj)
            each = (resident_octets(relay) - before) / max(greeted, 1)
            print(f"{greeted} greeted, {refused} refused, {each / 1024:.1f} KiB each")  # noqa: T201
            assert greeted >= 8_900
            assert refused >= 900
            assert each < 30_000
            for line in lines:
                line.close()
            time.sleep(1)
            with Device(relay.port) as device:
                assert device.mail(MESSAGE, "a@inside.test").startswith("250")
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_the_message_of_the_issue(tmp_path: Path) -> None:
    """UTF-8 names, eight-bit body, thirty megabytes, the null sender, two hundred recipients of which three fail."""
    bad = {f"u{n}@inside.test" for n in (7, 77, 177)}
    content = (
        (
            "From: Escáner <scan@inside.test>\r\nSubject: Páginas\r\nMessage-ID: <x@y>\r\nDate: x\r\nMIME-Version: 1.0\r\n"
            "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
        ).encode()
        + "línea de ochenta octetos, más o menos, para llegar a los treinta megas\r\n".encode() * 410_000
    )
    with hop() as far, running(tmp_path, far.port) as relay, Device(relay.port) as device:
        far.answers |= {f"RCPT {each}": "550 5.1.1 nobody" for each in bad}
        recipients = [f"u{n}@inside.test" for n in range(200)]
        assert len(content) > 30_000_000
        assert device.mail(content, *recipients, sender="", words=" SMTPUTF8 BODY=8BITMIME").startswith("250")
        got = far.wait(2, 60)
    first = max(got, key=lambda each: len(each.content))
    assert set(first.recipients) == set(recipients) - bad
    assert "SMTPUTF8" in first.mail
    assert first.content.endswith(content)
    [notice] = [each for each in got if each is not first]
    assert notice.recipients == ["owner@inside.test"]
    assert all(each.encode() in notice.content for each in bad)
