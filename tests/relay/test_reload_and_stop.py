"""A relay at work is told to read its configuration anew, and to stop: nothing is lost, and nothing is sent twice."""

from __future__ import annotations

import contextlib
import shutil
import signal
import smtplib
import socket
import ssl
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from portero.relay.audit import verify
from portero.relay.spool import Reader
from support.certificates import Authority
from support.relay import MESSAGE, Device, Got, Relay, hop, running


@dataclass
class Load:
    """What devices that never tire were answered 250 for."""

    answered: set[str] = field(default_factory=set)
    over: threading.Event = field(default_factory=threading.Event)


@contextlib.contextmanager
def load(port: int, devices: int = 6) -> Iterator[Load]:
    """Send from so many devices until the block ends."""
    seen = Load()

    def send(name: int) -> None:
        number = 0
        while not seen.over.is_set():
            with contextlib.suppress(OSError), Device(port) as device:
                while not seen.over.is_set():
                    number += 1
                    recipient = f"d{name}.{number}@inside.test"
                    reply = device.mail(MESSAGE, recipient)
                    if reply.startswith("250"):
                        seen.answered.add(recipient)
                    elif not reply or reply.startswith("421"):
                        break
            time.sleep(0.01)

    threads = [threading.Thread(target=send, args=(n,)) for n in range(devices)]
    for each in threads:
        each.start()
    try:
        yield seen
    finally:
        seen.over.set()
        for each in threads:
            each.join()


def times(got: list[Got]) -> Counter[str]:
    return Counter(recipient for each in got for recipient in each.recipients)


def until_empty(relay: Relay, seconds: float = 60.0) -> None:
    reader, end = Reader(relay.folder / "spool"), time.monotonic() + seconds
    while reader.count() and time.monotonic() < end:
        time.sleep(0.05)
    assert not reader.count()


def signalled(relay: Relay, word: str, times: int) -> None:
    """Send SIGHUP, and wait until the log says for the n-th time what became of it."""
    relay.process.send_signal(signal.SIGHUP)
    end = time.monotonic() + 20
    while relay.log.count(f'"{word}"') < times and time.monotonic() < end:
        time.sleep(0.02)
    assert relay.log.count(f'"{word}"') == times, relay.log[-2000:]


def test_a_stop_under_load_repeats_and_loses_nothing(tmp_path: Path) -> None:
    with hop() as far:
        with running(tmp_path, far.port) as relay, load(relay.port) as seen:
            far.wait(20)
            began = time.monotonic()
            assert relay.stop() == 0
            took = time.monotonic() - began
        assert took < 25, "two times ten seconds are what the parts may take together"
        assert verify(tmp_path / "spool" / "audit.jsonl").broken == ()
        assert not (tmp_path / "spool" / "control.json").exists()
        left = len(Reader(tmp_path / "spool").messages((), 100_000))
        with running(tmp_path, far.port) as relay:
            until_empty(relay)
            assert relay.stop() == 0
    assert len(seen.answered) > 20
    assert times(far.got) == dict.fromkeys(seen.answered, 1), f"{left} were left for the next start"
    assert "Traceback" not in relay.log


def test_reloads_under_load_lose_and_repeat_nothing(tmp_path: Path) -> None:
    """Each one takes the way out from under the mail that waits for it, and puts another in its place."""
    with hop() as far, running(tmp_path, far.port, way="sessions = 2") as relay:
        config = tmp_path / "relay.toml"
        text = config.read_text()
        with load(relay.port) as seen:
            for n in range(10):
                far.wait(len(far.got) + 5)
                config.write_text(
                    text.replace('name = "hop"', f'name = "hop{n}"').replace("= 2", f"= {n % 3 + 1}")
                )
                signalled(relay, "reloaded", n + 1)
        until_empty(relay)
        assert relay.stop() == 0
    assert len(seen.answered) > 50
    assert times(far.got) == dict.fromkeys(seen.answered, 1)
    assert "Traceback" not in relay.log


