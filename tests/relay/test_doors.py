"""Listeners as devices meet them: STARTTLS, TLS from the first octet, old TLS, logins, certificates, balancers."""

from __future__ import annotations

import shutil
import smtplib
import socket
import ssl
import subprocess
import time
from pathlib import Path

import pytest

from support.certificates import Authority, Pair
from support.postfix import CI
from support.relay import MESSAGE, Relay, hop, running

TLS = 'tls = "{kind}"\ncertificate = "{pair.certificate}"\nkey = "{pair.key}"\n'


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def door(authority: Authority, kind: str, more: str = "") -> str:
    return TLS.format(kind=kind, pair=authority.pair("localhost", "127.0.0.1")) + more


def context(authority: Authority, pair: Pair | None = None) -> ssl.SSLContext:
    made = ssl.create_default_context(cafile=str(authority.path))
    if pair is not None:
        made.load_cert_chain(pair.certificate, pair.key)
    return made


def send(client: smtplib.SMTP, sender: str = "scan@inside.test") -> None:
    client.sendmail(sender, ["a@inside.test"], MESSAGE)


def test_starttls(authority: Authority, tmp_path: Path) -> None:
    with hop() as far, running(tmp_path, far.port, listener=door(authority, "required")) as relay:
        with smtplib.SMTP("localhost", relay.port, timeout=20) as client:
            with pytest.raises(smtplib.SMTPSenderRefused) as refused:
                send(client)
            assert refused.value.smtp_code == 530
            client.starttls(context=context(authority))
            client.ehlo()
            assert not client.has_extn("starttls")
            send(client)
        [got] = far.wait(1)
    assert b"with ESMTPS id " in got.content


def test_what_is_injected_before_tls_is_not_obeyed(authority: Authority, tmp_path: Path) -> None:
    """CVE-2011-0411 on the wire: the plaintext behind STARTTLS must never be answered behind the handshake."""
    with (
        hop() as far,
        running(tmp_path, far.port, listener=door(authority, "offered")) as relay,
        socket.create_connection(("127.0.0.1", relay.port), timeout=10) as line,
    ):
        line.recv(500)
        line.sendall(b"EHLO x\r\n")
        line.recv(500)
        line.sendall(b"STARTTLS\r\nMAIL FROM:<scan@inside.test>\r\nRCPT TO:<a@inside.test>\r\n")
        assert line.recv(500).startswith(b"220")
        with context(authority).wrap_socket(line, server_hostname="localhost") as tls:
            tls.settimeout(1.0)
            with pytest.raises(TimeoutError):
                tls.recv(100)
            tls.settimeout(10)
            tls.sendall(b"RCPT TO:<a@inside.test>\r\n")
            assert tls.recv(100).startswith(b"503")


def test_tls_from_the_first_octet(authority: Authority, tmp_path: Path) -> None:
    with hop() as far, running(tmp_path, far.port, listener=door(authority, "implicit")) as relay:
        with smtplib.SMTP_SSL("localhost", relay.port, timeout=20, context=context(authority)) as client:
            send(client)
            send(client)
        assert len(far.wait(2)) == 2


def test_a_handshake_that_fails_leaves_the_door_open(authority: Authority, tmp_path: Path) -> None:
    with hop() as far, running(tmp_path, far.port, listener=door(authority, "offered")) as relay:
        for _ in range(5):
            with socket.create_connection(("127.0.0.1", relay.port), timeout=10) as line:
                line.recv(500)
                line.sendall(b"EHLO x\r\nSTARTTLS\r\n")
                time.sleep(0.1)
                line.sendall(b"this is no handshake\r\n" * 10)
        with smtplib.SMTP("localhost", relay.port, timeout=20) as client:
            client.starttls(context=context(authority))
            send(client)
        assert far.wait(1)


def test_a_device_is_known_by_its_certificate(authority: Authority, tmp_path: Path) -> None:
    known, other = authority.pair("mfp.inside.test"), authority.pair("other.inside.test")
    rule = f'certificate = "sha256:{known.fingerprint}"\noutside = "refuse"'
    listener = door(authority, "offered", f'client_ca = "{authority.path}"')
    with hop() as far, running(tmp_path, far.port, listener=listener, device=rule) as relay:
        for pair, good in ((known, True), (other, False), (None, False)):
            with smtplib.SMTP("localhost", relay.port, timeout=20) as client:
                client.starttls(context=context(authority, pair))
                if good:
                    send(client)
                else:
                    with pytest.raises(smtplib.SMTPSenderRefused):
                        send(client)
        assert len(far.wait(1)) == 1


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
def test_a_device_is_known_by_its_login(authority: Authority, tmp_path: Path, mechanism: str) -> None:
    (tmp_path / "password").write_text("word\n")
    more = f'[[login]]\nuser = "scan"\npassword = {{ file = "{tmp_path}/password" }}\n'
    listener = door(authority, "offered", "login = true")
    with (
        hop() as far,
        running(tmp_path, far.port, listener=listener, device='login = "scan"', more=more) as relay,
    ):
        with smtplib.SMTP("localhost", relay.port, timeout=20) as client:
            client.ehlo()
            assert not client.has_extn("auth"), "no password is asked for in clear"
            client.starttls(context=context(authority))
            client.ehlo()
            client.user, client.password = "scan", "wrong"
            with pytest.raises(smtplib.SMTPAuthenticationError):
                client.auth(mechanism, getattr(client, f"auth_{mechanism.lower()}"))
            client.password = "word"
            client.auth(mechanism, getattr(client, f"auth_{mechanism.lower()}"))
            send(client)
        [got] = far.wait(1)
        assert "word" not in relay.log
    assert b"with ESMTPSA id " in got.content


