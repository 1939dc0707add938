"""What a commit that failed leaves behind: nothing that was answered is lost, and nothing is promised that was refused."""

from __future__ import annotations

import shutil
import sqlite3
import threading
from pathlib import Path

import pytest

from portero.relay.audit import Trail
from portero.relay.envelope import Envelope, Recipient
from portero.relay.spool import Reader, Spool, _Batch, why_not

CONTENT = b"Subject: x\r\n\r\nlarge\r\n"


class DoubtfulSpool(Spool):
    """A spool whose commits reach the log and are said to have failed with this code, as where their sync fails."""

    code: int | None = None

    def _write(self, batch: _Batch) -> None:
        if self.code is None or batch.rows:
            super()._write(batch)
        if self.code is not None:
            error = sqlite3.OperationalError("refused")
            error.sqlite_errorcode = self.code
            raise error


@pytest.fixture
def spool(tmp_path: Path) -> DoubtfulSpool:
    return DoubtfulSpool(
        tmp_path / "spool", lambda function, *words: function(*words), Trail(tmp_path / "audit.jsonl")
    )


def keep(spool: Spool, *, filed: bool) -> tuple[Envelope, Exception | None]:
    number = spool.next_id()
    envelope = Envelope(
        id=number,
        received_at=0.0,
        client="127.0.0.1",
        ehlo="",
        device="scanner",
        mail_from="s@inside.test",
        header_from="s@inside.test",
        message_id=f"<{number:x}@inside.test>",
        subject="",
        recipients=[Recipient("a@inside.test")],
        size=len(CONTENT),
        filed=filed,
        state="waiting",
    )
    if filed:
        spool.path_of(number).write_bytes(CONTENT)
    held: list[Exception | None] = []
    answered = threading.Event()

    def done(error: Exception | None) -> None:
        held.append(error)
        answered.set()

    spool.put(envelope, None if filed else CONTENT, done, {"event": "accepted", "id": envelope.queue_id})
    assert answered.wait(10)
    return envelope, held[0]


def test_a_row_that_may_stand_in_the_log_keeps_its_file(spool: DoubtfulSpool, tmp_path: Path) -> None:
    spool.code = sqlite3.SQLITE_IOERR
    envelope, error = keep(spool, filed=True)
    assert error is not None

    # The process is killed here, and another finds the disk as it is.
    shutil.copytree(spool.folder, tmp_path / "later", ignore=shutil.ignore_patterns("lock"))
    later = Spool(tmp_path / "later", lambda function, *words: function(*words))
    [found] = Reader(tmp_path / "later").messages()
    assert (found.id, Reader(tmp_path / "later").content(found)) == (envelope.id, CONTENT)
    later.close()

    # The next commit writes over what the log may hold, and then the file goes.
    spool.code = None
    keep(spool, filed=False)
    spool.close()
    assert not spool.path_of(envelope.id).exists()


def test_a_full_disk_gets_its_room_back_at_once(spool: DoubtfulSpool) -> None:
    spool.code = sqlite3.SQLITE_FULL
    envelope, error = keep(spool, filed=True)
    assert error is not None
    assert not spool.path_of(envelope.id).exists()
    spool.code = None
    spool.close()


def test_what_was_refused_is_not_in_the_audit_trail(spool: DoubtfulSpool, tmp_path: Path) -> None:
    spool.code = sqlite3.SQLITE_IOERR
    refused, _ = keep(spool, filed=False)
    spool.code = None
    taken, error = keep(spool, filed=False)
    assert error is None
    spool.close()

    trail = (tmp_path / "audit.jsonl").read_text()
    assert refused.queue_id not in trail
    assert taken.queue_id in trail


def test_each_change_by_hand_is_told_and_counted_by_itself(spool: DoubtfulSpool) -> None:
    first, second = keep(spool, filed=True)[0], keep(spool, filed=False)[0]
    refuse = f"CREATE TEMP TRIGGER refuse BEFORE DELETE ON main.message WHEN old.id = {second.id} BEGIN SELECT raise(ABORT, 'refused'); END"
    spool.call(lambda connection: connection.execute(refuse) and None, lambda _, __: None)
    told: list[object] = []
    answered = threading.Event()
    spool.alter("drop", [first.id, second.id], lambda *held: (told.extend(held), answered.set()))
    assert answered.wait(10)
    assert told == [{first.id: "gone", second.id: "refused"}, None]
    assert (spool.counts["waiting"], spool.octets) == (1, second.size)
    assert [each.id for each in Reader(spool.folder).messages()] == [second.id]
    spool.close()


def test_a_full_disk_is_told_as_such() -> None:
    full = sqlite3.OperationalError("database or disk is full")
    full.sqlite_errorcode = sqlite3.SQLITE_FULL
    assert why_not(full) == "full"
    assert why_not(OSError("no such device")) == "no such device"