def fingerprint(port: int, authority: Authority) -> bytes | None:
    context = ssl.create_default_context(cafile=str(authority.path))
    with smtplib.SMTP("localhost", port, timeout=20) as client:
        client.starttls(context=context)
        assert isinstance(client.sock, ssl.SSLSocket)
        return client.sock.getpeercert(binary_form=True)


def test_what_a_reload_takes_and_what_it_leaves(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    certificate, key = tmp_path / "door.pem", tmp_path / "door.key"

    def renew() -> None:
        pair = authority.pair("localhost", "127.0.0.1")
        shutil.copy(pair.certificate, certificate)
        shutil.copy(pair.key, key)

    renew()
    (tmp_path / "word").write_text("first")
    listener = f'tls = "offered"\ncertificate = "{certificate}"\nkey = "{key}"\nlogin = true'
    more = f'[[login]]\nuser = "erp"\npassword = {{ file = "{tmp_path}/word" }}\n'
    with hop() as one, hop() as two, running(tmp_path, one.port, listener=listener, more=more) as relay:
        first = fingerprint(relay.port, authority)
        with Device(relay.port) as device:
            assert device.mail(MESSAGE, "a@inside.test").startswith("250")
            assert one.wait(1)
            # A certificate that does not fit its key: all stays as it is, the way too.
            shutil.copy(authority.pair("stray").certificate, certificate)
            config = tmp_path / "relay.toml"
            text = config.read_text()
            changed = text.replace(f"port = {one.port}", f"port = {two.port}")
            config.write_text(changed)
            signalled(relay, "reload-refused", 1)
            assert fingerprint(relay.port, authority) == first
            assert device.mail(MESSAGE, "b@inside.test").startswith("250")
            assert len(one.wait(2)) == 2
            renew()
            (tmp_path / "word").write_text("second")
            config.write_text(changed.replace('hostname = "relay.test"', 'hostname = "other.test"'))
            signalled(relay, "reloaded", 1)
            # The line that was open to the old far side is not used any longer, though it never was idle.
            assert device.mail(MESSAGE, "c@inside.test").startswith("250")
            [got] = two.wait(1)
        assert b"by relay.test (portero)" in got.content, "a name is kept until the restart"
        assert '"needs-restart"' in relay.log
        assert "hostname" in relay.log
        assert first != fingerprint(relay.port, authority) is not None
        context = ssl.create_default_context(cafile=str(authority.path))
        for word, good in (("first", False), ("second", True)):
            with smtplib.SMTP("localhost", relay.port, timeout=20) as client:
                client.starttls(context=context)
                with contextlib.suppress(smtplib.SMTPAuthenticationError):
                    assert (client.login("erp", word)[0] == 235) is good
                    continue
                assert not good
        assert relay.stop() == 0


def test_a_certificate_that_is_gone_defers_and_does_not_hold_mail_until_the_next_start(
    tmp_path: Path,
) -> None:
    """The way's certificate is read when a line is opened; between start and then it may have been taken away."""
    authority = Authority(tmp_path)
    pair = authority.pair("relay.test")
    certificate = tmp_path / "client.pem"
    shutil.copy(pair.certificate, certificate)
    way = f'client_certificate = "{certificate}"\nclient_key = "{pair.key}"\nsessions = 1'
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        closed = unused.getsockname()[1]
    with hop() as far, running(tmp_path, closed, way=way) as relay:
        config = tmp_path / "relay.toml"
        text = config.read_text()
        certificate.unlink()
        config.write_text(text.replace('tls = "none"', 'tls = "starttls"'))
        # Without its certificate this configuration is refused as a whole, so the relay is told before.
        certificate.touch()
        signalled(relay, "reloaded", 1)
        with Device(relay.port) as device:
            assert device.mail(MESSAGE, "a@inside.test").startswith("250")
        end = time.monotonic() + 20
        while '"way-unusable"' not in relay.log and time.monotonic() < end:
            time.sleep(0.05)
        assert '"way-unusable"' in relay.log
        config.write_text(text.replace(f"port = {closed}", f"port = {far.port}"))
        shutil.copy(pair.certificate, certificate)
        signalled(relay, "reloaded", 2)
        assert far.wait(1, 30)
        until_empty(relay)
