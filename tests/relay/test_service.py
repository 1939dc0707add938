"""A relay in its own process: what a device sends arrives at the next hop, or stays, and nothing is lost between."""

import asyncio
import re
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from portero.errors import ConfigError
from portero.relay import service, use_cases
from portero.relay.audit import verify
from portero.relay.settings import load_settings
from portero.relay.spool import Reader
from support.relay import CONFIG, MESSAGE, Device, Relay, hop, running


def after_trace(content: bytes) -> bytes:
    """Give a message without the stamp and trace that the relay put before it."""
    return re.sub(rb"\AX-Portero-Relay: [^\r\n]*\r\nReceived: (?:[^\r\n]|\r\n\t)*\r\n", b"", content)


def until_empty(relay: Relay, seconds: float = 20.0) -> dict[str, int]:
    reader, end = Reader(relay.folder / "spool"), time.monotonic() + seconds
    while (counts := reader.count()) and time.monotonic() < end:
        time.sleep(0.05)
    return counts


@pytest.mark.parametrize("size", [100, 300_000, 3_000_000])
def test_a_message_arrives_byte_by_byte(tmp_path: Path, size: int) -> None:
    content = MESSAGE + b"0123456789abcdef\r\n.\r\n" * (size // 21)
    with hop() as far, running(tmp_path, far.port) as relay, Device(relay.port) as device:
        assert device.mail(content, "a@inside.test", "b@elsewhere.test").startswith(
            "250 2.0.0 Ok: queued as "
        )
        [got] = far.wait(1)
        assert until_empty(relay) == {}
        assert relay.stop() == 0
    assert got.recipients == ["a@inside.test", "b@elsewhere.test"]
    assert after_trace(got.content) == content
    assert b"by relay.test (portero) with ESMTP id " in got.content
    assert not list((tmp_path / "spool" / "bodies").iterdir())
    assert [each["event"] for each in relay.audit] == ["accepted", "tried"]
    assert verify(tmp_path / "spool" / "audit.jsonl").broken == ()


def test_what_waits_outlives_a_kill(tmp_path: Path) -> None:
    with (
        hop(MAIL="451 4.3.0 later") as far,
        running(tmp_path, far.port) as relay,
        Device(relay.port) as device,
    ):
        assert device.mail(MESSAGE, "a@inside.test").startswith("250")
        assert device.mail(MESSAGE + b"x" * 500_000 + b"\r\n", "b@inside.test").startswith("250")
        relay.stop(9)
    with hop(far.port) as far, running(tmp_path, far.port) as relay:
        use_cases.change(tmp_path / "relay.toml", "retry", (), everything=True)
        assert sorted(each.recipients[0] for each in far.wait(2)) == ["a@inside.test", "b@inside.test"]
        assert until_empty(relay) == {}


def test_recipients_have_fates_of_their_own(tmp_path: Path) -> None:
    with hop() as far, running(tmp_path, far.port) as relay, Device(relay.port) as device:
        far.answers |= {
            "RCPT later@inside.test": "450 4.2.1 later",
            "RCPT never@inside.test": "550 5.1.1 nobody",
        }
        assert device.mail(MESSAGE, "now@inside.test", "later@inside.test", "never@inside.test").startswith(
            "250"
        )
        far.wait(1)
        time.sleep(0.5)
        [held] = use_cases.queue(tmp_path / "relay.toml", (), 10)["messages"]
        assert [(each["address"][:5], each["fate"]) for each in held["recipients"]] == [
            ("now@i", "delivered"), ("later", "waiting"), ("never", "refused"),
        ]  # fmt: skip
        del far.answers["RCPT later@inside.test"]
        use_cases.change(tmp_path / "relay.toml", "retry", [held["id"]], everything=False)
        # The second is the notice about the recipient that was refused.
        assert [each.recipients[0][:5] for each in far.wait(3)] == ["now@i", "owner", "later"]
        assert until_empty(relay) == {}


def test_a_lost_answer_repeats_and_does_not_lose(tmp_path: Path) -> None:
    with hop() as far, running(tmp_path, far.port, way="sessions = 1") as relay, Device(relay.port) as device:
        far.answers["."] = None
        assert device.mail(MESSAGE, "a@inside.test").startswith("250")
        time.sleep(1)
        del far.answers["."]
        assert far.wait(1, 30)
        assert until_empty(relay) == {}
    assert b"Message-ID: <1@scan>\r\n" in far.got[0].content


def test_the_queue_is_changed_by_hand(tmp_path: Path) -> None:
    config = tmp_path / "relay.toml"
    with (
        hop(MAIL="451 4.3.0 later") as far,
        running(tmp_path, far.port) as relay,
        Device(relay.port) as device,
    ):
        for name in "abc":
            device.mail(MESSAGE, f"{name}@inside.test")
        time.sleep(0.5)
        a, b, c = (each["id"] for each in use_cases.queue(config, ("waiting",), 10)["messages"])
        assert use_cases.change(config, "hold", [a], everything=False) == {a: "held"}
        assert use_cases.change(config, "drop", [b, "ff"], everything=False) == {b: "gone", "ff": "missing"}
        assert after_trace(use_cases.export(config, a)) == MESSAGE
        del far.answers["MAIL"]
        use_cases.change(config, "retry", [c], everything=False)
        assert far.wait(1)[0].recipients == ["c@inside.test"]
        relay.stop()
        # The same without a running relay.
        assert use_cases.change(config, "release", [a], everything=False) == {a: "waiting"}
        assert use_cases.show(config, a)["state"] == "waiting"
    assert verify(tmp_path / "spool" / "audit.jsonl").broken == ()


@pytest.mark.parametrize(
    ("device", "sender", "recipient", "code"),
    [
        ('outside = "refuse"', "x@other.test", "a@inside.test", "550"),
        ("", "x@other.test", "a@inside.test", "250"),
    ],
)
def test_outside_the_rule_is_refused_or_kept(
    tmp_path: Path, device: str, sender: str, recipient: str, code: str
) -> None:
    with hop() as far, running(tmp_path, far.port, device=device) as relay, Device(relay.port) as scanner:
        assert scanner.mail(MESSAGE, recipient, sender=sender).startswith(code)
        time.sleep(0.3)
        held = use_cases.queue(tmp_path / "relay.toml", ("quarantined",), 10)["messages"]
        assert [each["reasons"] for each in held] == (
            [[{"code": "mail-from", "value": sender, "words": f"the sender {sender} is not in the rule"}]]
            if code == "250"
            else []
        )
        assert not far.got
        if held:
            use_cases.change(tmp_path / "relay.toml", "release", [held[0]["id"]], everything=False)
            assert far.wait(1)


def test_a_stranger_is_refused(tmp_path: Path) -> None:
    with (
        hop() as far,
        running(tmp_path, far.port, device='ehlo = ["other"]') as relay,
        Device(relay.port) as device,
    ):
        assert device.mail(MESSAGE, "a@inside.test").startswith("550 5.7.1 No rule")


def test_nul_and_bare_line_ends_by_policy(tmp_path: Path) -> None:
    with (
        hop() as far,
        running(tmp_path, far.port, listener='bare_line_ends = "refuse"') as relay,
        Device(relay.port) as device,
    ):
        for text, code in (
            (b"a\nb\r\n", "550"),
            (b"a\rb\r\n", "550"),
            (b"a\0b\r\n", "554"),
            (b"a\r\n", "250"),
        ):
            assert device.mail(MESSAGE + text, "a@inside.test").startswith(code)


def test_mail_that_has_been_here_thrice_is_in_a_loop(tmp_path: Path) -> None:
    trace = b"Received: from x\r\n\tby relay.test (portero) with SMTP id 1;\r\n\tdate\r\n"
    with hop() as far, running(tmp_path, far.port) as relay, Device(relay.port) as device:
        assert device.mail(trace * 2 + MESSAGE, "a@inside.test").startswith("250")
        assert device.mail(trace * 3 + MESSAGE, "a@inside.test").startswith("554 5.4.6")


def test_many_connections_are_bounded(tmp_path: Path) -> None:
    with hop() as far, running(tmp_path, far.port, listener="connections = 20\n") as relay:
        devices = [Device(relay.port, greet=False) for _ in range(40)]
        greetings = [each.reply()[:3] for each in devices]
        assert greetings.count("220") == 20
        assert set(greetings) == {"220", "421"}
        for each in devices:
            each.line.close()
            each.file.close()
        time.sleep(0.3)
        with Device(relay.port) as device:
            assert device.mail(MESSAGE, "a@inside.test").startswith("250")


def test_a_slow_client_is_left(tmp_path: Path) -> None:
    with (
        hop() as far,
        running(tmp_path, far.port, listener="idle_seconds = 1\noctets_per_second = 1000") as relay,
    ):
        with Device(relay.port) as device:
            assert device.reply().startswith("421 4.4.2")
        with Device(relay.port) as device:
            for line in ("MAIL FROM:<scan@inside.test>", "RCPT TO:<a@inside.test>", "DATA"):
                device.ask(line)
            device.send(b"Subject: x\r\n")
            assert device.reply().startswith("421 4.4.2")
    assert not far.got


def test_a_stop_lets_the_message_under_way_finish(tmp_path: Path) -> None:
    with hop() as far, running(tmp_path, far.port) as relay, Device(relay.port) as device:
        for line in ("MAIL FROM:<scan@inside.test>", "RCPT TO:<a@inside.test>", "DATA"):
            device.ask(line)
        relay.process.terminate()
        time.sleep(0.3)
        device.send(MESSAGE + b".\r\n")
        assert device.reply().startswith("250")
        assert relay.process.wait(20) == 0
    # Taken at the last moment: delivered, or on disk for the next start.
    assert len(far.got) + len(Reader(tmp_path / "spool").messages()) == 1


def test_rules_are_read_anew_on_a_signal(tmp_path: Path) -> None:
    with hop() as far, running(tmp_path, far.port) as relay, Device(relay.port) as device:
        config = tmp_path / "relay.toml"
        text = config.read_text()
        config.write_text("nonsense = [")
        relay.process.send_signal(1)
        time.sleep(0.5)
        assert device.mail(MESSAGE, "a@inside.test").startswith("250")
        assert "reload-refused" in relay.log
        config.write_text(text.replace('cidr = ["127.0.0.0/8"]', 'cidr = ["192.0.2.1/32"]'))
        relay.process.send_signal(1)
        time.sleep(0.5)
        assert device.mail(MESSAGE, "a@inside.test").startswith("550")


class Planned:
    """A loop that only notes for when something is planned."""

    def __init__(self) -> None:
        self.waits: list[float] = []

    def call_soon(self, _work: object) -> None:
        self.waits.append(0.0)

    def call_later(self, seconds: float, _work: object) -> None:
        self.waits.append(seconds)


def test_many_connections_share_commits_and_few_wait_for_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = CONFIG.format(folder=tmp_path, listener="", device="", port=25, way="", more="")
    (tmp_path / "relay.toml").write_text(config)
    relay = service.Relay(load_settings(tmp_path / "relay.toml"))
    loop = Planned()
    monkeypatch.setattr(asyncio, "get_running_loop", lambda: loop)
    for number in (0, 1, 4, 50, 10_000):
        relay.gates = [SimpleNamespace(open=range(number)), SimpleNamespace(open=())]  # type: ignore[list-item]  # all that is asked of a gate
        relay._gather(lambda: None, False)
        relay._gather(lambda: None, True)
    assert loop.waits[:6] == [0.0] * 6
    some, some_patient, many, many_patient = loop.waits[6:]
    assert 0.0 < some <= many <= 0.01
    assert some < some_patient
    assert many < many_patient <= 0.04


async def started(relay: service.Relay) -> None:
    try:
        await relay.start()
    finally:
        for gate in relay.gates:
            gate.shut()


def test_what_cannot_be_written_is_a_mistake_in_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for change, words in (
        (("/spool", "/file/spool"), "The queue cannot be kept in"),
        (
            ('/spool"', f'/spool"\naudit = "{tmp_path}/file/audit.jsonl"'),
            "The audit trail cannot be written to",
        ),
    ):
        config = CONFIG.format(folder=tmp_path, listener="", device="", port=25, way="", more="")
        (tmp_path / "relay.toml").write_text(config.replace(*change))
        relay = service.Relay(load_settings(tmp_path / "relay.toml"))
        with pytest.raises(ConfigError) as told:
            asyncio.run(started(relay))
        assert words in str(told.value.problems[0])
