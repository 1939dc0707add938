"""
Sessions and queue over many lives, in any order: nothing is lost, and only a crash or a lost answer sends twice.

A life has a clock of its own that leaps over what nobody waits for, and how long disk and threads take is drawn: what a
story has once shown it shows always, and one in which nothing can happen any more fails instead of hanging.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import selectors
import shutil
import sqlite3
import tempfile
import threading
from collections import Counter
from collections.abc import Awaitable, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from portero.core.text import Text
from portero.relay.audit import Trail, verify
from portero.relay.control import Control
from portero.relay.dsn import make_notice
from portero.relay.envelope import Envelope, Recipient
from portero.relay.outcome import Kind, Outcome, Scope
from portero.relay.pace import Limits
from portero.relay.protocol import Manners, Peer, Session
from portero.relay.queue_file import DATABASE
from portero.relay.reception import Reception
from portero.relay.settings import Settings, load_settings
from portero.relay.spool import Reader, Spool, _Batch
from portero.relay.transport import Kit, Outgoing, Sign, Transport, Way
from portero.relay.worker import PostOffice
from support.relay import CONFIG
from support.ways import Tokens

LIFE_SECONDS = 5 * 86_400.0
PEOPLE = [f"{name}@inside.test" for name in "abcd"]
OWNER = "owner@inside.test"
COPIED = (DATABASE, DATABASE + "-wal", "audit.jsonl")


class FarSide:
    """
    Two ways to one far side.

    answers:  by recipient: ``ok``, ``later``, ``never``.
    down:     ways that cannot be reached.
    silent:   so many messages are taken whose answer is lost.
    dead:     the relay has crashed: what it still does in this process has not happened.
    """

    def __init__(self) -> None:
        self.answers: dict[str, str] = {}
        self.down: set[str] = set()
        self.silent = 0
        self.dead = False
        self.took: Counter[tuple[str, str]] = Counter()
        self.doubts: Counter[str] = Counter()
        self.refused: set[tuple[str, str]] = set()
        self.notices: list[bytes] = []

    def take(self, way: str, message: Outgoing) -> list[Outcome]:
        failed = Outcome(Kind.DEFERRED, "421 4.4.2 the line broke", Scope.WAY)
        if self.dead or way in self.down:
            return [failed for _ in message.recipients]
        outcomes = []
        for address, _, _ in message.recipients:
            answer = self.answers.get(address, "ok")
            key = (message.queue_id, address)
            if answer == "ok":
                self.took[key] += 1
                outcomes.append(Outcome(Kind.DELIVERED, "250 2.0.0 Ok"))
                if address == OWNER:
                    self.notices.append(message.content)
            elif answer == "later":
                outcomes.append(Outcome(Kind.DEFERRED, "450 4.2.1 later"))
            else:
                self.refused.add(key)
                outcomes.append(Outcome(Kind.REFUSED, "550 5.1.1 nobody"))
        if self.silent:
            self.silent -= 1
            self.doubts[message.queue_id] += 1
            return [failed for _ in message.recipients]
        return outcomes


class Carrier:
    """One line of a way to the far side."""

    def __init__(self, far: FarSide, way: Way) -> None:
        self._far, self._way = far, way

    async def deliver(self, message: Outgoing) -> list[Outcome]:
        await asyncio.sleep(0)
        return self._far.take(self._way.name, message)

    async def close(self) -> None:
        await asyncio.sleep(0)

    async def check(self) -> list[Sign]:
        return []


class Time(asyncio.SelectorEventLoop):
    """A loop whose clock leaps to the next moment for which something is planned."""

    def __init__(self, chance: random.Random) -> None:
        self.moment = 0.0
        self.chance = chance
        super().__init__(Leaps(self))

    def time(self) -> float:
        return self.moment

    def soon(self, work: Callable[[], object]) -> None:
        """Do something after a time that disk or thread may take; often none."""
        self.call_later(self.chance.choice((0.0, 0.0, 0.001, 0.02)), work)


class Leaps(selectors.DefaultSelector):
    """Waits for nothing: there is only the loop's own pipe, and it is filled before anybody looks."""

    def __init__(self, loop: Time) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready or timeout == 0:
            return ready
        assert timeout is not None, "it hangs: what it waits for will never come"
        self._loop.moment += timeout
        return ready


class Threads(ThreadPoolExecutor):
    """Threads that are none: each work is done, and its end told, when the loop comes to it."""

    def __init__(self, loop: Time) -> None:
        super().__init__(1)
        self._loop = loop

    def submit(self, work: Callable[..., Any], /, *words: Any, **_: Any) -> Future[Any]:
        future: Future[Any] = Future()

        def do() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                result = work(*words)
            except Exception as error:
                told = partial(future.set_exception, error)
            else:
                told = partial(future.set_result, result)
            self._loop.soon(told)

        self._loop.soon(do)
        return future


