"""The worker: a message that brings out a fault of ours waits by itself, the others go, and the end is an end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import pytest

from portero.relay.envelope import Envelope, Fate, Recipient
from portero.relay.outcome import Kind, Outcome
from portero.relay.settings import load_settings
from portero.relay.tokens import Tokens
from portero.relay.transport import Kit, Outgoing, Sign
from portero.relay.transports import transports
from portero.relay.worker import PostOffice
from support.relay import CONFIG


class Stumbling:
    """A way out whose code fails on one message."""

    async def deliver(self, message: Outgoing) -> list[Outcome]:
        if message.content == b"poison\r\n":
            raise AttributeError("a fault of ours")
        return [Outcome(Kind.DELIVERED, "250 ok") for _ in message.recipients]

    async def close(self) -> None: ...

    async def check(self) -> list[Sign]:
        return []


class Store:
    """A spool that remembers what became of each message, and tells once it has heard of so many."""

    counts: ClassVar[dict[str, int]] = {}

    def __init__(self, wanted: int) -> None:
        self.removed: list[int] = []
        self.kept: list[Envelope] = []
        self._wanted, self.all = wanted, asyncio.Event()

    def _count(self, done: Callable[[Exception | None], None] | None) -> None:
        if done is not None:
            done(None)
        if len(self.removed) + len(self.kept) == self._wanted:
            self.all.set()

    def update(
        self, envelope: Envelope, was: str, done: Callable[[Exception | None], None] | None = None
    ) -> None:
        self.kept.append(envelope)
        self._count(done)

    def remove(
        self, envelope: Envelope, was: str, done: Callable[[Exception | None], None] | None = None
    ) -> None:
        self.removed.append(envelope.id)
        self._count(done)

    def put(self, *_: object) -> None: ...

    def note(self, record: dict[str, object]) -> None: ...

    def next_id(self) -> int:
        return 1


def envelope(number: int) -> Envelope:
    return Envelope(number, 0.0, "192.0.2.1", "x", "scanner", "s@inside.test", "", "", "", [Recipient("a@inside.test")], 8)  # fmt: skip


def test_a_message_that_brings_out_a_fault_does_not_rest_the_way(tmp_path: Path) -> None:
    config = CONFIG.format(folder=tmp_path, listener="", device="", port=25, way="sessions = 1", more="")
    (tmp_path / "relay.toml").write_text(config)
    settings = load_settings(tmp_path / "relay.toml")
    kinds = transports()
    kinds = {**kinds, "smarthost": replace(kinds["smarthost"], open=lambda *_: Stumbling())}

    async def run() -> tuple[Store, bool]:
        store = Store(6)
        office = PostOffice(settings, kinds, Kit("relay.test", Tokens()), store, None, clock=lambda: 100.0)  # type: ignore[arg-type]  # nothing is read from disk
        for number in range(6):
            office.take(envelope(number), b"poison\r\n" if number == 2 else b"letter\r\n")
        async with asyncio.timeout(60):
            await store.all.wait()
        down = office.lanes["hop"].down(office.now())
        await office.stop()
        return store, down

    store, down = asyncio.run(run())
    assert store.removed == [0, 1, 3, 4, 5]
    [waiting] = store.kept
    assert (waiting.id, waiting.state, waiting.recipients[0].fate) == (2, "waiting", Fate.WAITING)
    assert waiting.recipients[0].attempts == 1, "it counts, so that it waits longer each time and ends"
    assert "a fault of ours" in waiting.recipients[0].reply
    assert waiting.due_at > 130.0
    assert not down


@pytest.mark.parametrize("turns", range(5))
def test_it_ends_though_it_was_woken_a_moment_before(tmp_path: Path, turns: int) -> None:
    """As where somebody lets a message go and stops the relay: the wake and the end meet after any number of turns."""
    (tmp_path / "relay.toml").write_text(
        CONFIG.format(folder=tmp_path, listener="", device="", port=25, way="", more="")
    )
    settings = load_settings(tmp_path / "relay.toml")

    async def run() -> None:
        office = PostOffice(settings, transports(), Kit("relay.test", Tokens()), Store(0), None)  # type: ignore[arg-type]  # nothing is read from disk
        office.start()
        for _ in range(10):
            await asyncio.sleep(0)
        office.altered([1])
        for _ in range(turns):
            await asyncio.sleep(0)
        async with asyncio.timeout(30):
            await office.stop()

    asyncio.run(run())
