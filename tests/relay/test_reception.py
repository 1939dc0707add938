"""The door of the house: what the observer of habits is shown, whatever the size of the message."""

from __future__ import annotations

from pathlib import Path

import pytest

from portero.relay.devices import Device, Outside
from portero.relay.envelope import Envelope
from portero.relay.habit import attachment_kinds
from portero.relay.intake import SPILL_OCTETS
from portero.relay.protocol import Event, Manners, Peer, Session
from portero.relay.reception import Reception
from portero.relay.settings import load_settings
from support.relay import CONFIG


class Shelf:
    """A spool that keeps nothing; large contents are files of a folder."""

    ready = True

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def next_id(self) -> int:
        return 7

    def path_of(self, number: int) -> Path:
        return self.folder / f"{number:x}"

    def put(self, *_: object) -> None: ...


class Office:
    def room(self, octets: int) -> bool:
        return octets < 1 << 30

    def take(self, envelope: Envelope, content: bytes | None) -> None: ...


class Watcher:
    """An observer that writes down the kinds it could see."""

    def __init__(self) -> None:
        self.seen: list[frozenset[str]] = []

    def judge(self, device: Device, envelope: Envelope, content: bytes, now: float) -> list[Outside]:
        self.seen.append(attachment_kinds(content))
        return []

    def learn(self, peer: Peer, envelope: Envelope, now: float) -> None: ...


@pytest.mark.parametrize("size", [100, SPILL_OCTETS * 2])
def test_an_attachment_is_seen_in_a_message_of_any_size(tmp_path: Path, size: int) -> None:
    config = CONFIG.format(folder=tmp_path, listener="", device="", port=25, way="", more="")
    (tmp_path / "relay.toml").write_text(config.replace("habit = false", ""))
    settings, watcher = load_settings(tmp_path / "relay.toml"), Watcher()
    reception = Reception(settings, Shelf(tmp_path), Office(), observer=watcher)
    session = Session(reception, Manners("door"), Peer("127.0.0.1"), "relay.test")
    session.receive(b"HELO x\r\nMAIL FROM:<a@inside.test>\r\nRCPT TO:<b@inside.test>\r\nDATA\r\n")
    session.receive(b"From: <a@inside.test>\r\nContent-Type: application/pdf; name=scan.pdf\r\n\r\n")
    session.receive(b"x" * 78 + b"\r\n")
    session.receive((b"x" * 78 + b"\r\n") * (size // 80) + b".\r\n")
    assert session.event is Event.MESSAGE
    reception.complete(session, lambda _: None)
    assert watcher.seen == [frozenset({"pdf"})]
    assert (tmp_path / "7").exists() is (size > SPILL_OCTETS)