def swaks(relay: Relay, *words: str) -> subprocess.CompletedProcess[str]:
    if shutil.which("swaks") is None:
        (pytest.fail if CI else pytest.skip)("not here: swaks; ./dev test installs it")
    call = [
        "swaks",
        "--server",
        f"127.0.0.1:{relay.port}",
        "--from",
        "scan@inside.test",
        "--to",
        "a@inside.test",
        *words,
    ]
    return subprocess.run(call, capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.parametrize(
    "words",
    [("--protocol", "SMTP"), ("--pipeline",), ("--helo", ""), ("--attach", "@/etc/hostname")],
    ids=["HELO alone", "pipelining", "no name", "attachment"],
)
def test_odd_devices(tmp_path: Path, words: tuple[str, ...]) -> None:
    # swaks names the author and everything else by itself.
    with hop() as far, running(tmp_path, far.port) as relay:
        done = swaks(relay, *words)
        assert done.returncode == 0, done.stdout
        assert far.wait(1)


def test_old_tls_for_a_named_device_alone(authority: Authority, tmp_path: Path) -> None:
    listener = door(authority, "offered", 'old_tls = true\nonly_from = ["127.0.0.1/32"]')
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.load_verify_locations(authority.path)
    old.set_ciphers("DEFAULT:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1
    with hop() as far, running(tmp_path, far.port, listener=listener) as relay:
        with smtplib.SMTP("localhost", relay.port, timeout=20) as client:
            client.starttls(context=old)
            assert client.sock.version() == "TLSv1"  # type: ignore[union-attr]  # connected
            send(client)
        assert far.wait(1)
        with socket.create_connection(
            ("127.0.0.1", relay.port), source_address=("127.0.0.9", 0), timeout=10
        ) as line:
            assert line.recv(100).startswith(b"554")


def test_new_listeners_speak_no_old_tls(authority: Authority, tmp_path: Path) -> None:
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.load_verify_locations(authority.path)
    old.set_ciphers("DEFAULT:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1
    with (
        hop() as far,
        running(tmp_path, far.port, listener=door(authority, "offered")) as relay,
        smtplib.SMTP("localhost", relay.port, timeout=20) as client,
        pytest.raises((ssl.SSLError, ConnectionError)),
    ):
        client.starttls(context=old)


def silent(line: socket.socket) -> bool:
    """Tell whether a connection ends without a word."""
    try:
        return line.recv(100) == b""
    except ConnectionResetError:
        return True


@pytest.mark.parametrize(
    "header",
    [
        b"PROXY TCP4 10.9.8.7 10.0.0.1 4000 25\r\n",
        b"\r\n\r\n\0\r\nQUIT\n!\x11\0\x0c\x0a\x09\x08\x07\x0a\0\0\x01\x0f\xa0\0\x19",
    ],
)
def test_a_balancer_says_who_is_there(tmp_path: Path, header: bytes) -> None:
    listener = 'proxy_from = ["127.0.0.1/32"]'
    with hop() as far, running(tmp_path, far.port, listener=listener, device='outside = "refuse"') as relay:
        config = tmp_path / "relay.toml"
        config.write_text(config.read_text().replace('cidr = ["127.0.0.0/8"]', 'cidr = ["10.9.8.0/24"]'))
        relay.process.send_signal(1)
        time.sleep(0.5)
        with (
            socket.create_connection(("127.0.0.1", relay.port), timeout=10) as line,
            line.makefile("rb") as file,
        ):
            for at in range(len(header)):
                line.sendall(header[at : at + 1])
            assert file.readline().startswith(b"220")
            line.sendall(b"HELO x\r\nMAIL FROM:<scan@inside.test>\r\n")
            file.readline()
            assert file.readline().startswith(b"250")
        # Whoever is no balancer, and a balancer that says nothing of the kind, gets no answer.
        with socket.create_connection(
            ("127.0.0.1", relay.port), source_address=("127.0.0.2", 0), timeout=10
        ) as line:
            line.sendall(header)
            assert silent(line)
        with socket.create_connection(("127.0.0.1", relay.port), timeout=10) as line:
            line.sendall(b"EHLO x\r\n")
            assert silent(line)
    assert not far.got


def test_without_a_balancer_the_header_is_a_fault(tmp_path: Path) -> None:
    with (
        hop() as far,
        running(tmp_path, far.port) as relay,
        socket.create_connection(("127.0.0.1", relay.port), timeout=10) as line,
        line.makefile("rb") as file,
    ):
        file.readline()
        line.sendall(b"PROXY TCP4 10.9.8.7 10.0.0.1 4000 25\r\n")
        assert file.readline().startswith(b"500")
