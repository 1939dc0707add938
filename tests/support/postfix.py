"""Real next hops: Postfix with Dovecot's authentication, in a private folder, stopped at the end."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from support.certificates import Pair
from support.entra import Entra

CI = os.environ.get("CI") == "true"


def need(*programs: str) -> None:
    """Skip aloud where a server is missing or we are not root; in CI that is a failure."""
    missing = [each for each in programs if shutil.which(each) is None]
    if os.geteuid() != 0:
        missing.append("root")
    if missing:
        (pytest.fail if CI else pytest.skip)(f"not here: {', '.join(missing)}; ./dev test installs them")


@contextlib.contextmanager
def open_folder() -> Iterator[Path]:
    """Give a folder that servers without rights can reach; pytest's own is closed to them."""
    with tempfile.TemporaryDirectory(prefix="portero-", ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o755)
        yield Path(name)


def free_port() -> int:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return int(held.getsockname()[1])


def wait_for(port: int) -> None:
    for _ in range(200):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1) as line:
            line.recv(1)
            return
        time.sleep(0.05)
    raise AssertionError(f"nobody listens on {port}")


def run(*words: str | Path) -> None:
    # A daemon keeps what it was given: a pipe would never end.
    with tempfile.TemporaryFile("w+") as said:
        done = subprocess.run(
            [str(each) for each in words], stdout=said, stderr=said, check=False, timeout=60
        )
        said.seek(0)
        assert done.returncode == 0, said.read()


@dataclass
class Postfix:
    """A running Postfix and the folder its mail ends in."""

    port: int
    sink: int
    folder: Path

    @property
    def log(self) -> str:
        return (self.folder / "maillog").read_text("utf-8", "replace")


@contextlib.contextmanager
def dovecot(folder: Path, tokens: Entra, pair: Pair) -> Iterator[int]:
    """Run Dovecot's authentication; gives its port. It checks issuer, signature, times and user of each token."""
    from cryptography.hazmat.primitives import serialization

    port = free_port()
    place = folder / "dovecot"
    (place / "keys" / "default" / "RS256").mkdir(parents=True)
    public = tokens.key.public_key.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    (place / "keys" / "default" / "RS256" / "k1").write_bytes(public)
    (place / "oauth2").write_text(
        f"introspection_mode = local\nlocal_validation_key_dict = fs:posix:prefix={place}/keys/\n"
        f"username_attribute = upn\nissuers = {tokens.issuer}\nopenid_configuration_url = {tokens.authority}/x\n"
    )
    for path in (folder, place, *place.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    (place / "conf").write_text(
        f"""
base_dir = {place}/run
state_dir = {place}/state
log_path = {place}/log
protocols =
listen = 127.0.0.1
ssl = yes
ssl_cert = <{pair.certificate}
ssl_key = <{pair.key}
disable_plaintext_auth = yes
auth_mechanisms = plain login xoauth2 oauthbearer
auth_failure_delay = 0
passdb {{
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = {place}/oauth2
}}
passdb {{
  driver = static
  mechanisms = plain login
  args = password=word
}}
userdb {{
  driver = static
  args = uid=nobody gid=nogroup home=/nonexistent
}}
service auth {{
  inet_listener {{
    address = 127.0.0.1
    port = {port}
  }}
}}
service anvil {{
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
"""
    )
    run("dovecot", "-c", place / "conf")
    try:
        wait_for(port)
        yield port
    finally:
        run("doveadm", "-c", place / "conf", "stop")


@contextlib.contextmanager
def postfix(
    folder: Path, *, ca: Path, pair: Pair, more: str = "", sink_words: tuple[str, ...] = ()
) -> Iterator[Postfix]:
    """Run a Postfix that passes what it takes to a sink which writes files."""
    place, port, sink = folder / "postfix", free_port(), free_port()
    for each in ("conf", "queue", "data", "kept"):
        (place / each).mkdir(parents=True)
    shutil.chown(place / "data", "postfix")
    shutil.chown(place / "kept", "nobody")
    for path in (folder, place):
        path.chmod(0o755)
    (place / "conf" / "main.cf").write_text(
        f"""
compatibility_level = 3.6
queue_directory = {place}/queue
data_directory = {place}/data
maillog_file = {place}/maillog
maillog_file_prefixes = {place}
myhostname = hop.test
mydestination =
mynetworks =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
disable_dns_lookups = yes
relayhost = [127.0.0.1]:{sink}
smtpd_tls_cert_file = {pair.certificate}
smtpd_tls_key_file = {pair.key}
smtpd_tls_CAfile = {ca}
smtpd_tls_security_level = encrypt
smtpd_tls_auth_only = yes
smtpd_forbid_bare_newline = normalize
message_size_limit = 50000000
in_flow_delay = 0
smtpd_client_event_limit_exceptions =
{more}
"""
    )
    services = "pickup unix n - n 60 1 pickup|cleanup unix n - n - 0 cleanup|qmgr unix n - n 300 1 qmgr|tlsmgr unix - - n 1000? 1 tlsmgr"
    services += "|rewrite unix - - n - - trivial-rewrite|bounce unix - - n - 0 bounce|defer unix - - n - 0 bounce|trace unix - - n - 0 bounce"
    services += "|proxymap unix - - n - - proxymap|smtp unix - - n - - smtp|relay unix - - n - - smtp|error unix - - n - - error"
    services += "|anvil unix - - n - 1 anvil|scache unix - - n - 1 scache|postlog unix-dgram n - n - 1 postlogd|showq unix n - n - - showq"
    (place / "conf" / "master.cf").write_text(
        f"127.0.0.1:{port} inet n - n - - smtpd\n" + services.replace("|", "\n") + "\n"
    )
    kept = subprocess.Popen(
        ["smtp-sink", *sink_words, "-u", "nobody", "-R", str(place / "kept"), "-d", "%M.", f"127.0.0.1:{sink}", "100"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        run("postfix", "-c", place / "conf", "start")
        try:
            wait_for(sink)
            yield Postfix(port, sink, place)
        finally:
            run("postfix", "-c", place / "conf", "stop")
    finally:
        kept.terminate()
        kept.wait()


def arrived(hop: Postfix, number: int, seconds: float = 30.0) -> list[bytes]:
    """Wait for so many messages in the sink's folder."""
    end = time.monotonic() + seconds
    while True:
        held = [path.read_bytes() for path in sorted((hop.folder / "kept").iterdir())]
        whole = [each for each in held if b"\n\n" in each.replace(b"\r\n", b"\n")]
        if len(whole) >= number or time.monotonic() > end:
            return whole
        time.sleep(0.1)