class FrailSpool(Spool):
    """
    A spool that can crash before or behind a commit, and whose disk can refuse one.

    Its thread works while the loop stands still, at moments that the loop chooses.
    """

    crash: str = ""
    picture: Path
    refuse = 0
    refusal = sqlite3.SQLITE_FULL
    died: Callable[[], None]
    rest_seconds = 1e9

    def __init__(self, folder: Path, loop: Time, journal: Trail) -> None:
        self._loop = loop
        self._committed = threading.Event()
        self._handed: list[Any] = []
        super().__init__(
            folder,
            loop.call_soon_threadsafe,
            journal,
            soon=lambda work, _: 100.0 if loop.call_soon(work) else 0.0,
        )

    def _hand_over(self) -> None:
        self._planned = 0
        self._handed += self._gathered
        self._gathered = []
        if None in self._handed:
            self._work_now()
        else:
            self._loop.soon(self._work_now)

    def _work_now(self) -> None:
        if self._handed:
            handed, self._handed = self._handed, []
            self._committed.clear()
            self._work.put(handed)
            assert self._committed.wait(60)

    def _commit(self, batch: _Batch) -> None:
        try:
            if self.crash == "before":
                self._take_picture()
                self.died()
            super()._commit(batch)
            if self.crash == "behind":
                self._take_picture()
                # Behind the answers of this commit, which the clients have got.
                self._loop.call_soon_threadsafe(self.died)
        finally:
            self._committed.set()

    def _write(self, batch: _Batch) -> None:
        if self.refuse and (batch.rows or batch.updates or batch.removals):
            self.refuse -= 1
            error = sqlite3.OperationalError("refused")
            error.sqlite_errorcode = self.refusal
            raise error
        super()._write(batch)

    def _take_picture(self) -> None:
        """Keep the disk as it is at this instant; what this life does from here on has not happened."""
        self.crash = ""
        shutil.copytree(self.folder, self.picture, ignore=lambda _, names: [n for n in names if n == "lock"])


class Life:
    """One life of the relay on a folder, in a loop of its own that runs only when told to."""

    def __init__(
        self, folder: Path, read: Settings, far: FarSide, clock: Callable[[], float], chance: random.Random
    ) -> None:
        self.settings, self.far = read, far
        self.loop = Time(chance)
        self.loop.set_default_executor(Threads(self.loop))
        self.trail = Trail(folder / "audit.jsonl")
        self.spool = FrailSpool(folder, self.loop, self.trail)
        self.reader = Reader(folder)

        async def build() -> None:
            kind = Transport(
                "smarthost", Text("Smart host"), (), Limits(sessions=2), lambda way, _: Carrier(far, way)
            )
            self.office = PostOffice(
                read,
                {"smarthost": kind},
                Kit("relay.test", Tokens()),
                self.spool,
                self.reader,
                notice=self._notice,
                clock=clock,
            )
            self.office._chance = chance
            self.reception = Reception(read, self.spool, self.office, clock=clock)
            self.control = Control(self.spool, self.office, dict, self._report, self._kept)
            self.office.start()

        self.clock = clock
        self.run(build())

    async def _report(self, number: int) -> str:
        """The machine reports nothing: a report is one more message."""
        raise AssertionError(number)

    async def _kept(self) -> None:
        """The machine has nothing that is kept now and then only."""

    def _notice(
        self, envelope: Envelope, recipients: list[Recipient], content: bytes | None, delayed: bool
    ) -> tuple[Envelope, bytes] | None:
        return make_notice(
            envelope,
            recipients,
            content,
            delayed=delayed,
            number=self.spool.next_id(),
            hostname="relay.test",
            now=self.clock(),
            say=str,
        )

    def run(self, work: Awaitable[Any]) -> Any:
        async def bounded() -> Any:
            async with asyncio.timeout(3600.0):
                return await work

        return self.loop.run_until_complete(bounded())

    async def _round(self) -> None:
        """Let everything move once: a look at the disk, the lines, a commit and its answers."""
        self.office.wake()
        await asyncio.sleep(0.1)
        answered: asyncio.Future[None] = self.loop.create_future()
        self.spool.call(lambda _: None, lambda _, __: answered.set_result(None))
        await answered
        self.spool._resting_until = 0.0

    def settle(self) -> None:
        """Run until nothing moves."""

        async def go() -> None:
            quiet, before = 0, None
            for _ in range(400):
                await self._round()
                now = (self.office.in_hand, tuple(sorted(self.reader.count().items())))
                quiet = quiet + 1 if now == before and not self.office.in_hand else 0
                before = now
                if quiet >= 2 or self.far.dead:
                    return
            raise AssertionError(f"it never comes to rest: {before}")

        self.run(go())

    def say(self, session: Session, line: bytes) -> bytes:
        """Say something; give the reply, which for a message comes from the disk, and never from the dead."""
        session.receive(line)

        async def answer() -> None:
            done: asyncio.Future[bytes] = self.loop.create_future()
            self.reception.complete(session, lambda reply: done.set_result(b"" if self.far.dead else reply))
            session.resume(await done)

        while session.event is not None:
            self.run(answer())
        reply = b"".join(session.output)
        session.output.clear()
        return reply

    def change(self, change: str, number: int) -> str:
        """Ask as the command line does."""
        asked = {"token": self.control._token, "change": change, "ids": [number]}
        told = self.run(self.control._do(json.dumps(asked).encode()))
        return str(told[str(number)])

    def end(self, *, gracefully: bool) -> None:
        async def stop() -> None:
            await self.office.stop(5.0)
            if gracefully:
                await self._round()

        self.run(stop())
        self.spool.close()
        self.trail.close()
        self.loop.close()


