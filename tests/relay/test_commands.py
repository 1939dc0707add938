"""The relay's commands, as they are called."""

import json
import subprocess
import sys
from pathlib import Path

from support.relay import CONFIG, MESSAGE, Device, hop, running


def portero(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "portero", "relay", *words, "--config", str(folder / "relay.toml")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_a_day_with_the_relay(tmp_path: Path) -> None:
    with hop() as far, running(tmp_path, far.port) as relay, Device(relay.port) as device:
        device.mail(MESSAGE, "a@inside.test", sender="x@other.test")
        listed = portero(tmp_path, "queue", "list", "--lang", "es")
        assert "El retransmisor está en ejecución." in listed.stdout
        assert "el remitente x@other.test no está en la regla" in listed.stdout
        found = json.loads(portero(tmp_path, "queue", "list", "--json").stdout)
        [held] = found["messages"]
        shown = portero(tmp_path, "queue", "show", held["id"], "--lang", "es").stdout
        assert f"{held['id']}: en cuarentena" in shown
        assert "Retenido porque: el remitente x@other.test no está en la regla" in shown
        assert "a@inside.test: en espera, 0 intentos hasta ahora" in shown
        assert "None" not in shown
        assert portero(tmp_path, "queue", "release", held["id"]).returncode == 0
        assert far.wait(1)
        checked = portero(tmp_path, "check")
        assert checked.returncode == 0, checked.stdout + checked.stderr
        sent = portero(tmp_path, "send-test", "--from", "a@inside.test", "--to", "b@inside.test")
        assert sent.returncode == 0
        assert b"portero" in far.wait(2)[1].content
        assert portero(tmp_path, "audit").returncode == 0
        far.answers["RCPT"] = "550 5.7.68 TenantInboundAttribution; Direct Send not allowed"
        refused = portero(tmp_path, "send-test", "--from", "a@inside.test", "--to", "b@inside.test")
        assert refused.returncode == 4
        assert "Direct Send is closed" in refused.stdout
    checked = portero(tmp_path, "check")
    assert checked.returncode == 4
    assert "Connection refused”. Nobody listens there." in checked.stdout
    assert "No message in the queue" in portero(tmp_path, "queue", "release", "--all").stdout


def test_the_owner_is_told_what_is_in_quarantine(tmp_path: Path) -> None:
    """Whether a relay runs or not, and in the language of who asks or who runs it; the message stays."""
    with hop() as far:
        with running(tmp_path, far.port) as relay, Device(relay.port) as device:
            device.mail(MESSAGE, "a@inside.test", sender="x@other.test")
            [held] = json.loads(portero(tmp_path, "queue", "list", "--json").stdout)["messages"]
            told = portero(tmp_path, "queue", "report", held["id"], "ffff", "--json")
            assert json.loads(told.stdout) == {held["id"]: "reported", "ffff": "missing"}
            [got] = far.wait(1)
            assert (got.mail_from, got.recipients) == ("", ["owner@inside.test"])
            assert b"- the sender x@other.test is not in the rule" in got.content
            assert f"portero relay queue release {held['id']}".encode() in got.content
            assert MESSAGE.split(b"\r\n\r\n", 1)[1].strip() not in got.content, (
                "what it holds may be the reason"
            )
            assert [each["id"] for each in relay.audit if each["event"] == "reported"] == [held["id"]]
        told = portero(tmp_path, "queue", "report", "--all", "--lang", "es")
        assert told.stdout == f"{held['id']}: avisado su responsable\n"
        [waiting] = json.loads(portero(tmp_path, "queue", "list", "--state", "waiting", "--json").stdout)[
            "messages"
        ]
        assert waiting["subject"] == "Un mensaje de scanner está en cuarentena"
        assert json.loads(portero(tmp_path, "queue", "list", "--json").stdout)["counts"]["quarantined"] == 1
        assert portero(tmp_path, "audit").returncode == 0
        with running(tmp_path, far.port):
            later = far.wait(2)[1]
        assert "- el remitente x@other.test no está en la regla".encode() in later.content


def test_a_report_that_nobody_would_get(tmp_path: Path) -> None:
    config = CONFIG.replace('owner = "owner@inside.test"\n', "")
    with hop() as far, running(tmp_path, far.port, config=config) as relay, Device(relay.port) as device:
        device.mail(MESSAGE, "a@inside.test", sender="x@other.test")
        assert device.mail(MESSAGE, "a@inside.test", sender="s@inside.test").startswith("250")
        [held] = json.loads(portero(tmp_path, "queue", "list", "--state", "quarantined", "--json").stdout)[
            "messages"
        ]
        told = portero(tmp_path, "queue", "report", held["id"])
        assert "name an owner in relay.toml" in told.stdout
        assert len(far.wait(1)) == 1


def test_faults_of_the_call(tmp_path: Path) -> None:
    (tmp_path / "relay.toml").write_text("[relay]\nhostnam = 1\n")
    run = portero(tmp_path, "run")
    assert run.returncode == 2
    assert "Did you mean hostname?" in run.stderr
    assert portero(tmp_path, "queue", "drop").returncode == 2
    assert portero(tmp_path / "nowhere", "check").returncode == 2
