"""The message that everything is wrong with, through worker and way out: each recipient's end is its own on every way."""

from __future__ import annotations

import asyncio
import base64
import random
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from portero.relay.devices import Organisation
from portero.relay.envelope import Envelope, Fate, Recipient
from portero.relay.settings import Settings
from portero.relay.transport import Kit, stuffed
from portero.relay.transports import transports
from portero.relay.worker import PostOffice
from relay.transports.test_contract import KINDS, far_side
from support.ways import Tokens, way

BAD = {f"u{n}@inside.test" for n in (7, 77, 177)}
PEOPLE = [f"u{n}@inside.test" for n in range(200)]
SCAN = random.Random(1).randbytes(22_500_000)
# Graph does not say which recipient is wrong: the message goes up some forty times, so this one is just over the limit
# above which it is uploaded. Thirty megabytes go up in test_graph.py.
LESS = SCAN[:3_100_000]
TEXT = "Páginas: 3. Señal: ✓\r\n.una línea que empieza por punto\r\n"


def content_with(scan: bytes) -> bytes:
    return stuffed(
        (
            'From: "Escáner del almacén" <scan@inside.test>\r\nTo: "José Núñez" <u0@inside.test>, fuera@elsewhere.test\r\n'
            "Subject: Albarán nº 7\r\nMessage-ID: <7@scan>\r\nDate: Tue, 24 Nov 2026 08:00:00 +0000\r\nMIME-Version: 1.0\r\n"
            'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\nContent-Type: text/plain; charset=utf-8\r\n'
            f"Content-Transfer-Encoding: 8bit\r\n\r\n{TEXT}--b\r\nContent-Type: application/pdf\r\n"
            'Content-Disposition: attachment; filename="scan.pdf"\r\nContent-Transfer-Encoding: base64\r\n\r\n'
        ).encode()
        + base64.encodebytes(scan).replace(b"\n", b"\r\n")
        + b"--b--\r\n"
    )


class Shelf:
    """A spool that holds one message; what the worker makes of it is kept."""

    def __init__(self, envelope: Envelope, content: bytes) -> None:
        self.envelope, self._content = envelope, content
        self.counts: Mapping[str, int] = {}
        self.removed = self.waits = False
        self.notices: list[list[str]] = []
        self.settled = asyncio.Event()

    def update(
        self, envelope: Envelope, was: str, done: Callable[[Exception | None], None] | None = None
    ) -> None:
        self.waits = True
        self.settled.set()

    def remove(
        self, envelope: Envelope, was: str, done: Callable[[Exception | None], None] | None = None
    ) -> None:
        if envelope is self.envelope:
            self.removed = True
            self.settled.set()

    def put(
        self, envelope: Envelope, content: bytes | None, done: Callable[[Exception | None], None]
    ) -> None:
        raise AssertionError("notices are answered for here")

    def note(self, record: dict[str, object]) -> None:
        pass

    def next_id(self) -> int:
        return 8

    def due(self, now: float, limit: int) -> list[Envelope]:
        return []

    def content(self, envelope: Envelope) -> bytes | None:
        return self._content

    def message(self, number: int) -> Envelope | None:
        return self.envelope


def carried(kind: str, port: int, options: Mapping[str, object], content: bytes) -> Shelf:
    """Let the worker carry the message by one way; give what became of it."""
    envelope = Envelope(
        id=7, received_at=1_790_000_000.0, client="10.0.0.7", ehlo="scanner", device="scanner", mail_from="",
        header_from="scan@inside.test", message_id="<7@scan>", subject="", recipients=[Recipient(each) for each in PEOPLE],
        size=len(content), eight_bit=True, smtputf8=True, owner="owner@inside.test", filed=True,
    )  # fmt: skip
    settings = Settings(
        "relay.toml", "relay.example", Path(), Organisation(frozenset({"inside.test"})), (), (),
        (way(kind, port, **options),),
    )  # fmt: skip

    async def run() -> Shelf:
        shelf = Shelf(envelope, content)

        def notice(_: Envelope, recipients: list[Recipient], content: bytes | None, delayed: bool) -> None:
            assert not delayed
            shelf.notices.append([each.address for each in recipients])

        office = PostOffice(
            settings,
            transports(),
            Kit("relay.example", Tokens()),
            shelf,
            shelf,
            notice=notice,
            clock=lambda: 1_790_000_000.0,
        )
        office.take(envelope, None)
        await asyncio.wait_for(shelf.settled.wait(), 240)
        await office.stop(1.0)
        return shelf

    return asyncio.run(run())


@pytest.mark.parametrize("kind", KINDS)
def test_the_message_of_the_issue(kind: str) -> None:
    """UTF-8 names, eight-bit body, thirty megabytes, the null sender, two hundred recipients of which three fail."""
    content = content_with(LESS if kind == "graph" else SCAN)
    assert kind == "graph" or len(content) > 30_000_000
    limit = transports()[kind].size_octets
    with far_side(kind) as (far, options):
        if kind == "graph":
            far.unknown |= BAD
        else:
            far.answers |= {f"RCPT {each}": "550 5.1.1 nobody" for each in BAD}
        shelf = carried(kind, far.port, options, content)
        if limit is not None and limit < len(content):
            # No try, no refusal: another way may carry it, or its life ends and its owner is told why.
            assert (shelf.waits, shelf.removed, shelf.notices) == (True, False, [])
            assert {each.fate for each in shelf.envelope.recipients} == {Fate.WAITING}
            assert all("no way out" in each.reply for each in shelf.envelope.recipients)
            return
        fates = {each.address: each.fate for each in shelf.envelope.recipients}
        assert fates == {each: Fate.REFUSED if each in BAD else Fate.DELIVERED for each in PEOPLE}
        assert (shelf.waits, shelf.removed) == (False, True)
        assert [sorted(each) for each in shelf.notices] == [sorted(BAD)]
        if kind == "graph":
            got = [
                sorted(
                    each["emailAddress"]["address"]
                    for field in ("toRecipients", "ccRecipients", "bccRecipients")
                    for each in draft[field]
                )
                for draft in far.sent_drafts
            ]
            for draft in far.sent_drafts:
                assert draft["subject"] == "Albarán nº 7"
                assert draft["from"]["emailAddress"]["name"] == "Escáner del almacén"
                assert draft["body"]["content"] == TEXT.removesuffix("\r\n")
                assert [(each["name"], each["content"]) for each in draft["attachments"]] == [
                    ("scan.pdf", LESS)
                ]
            assert far.drafts == {}, "no draft is left in the mailbox"
        else:
            got = [sorted(each.recipients) for each in far.got]
            plain = content.replace(b"\r\n..", b"\r\n.")
            assert all(each.mail_from == "" and each.content == plain for each in far.got)
            assert all("SMTPUTF8" in each.mail and "BODY=8BITMIME" in each.mail for each in far.got)
        assert sorted(each for part in got for each in part) == sorted(set(PEOPLE) - BAD), "each once"
