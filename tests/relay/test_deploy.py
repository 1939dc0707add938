"""How the relay is run: root is given up behind the ports, and the unit and the container file are what their readers take."""

from __future__ import annotations

import os
import pwd
import re
import shlex
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from support.postfix import CI, open_folder
from support.relay import CONFIG, MESSAGE, Device, hop, start

DEPLOY = Path(__file__).parents[2] / "deploy"


def low_port() -> int:
    """Give a free port that root alone may open."""
    for port in range(600, 1000):
        with socket.socket() as held:
            try:
                held.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError("no port below 1024 is free")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give root up")
def test_root_is_given_up_once_the_ports_are_open() -> None:
    nobody = pwd.getpwnam("nobody")
    port = low_port()
    config = CONFIG.replace(
        'owner = "owner@inside.test"', 'owner = "owner@inside.test"\nuser = "nobody"'
    ).replace("127.0.0.1:0", f"127.0.0.1:{port}")
    with open_folder() as folder, hop() as far:
        spool = folder / "spool"
        # A queue that root left behind, for example by a command: it must not shut its own user out.
        (spool / "bodies").mkdir(parents=True)
        (spool / "bodies" / "ff").write_bytes(b"orphan")
        relay = start(folder, far.port, config=config)
        try:
            status = Path(f"/proc/{relay.process.pid}/status").read_text()
            for key in ("Uid", "Gid"):
                [line] = re.findall(rf"^{key}:(.*)$", status, re.MULTILINE)
                wanted = nobody.pw_uid if key == "Uid" else nobody.pw_gid
                assert set(line.split()) == {str(wanted)}, "real, effective, saved and of the file system"
            [groups] = re.findall(r"^Groups:(.*)$", status, re.MULTILINE)
            assert "0" not in groups.split()
            [capable] = re.findall(r"^CapEff:\s*(\w+)$", status, re.MULTILINE)
            assert int(capable, 16) == 0
            assert relay.port == port
            with Device(port) as device:
                assert device.mail(MESSAGE + b"text\r\n" * 50_000, "a@inside.test").startswith("250")
            assert far.wait(1)
            readable = not Path(os.__file__).is_relative_to("/root") or bool(
                Path("/root").stat().st_mode & 0o001
            )
            assert ('"program-unreadable"' in relay.log) is not readable
            assert {path.stat().st_uid for path in (spool, *spool.rglob("*"))} == {nobody.pw_uid}
            assert relay.stop() == 0
        finally:
            relay.process.kill()
            relay.process.wait(30)
            assert relay.process.stdout is not None
            relay.process.stdout.close()


def test_the_unit_is_what_systemd_takes(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        (pytest.fail if CI else pytest.skip)("not here: systemd-analyze")
    text = (DEPLOY / "portero-relay.service").read_text("utf-8")
    unit = tmp_path / "portero-relay.service"
    # What is installed on this machine stands for what the unit names.
    unit.write_text(text.replace("/usr/local/bin/portero", sys.executable))
    found = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(unit)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    told = [line for line in found.stderr.splitlines() if "portero-relay" in line]
    assert (found.returncode, told) == (0, []), found.stderr
    assert re.search(r"^User=portero$", text, re.MULTILINE)
    # The relay takes ten seconds for messages and ten for deliveries under way.
    [stop] = re.findall(r"^TimeoutStopSec=(\d+)$", text, re.MULTILINE)
    assert int(stop) > 20


def test_unit_and_container_call_the_program_as_it_is_called() -> None:
    unit = (DEPLOY / "portero-relay.service").read_text("utf-8")
    container = (DEPLOY / "relay.Containerfile").read_text("utf-8")
    [start_line] = re.findall(r"^ExecStart=(.*)$", unit, re.MULTILINE)
    [entry] = re.findall(r"^ENTRYPOINT (.*)$", container, re.MULTILINE)
    words = re.findall(r'"([^"]*)"', entry)
    for call in (shlex.split(start_line)[1:], words[1:]):
        assert call == ["relay", "run", "--config", "/etc/portero/relay.toml"]
        asked = subprocess.run(
            [sys.executable, "-m", "portero", *call[:2], "--help"],
            capture_output=True,
            text=True,
            check=False,
        )
        assert asked.returncode == 0
        assert "--config" in asked.stdout
    assert re.search(r"^USER portero$", container, re.MULTILINE), "it never is root"
    assert container.index("USER portero") < container.index("ENTRYPOINT")