class Queue(RuleBasedStateMachine):
    """The promises of all lives against what came of them."""

    def __init__(self) -> None:
        super().__init__()
        self.root = Path(tempfile.mkdtemp(prefix="portero-machine-"))
        self.lives = 0
        self.now = 1_790_000_000.0
        self.far = FarSide()
        # Queue id to recipients, and the times the relay crashed since.
        self.promised: dict[str, list[str]] = {}
        self.crashed: Counter[str] = Counter()
        self.dropped: set[str] = set()
        self.apart: set[str] = set()
        self.old: set[str] = set()

    @initialize(seed=st.integers(0, 2**32))
    def begin(self, seed: int) -> None:
        self.chance = random.Random(seed)
        (self.root / "relay.toml").write_text(
            CONFIG.format(folder=self.root, port=1, listener="", device="", way="", more="").replace(
                '[[way]]\nname = "hop"',
                '[[way]]\nname = "second"\nkind = "smarthost"\nhost = "x"\n[[way]]\nname = "hop"',
            )
        )
        self.settings = load_settings(self.root / "relay.toml")
        self.live(self.root / "life0")

    def live(self, folder: Path) -> None:
        self.life = Life(folder, self.settings, self.far, lambda: self.now, self.chance)

    @rule(people=st.lists(st.sampled_from(PEOPLE), min_size=1, max_size=4, unique=True), large=st.booleans(), stray=st.booleans())  # fmt: skip
    def accept(self, people: list[str], large: bool, stray: bool) -> None:
        """A device sends; where it strays from its rule the message goes to quarantine."""
        self._accept(people, large=large, stray=stray)

    def _accept(self, people: list[str], *, large: bool, stray: bool) -> None:
        life = self.life
        # The two seconds of rest that the disk gets after a refusal are over.
        life.spool._resting_until = 0.0
        session = Session(life.reception, Manners("test"), Peer("127.0.0.1"), "relay.test")
        sender = "stray@elsewhere.test" if stray else "scan@inside.test"
        head = f"EHLO x\r\nMAIL FROM:<{sender}>\r\n" + "".join(f"RCPT TO:<{each}>\r\n" for each in people)
        assert life.say(session, head.encode() + b"DATA\r\n").endswith(b"<CR><LF>.<CR><LF>\r\n")
        body = f"From: scan@inside.test\r\nSubject: x\r\n\r\n{'x' * (300_000 if large else 9)}\r\n.\r\n"
        reply = life.say(session, body.encode())
        if not reply.startswith(b"250"):
            return
        number = reply.decode().split()[-1]
        self.promised[number] = people
        if stray:
            self.apart.add(number)

    @rule(address=st.sampled_from(PEOPLE), answer=st.sampled_from(["ok", "ok", "later", "never"]))
    def people_change(self, address: str, answer: str) -> None:
        self.far.answers[address] = answer

    @rule(way=st.sampled_from(["hop", "second"]))
    def way_breaks_or_mends(self, way: str) -> None:
        self.far.down ^= {way}

    @rule()
    def lose_an_answer(self) -> None:
        self.far.silent = 1

    @rule(refusal=st.sampled_from([sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR]))
    def disk_refuses(self, refusal: int) -> None:
        self.life.spool.refuse, self.life.spool.refusal = 1, refusal

    @rule(seconds=st.sampled_from([1.0, 70.0, 5000.0, 20_000.0]))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds
        self.life.settle()

    @precondition(lambda self: self.promised)
    @rule()
    def messages_grow_old(self) -> None:
        """All that still waits comes to its end; notices of it have a life of their own."""
        self.far.down.clear()
        self.life.settle()
        self.now += LIFE_SECONDS
        self.old |= self.promised.keys()
        self.life.settle()

    @precondition(lambda self: self.promised)
    @rule(place=st.integers(0, 30), change=st.sampled_from(["hold", "release", "drop", "retry"]))
    def by_hand(self, place: int, change: str) -> None:
        number = list(self.promised)[place % len(self.promised)]
        told = self.life.change(change, int(number, 16))
        if told == "held":
            self.apart.add(number)
        elif told == "waiting":
            self.apart.discard(number)
        elif told == "gone" or (told == "sending" and change == "drop"):
            self.dropped.add(number)
        if told in {"held", "gone"}:
            before = self.sent(number)
            self.life.settle()
            assert self.sent(number) == before, "what is held or gone was sent all the same"

    @rule(moment=st.sampled_from(["before", "behind"]), large=st.booleans())
    def crash(self, moment: str, large: bool) -> None:
        """Crash at the next commit, with mail coming in and going out."""
        life = self.life
        self.lives += 1
        life.spool.picture = self.root / f"life{self.lives}"

        def died() -> None:
            self.far.dead = True

        life.spool.died = died
        life.spool.crash = moment
        self._accept(PEOPLE[:2], large=large, stray=False)
        life.run(life._round())
        if not self.far.dead:
            life.spool.keep("x", "y")
            life.run(life._round())
        assert self.far.dead
        life.spool.refuse = 0
        life.end(gracefully=False)
        self.crashed.update(self.promised.keys())
        self.far.dead = False
        self.live(life.spool.picture)

    @rule()
    def restart(self) -> None:
        self.life.spool.refuse = 0
        self.life.end(gracefully=True)
        self.live(self.life.spool.folder)

    def sent(self, number: str) -> int:
        return sum(times for (each, _), times in self.far.took.items() if each == number)

    @invariant()
    def nothing_twice_without_a_cause(self) -> None:
        for (number, address), times in self.far.took.items():
            causes = self.crashed[number] + self.far.doubts[number]
            assert times <= 1 + causes or number not in self.promised, (number, address, times)

    @invariant()
    def nothing_lost(self) -> None:
        """Each promise is on disk, or each of its recipients has an end with a cause."""
        if not hasattr(self, "life"):
            return
        kept = {each.queue_id for each in self.life.reader.messages((), 100_000)}
        for number, people in self.promised.items():
            if number not in kept and number not in self.dropped:
                for address in people:
                    key = (number, address)
                    ended = self.far.took[key] or key in self.far.refused or number in self.old
                    assert ended, f"{key} is lost"
        assert self.apart <= kept | self.dropped, "what was put apart is gone"

    def teardown(self) -> None:
        if not hasattr(self, "life"):
            return
        try:
            self.end()
        finally:
            self.life.end(gracefully=True)
            shutil.rmtree(self.root)

    def end(self) -> None:
        """Open all doors: the queue empties, the trail is whole, and who was refused has an owner that knows."""
        self.far.down.clear()
        self.far.silent = self.life.spool.refuse = 0
        self.far.answers = {each: "never" for each, answer in self.far.answers.items() if answer == "never"}
        for _ in range(60):
            self.life.settle()
            # What was on its way when somebody held it is held only now.
            for each in self.life.reader.messages(("held", "quarantined"), 100_000):
                assert self.life.change("release", each.id) == "waiting"
                self.apart.discard(each.queue_id)
            if not self.life.reader.count():
                break
            self.now += 5000.0
        assert self.life.reader.count() == {}
        self.nothing_lost()
        self.nothing_twice_without_a_cause()
        assert {state: n for state, n in self.life.spool.counts.items() if n} == {}
        assert self.life.spool.octets == 0
        assert not list(self.life.spool.bodies.iterdir())
        assert verify(self.life.spool.folder / "audit.jsonl").broken == ()
        told = b"".join(self.far.notices)
        for number, address in self.far.refused:
            if number in self.promised and number not in self.dropped and not self.far.took[number, address]:
                assert address.encode() in told, f"nobody was told of {address}"


TestQueue = Queue.TestCase
TestQueue.settings = settings(
    max_examples=int(os.environ.get("PORTERO_EXAMPLES", "25")),
    stateful_step_count=20,
    deadline=None,
    # A story that fails fails always, and its steps can be read; making it shorter would take minutes.
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    report_multiple_bugs=False,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
