"""The worker: takes what the spool holds out by its ways, paced, tried again, and never lost between two of them."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Protocol

import structlog

from portero.relay.envelope import Envelope, Fate, Recipient
from portero.relay.lane import IDLE_SECONDS, Entry, Job, Lane
from portero.relay.outcome import Kind, Outcome, Scope
from portero.relay.pace import Pace
from portero.relay.routes import choose
from portero.relay.schedule import FIRST_SECONDS, LONGEST_SECONDS, expired, next_wait
from portero.relay.settings import Settings
from portero.relay.transport import Carrier, Kit, Outgoing, Transport, Way

# What may wait in memory; the rest waits on disk alone.
_ENTRIES = 20_000
_OCTETS = 64 << 20
_POLL_SECONDS = 1.0
_KEPT_OCTETS = 65_536

log = structlog.get_logger("portero.relay")


class Store(Protocol):
    """What the worker asks of the spool."""

    @property
    def counts(self) -> Mapping[str, int]:
        """Count the messages by state."""

    def update(
        self, envelope: Envelope, was: str, done: Callable[[Exception | None], None] | None = None
    ) -> None:
        """Keep what changed."""

    def remove(
        self, envelope: Envelope, was: str, done: Callable[[Exception | None], None] | None = None
    ) -> None:
        """Take a message out."""

    def put(
        self, envelope: Envelope, content: bytes | None, done: Callable[[Exception | None], None]
    ) -> None:
        """Keep a message."""

    def note(self, record: dict[str, object]) -> None:
        """Write an audit record."""

    def next_id(self) -> int:
        """Give a new queue id."""


class Shelf(Protocol):
    """What the worker reads of the spool, in another thread."""

    def due(self, now: float, limit: int) -> list[Envelope]:
        """Give waiting messages whose time has come."""

    def content(self, envelope: Envelope) -> bytes | None:
        """Give a message's content, None where it is not there whole."""

    def message(self, number: int) -> Envelope | None:
        """Give one message's envelope."""


Notice = Callable[[Envelope, list[Recipient], bytes | None, bool], "tuple[Envelope, bytes] | None"]


class PostOffice:
    """
    Delivers.

    sign:    gives the fields to put before a content as it leaves, for example a DKIM signature.
    notice:  makes a delivery status notice about recipients, or gives None where nobody is to be told.
    """

    def __init__(
        self,
        settings: Settings,
        kinds: Mapping[str, Transport],
        kit: Kit,
        store: Store,
        shelf: Shelf,
        *,
        notice: Notice | None = None,
        sign: Callable[[Envelope, bytes], bytes] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._kinds = kinds
        self._kit = kit
        self._store = store
        self._shelf = shelf
        self._notice = notice
        self.sign = sign
        self._clock = clock
        self._held: dict[int, Entry] = {}
        # Let go since the last look at the disk began: what that look saw of them is old.
        self._gone: set[int] = set()
        # The disk is about to change them by hand.
        self._changing: set[int] = set()
        self._octets = 0
        self._stopping = False
        self._poll: asyncio.Task[None] | None = None
        self._wake = asyncio.Event()
        # Spreads retries only; nobody gains by guessing it.
        self._chance = random.Random()  # noqa: S311
        self._tasks: set[asyncio.Task[None]] = set()
        self.lanes: dict[str, Lane] = {}
        self._paces: dict[str, Pace] = {}
        self.expired = 0
        self.reload(settings)

    def reload(self, settings: Settings) -> None:
        """Take new ways and routes; a line under way keeps its own until its message is settled."""
        self._settings = settings
        self._device_ways = {device.name: device.ways for device in settings.devices}
        for way in settings.ways:
            pace = self._paces.get(way.pace_key)
            if pace is None or pace.limits != way.limits:
                kept = pace.kept() if pace else {}
                pace = self._paces[way.pace_key] = Pace(way.limits)
                pace.restore(kept)
            lane = self.lanes.get(way.name)
            if lane is None:
                self.lanes[way.name] = Lane(way, self._kinds[way.kind], pace)
            elif lane.way != way:
                lane.way, lane.transport, lane.pace = way, self._kinds[way.kind], pace
                lane.down_until = 0.0
        for name in self.lanes.keys() - {way.name for way in settings.ways}:
            gone = self.lanes.pop(name)
            jobs = list(gone.ready)
            gone.ready.clear()
            for job in jobs:
                self._route_again(job)

    @property
    def paces(self) -> Mapping[str, Pace]:
        """Give the allowances by their keys."""
        return self._paces

    def kept(self) -> str:
        """Give the allowances as a text that `restore` reads after a restart."""
        return json.dumps({key: pace.kept() for key, pace in self._paces.items()})

    def restore(self, kept: str | None) -> None:
        """Take up the allowances of the last run."""
        try:
            held = json.loads(kept or "{}")
            for key, pace in self._paces.items():
                pace.restore(held.get(key, {}))
        except (ValueError, TypeError, AttributeError):
            log.warning("paces-unreadable")

    def now(self) -> float:
        """Give the time by which lanes rest."""
        return self._clock()

    @property
    def in_hand(self) -> int:
        """Count the messages in hand."""
        return len(self._held)

    def room(self, octets: int) -> bool:
        """Tell whether a message of this size may stay in memory for its delivery."""
        return len(self._held) < _ENTRIES and self._octets + octets <= _OCTETS and not self._stopping

    def take(self, envelope: Envelope, content: bytes | None) -> None:
        """Deliver a message that is durable now."""
        self._hold(Entry(envelope, content, envelope.state))

    def start(self) -> None:
        """Begin to take up what waits on disk."""
        self._poll = asyncio.get_running_loop().create_task(self._take_up())

    def wake(self) -> None:
        """Look at once for what is due."""
        self._wake.set()

    async def stop(self, seconds: float = 10.0) -> None:
        """End: what is under way gets so long, the rest stays on disk."""
        self._stopping = True
        if self._poll is not None:
            self._poll.cancel()
            await asyncio.gather(self._poll, return_exceptions=True)
        tasks = [task for lane in self.lanes.values() for task in lane.tasks]
        for lane in self.lanes.values():
            lane.ready.clear()
            while lane.wake():
                pass
        if tasks:
            _, pending = await asyncio.wait(tasks, timeout=seconds)
            for task in pending:
                task.cancel()
            await asyncio.gather(*pending, return_exceptions=True)

    def alter(self, number: int, change: str) -> str | None:
        """
        Change a message in hand: what is being sent ends first.

        None where it is not in hand: the disk changes it, and it is not taken up before `altered` is called.
        """
        entry = self._held.get(number)
        if entry is None or entry.away:
            self._changing.add(number)
            return None
        if change == "drop":
            entry.dropped = True
        elif change == "hold":
            entry.hold = True
        return "sending"

    def altered(self, numbers: Iterable[int]) -> None:
        """Take up again what the disk has changed by hand; a look at the disk that is under way saw it as it was."""
        self._changing.difference_update(numbers)
        self._gone.update(numbers)
        self.wake()

    async def _take_up(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            now = self._clock()
            up = any(not lane.down(now) for lane in self.lanes.values())
            if up and self._store.counts.get("waiting", 0) and len(self._held) < _ENTRIES:
                mine = len(self._held)
                self._gone.clear()
                try:
                    due = await loop.run_in_executor(None, self._shelf.due, now, min(_ENTRIES, 500 + mine))
                except Exception as error:
                    # The worker's loop is one of the three places where anything may end: the next look may succeed.
                    log.error("queue-unreadable", error=str(error))
                    due = []
                for envelope in due:
                    number = envelope.id
                    known = number in self._held or number in self._gone or number in self._changing
                    if not known and self.room(0):
                        self._hold(Entry(envelope, None, "waiting"))
            # Not wait_for: up to Python 3.11 it forgets a cancellation that comes together with the wake, and `stop` waits
            # for ever. Source: github.com/python/cpython/issues/86296
            with suppress(TimeoutError):
                async with asyncio.timeout(_POLL_SECONDS):
                    await self._wake.wait()
            self._wake.clear()

    def _hold(self, entry: Entry) -> None:
        envelope = entry.envelope
        self._held[envelope.id] = entry
        self._octets += len(entry.content or b"")
        if expired(envelope.received_at, self._clock(), self._settings.expire_seconds):
            for recipient in envelope.recipients:
                if recipient.fate is Fate.WAITING:
                    recipient.fate = Fate.EXPIRED
                    self.expired += 1
            self._finish(entry)
            return
        self._dispatch(entry, [each for each in envelope.recipients if each.fate is Fate.WAITING])

    def _dispatch(self, entry: Entry, recipients: list[Recipient]) -> None:
        """Hand recipients to the lanes of their best ways that are up; what has no such way waits."""
        now = self._clock()
        groups: dict[str, list[Recipient]] = {}
        for recipient in recipients:
            route = self._route(entry.envelope, recipient)
            usable = [name for name in route if name in self.lanes]
            up = next((name for name in usable if not self.lanes[name].down(now)), None)
            if up is not None:
                groups.setdefault(up, []).append(recipient)
            elif not usable:
                recipient.reply = "no way out can carry this recipient"
                recipient.attempts += 1
            else:
                entry.retry_after = max(
                    entry.retry_after, min(self.lanes[name].down_until for name in usable) - now
                )
        limit = None
        for name, group in groups.items():
            lane = self.lanes[name]
            limit = lane.transport.recipients
            parts = [group[at : at + limit] for at in range(0, len(group), limit)] if limit else [group]
            for part in parts:
                entry.open += 1
                lane.ready.append(Job(entry, part))
                self._call(lane)
        if entry.open == 0:
            self._finish(entry)

    def _route(self, envelope: Envelope, recipient: Recipient) -> list[str]:
        settings = self._settings
        return choose(
            envelope,
            recipient.address,
            organisation=settings.organisation,
            device_ways=self._device_ways.get(envelope.device, ()),
            routes=settings.routes,
            ways=settings.ways,
            kinds=self._kinds,
        )

    def _route_again(self, job: Job) -> None:
        job.entry.open -= 1
        self._dispatch(job.entry, job.recipients)

    def _call(self, lane: Lane) -> None:
        """Wake an idle line of a lane, or open one more where the far side allows it."""
        if lane.wake():
            return
        if len(lane.tasks) < lane.pace.limits.sessions and not self._stopping:
            task = asyncio.get_running_loop().create_task(self._work(lane))
            lane.tasks.add(task)
            task.add_done_callback(lane.tasks.discard)

    async def _work(self, lane: Lane) -> None:
        """Be one line of a lane: carry jobs one after another until there are none."""
        carrier: Carrier | None = None
        opened: Way | None = None
        try:
            while not self._stopping:
                if not lane.ready:
                    if not await lane.rest():
                        return
                    continue
                job = lane.ready.popleft()
                now = self._clock()
                wait = lane.pace.wait(now, len(job.recipients))
                if wait > 0:
                    lane.ready.appendleft(job)
                    if wait > IDLE_SECONDS and carrier is not None:
                        await carrier.close()
                        carrier = None
                    await asyncio.sleep(min(wait, 60.0))
                    continue
                lane.pace.begin(now, len(job.recipients))
                if carrier is not None and opened is not lane.way:
                    await carrier.close()
                    carrier = None
                if carrier is None:
                    carrier, opened = self._open(lane, job), lane.way
                    if carrier is None:
                        return
                failed = await self._carry(lane, carrier, job)
                if failed:
                    await carrier.close()
                    carrier = None
                    if lane.down(self._clock()):
                        return
        except Exception as error:
            # The worker's loop: a fault of ours must not end the lane, nor lose what it held.
            log.exception("lane-failed", way=lane.way.name)
            self._trouble(lane, Outcome(Kind.DEFERRED, f"{type(error).__name__}: {error}", Scope.WAY))
        finally:
            if carrier is not None:
                await carrier.close()

    def _open(self, lane: Lane, job: Job) -> Carrier | None:
        """Open a lane's way for a job, or settle that it cannot be: a certificate may be gone since the start."""
        try:
            return lane.transport.open(lane.way, self._kit)
        except Exception as error:
            log.error("way-unusable", way=lane.way.name, error=str(error))
            told = Outcome(Kind.DEFERRED, str(error) or type(error).__name__, Scope.WAY)
            self._settle(lane, job, [told] * len(job.recipients))
            return None

    async def _carry(self, lane: Lane, carrier: Carrier, job: Job) -> bool:
        """Carry one job and settle it; True where the line is to be opened anew."""
        entry, envelope = job.entry, job.entry.envelope
        if entry.dropped or entry.hold:
            entry.open -= 1
            if entry.open == 0:
                self._finish(entry)
            return False
        try:
            content = entry.content or entry.read
            if content is None:
                content = await asyncio.get_running_loop().run_in_executor(
                    None, self._shelf.content, envelope
                )
            if content is None:
                self._torn(entry)
                return False
            # For a notice, should there be one; a large content is read again rather than kept.
            entry.read = content if len(content) <= _KEPT_OCTETS else None
            if self.sign is not None:
                content = self.sign(envelope, content)
            outcomes = await carrier.deliver(
                Outgoing(
                    queue_id=envelope.queue_id,
                    mail_from=envelope.mail_from,
                    recipients=[(each.address, each.notify, each.orcpt) for each in job.recipients],
                    content=content,
                    eight_bit=envelope.eight_bit,
                    smtputf8=envelope.smtputf8,
                    longest_line=envelope.longest_line,
                    ret=envelope.ret,
                    envid=envelope.envid,
                )
            )
        except asyncio.CancelledError:
            raise
        except Exception as error:
            # A fault of ours that one message brings out: it waits, and must not stop all others by resting the way.
            log.exception("delivery-failed", way=lane.way.name, id=envelope.queue_id)
            told = Outcome(Kind.DEFERRED, f"{type(error).__name__}: {error}", Scope.MESSAGE)
            outcomes = [told] * len(job.recipients)
        return self._settle(lane, job, outcomes)

    def _settle(self, lane: Lane, job: Job, outcomes: list[Outcome]) -> bool:
        entry = job.entry
        way_failed: Outcome | None = None
        again: list[Recipient] = []
        now = self._clock()
        for recipient, outcome in zip(job.recipients, outcomes, strict=True):
            recipient.reply, recipient.way = outcome.reply, lane.way.name
            # A way that fails says nothing of the message: only answers about it count as its tries.
            recipient.attempts += outcome.scope is not Scope.WAY
            if outcome.kind is Kind.DELIVERED:
                recipient.fate = Fate.DELIVERED
                lane.delivered += 1
            elif outcome.kind is Kind.REFUSED:
                recipient.fate = Fate.REFUSED
                lane.refused += 1
            else:
                lane.deferred += 1
                if outcome.retry_after_seconds:
                    entry.retry_after = max(entry.retry_after, outcome.retry_after_seconds)
                if outcome.scope is Scope.WAY:
                    way_failed = outcome
                    again.append(recipient)
        self._note(entry.envelope, job.recipients, outcomes, lane, now)
        if way_failed is not None:
            self._trouble(lane, way_failed)
        elif lane.trouble:
            log.info("way-works-again", way=lane.way.name)
            lane.trouble, lane.failures, lane.down_until = "", 0, 0.0
        entry.open -= 1
        others = [each for each in again if self._another(entry, each, now)]
        if others and not (entry.dropped or entry.hold):
            self._dispatch(entry, others)
        elif entry.open == 0:
            self._finish(entry)
        return way_failed is not None

    def _another(self, entry: Entry, recipient: Recipient, now: float) -> bool:
        """Tell whether a recipient whose way failed has another that is up."""
        route = self._route(entry.envelope, recipient)
        return any(name in self.lanes and not self.lanes[name].down(now) for name in route)

    def _trouble(self, lane: Lane, outcome: Outcome) -> None:
        """Rest a lane whose way failed, and give what it held to other ways or back to the disk."""
        now = self._clock()
        if not lane.down(now):
            lane.failures += 1
            wait = outcome.retry_after_seconds or min(
                5.0 * 2 ** min(lane.failures - 1, 12), LONGEST_SECONDS / 4
            )
            lane.down_until = now + wait
            lane.pace.pause(now + (outcome.retry_after_seconds or 0.0))
            lane.trouble = outcome.reply
            log.warning("way-fails", way=lane.way.name, reply=outcome.reply, again_in_seconds=round(wait))
        jobs = list(lane.ready)
        lane.ready.clear()
        for job in jobs:
            self._route_again(job)

    def _torn(self, entry: Entry) -> None:
        """Put a message aside whose content is not whole: a person must see it, and nobody may get half of it."""
        envelope = entry.envelope
        log.error("content-torn", id=envelope.queue_id)
        envelope.state = "held"
        envelope.reasons = [["torn", envelope.queue_id]]
        entry.open -= 1
        if entry.open:
            # Another job of this message finds the same, and is the last.
            return
        self._store.note(
            {"at": self._clock(), "event": "torn", "id": envelope.queue_id, "device": envelope.device}
        )
        self._put_back(entry)

    def _finish(self, entry: Entry) -> None:
        """Put a message away that no lane holds: gone from the spool, or with its next time to try."""
        envelope, now = entry.envelope, self._clock()
        if entry.dropped:
            for each in envelope.recipients:
                if each.fate is Fate.WAITING:
                    each.fate, each.told = Fate.DROPPED, True
            self._store.note({"at": now, "event": "drop", "id": envelope.queue_id, "device": envelope.device})
            self._remove(entry)
            return
        if entry.hold and not envelope.finished:
            envelope.state = "held"
            self._store.note({"at": now, "event": "hold", "id": envelope.queue_id, "device": envelope.device})
            self._put_back(entry)
            return
        ended = [
            each
            for each in envelope.recipients
            if each.fate in {Fate.REFUSED, Fate.EXPIRED} and not each.told
        ]
        if envelope.finished:
            if ended:
                self._tell(entry, ended, self._remove)
            else:
                self._remove(entry)
            return
        waiting = [each for each in envelope.recipients if each.fate is Fate.WAITING]
        attempts = max(each.attempts for each in waiting)
        if attempts == 0:
            wait = max(entry.retry_after, 1.0)
        else:
            wait = next_wait(attempts, self._chance.random(), entry.retry_after or None)
        envelope.state, envelope.due_at = "waiting", now + wait
        warn = self._settings.warn_seconds
        if ended:
            self._tell(entry, ended, self._put_back)
        elif warn > 0 and not envelope.warned and now - envelope.received_at >= warn:
            envelope.warned = True
            self._tell(entry, waiting, self._put_back, delayed=True)
        else:
            self._put_back(entry)

    def _remove(self, entry: Entry) -> None:
        self._store.remove(entry.envelope, entry.was, self._let_go(entry))

    def _put_back(self, entry: Entry) -> None:
        self._store.update(entry.envelope, entry.was, self._let_go(entry))

    def _let_go(self, entry: Entry) -> Callable[[Exception | None], None]:
        """Free what a message occupies; it counts as in hand until the disk knows better."""
        self._octets -= len(entry.content or b"")
        entry.content = entry.read = None
        entry.away = True

        def known(_: Exception | None) -> None:
            self._held.pop(entry.envelope.id, None)
            self._gone.add(entry.envelope.id)

        return known

    def _tell(
        self,
        entry: Entry,
        recipients: list[Recipient],
        then: Callable[[Entry], None],
        *,
        delayed: bool = False,
    ) -> None:
        """Make the notice durable before the message it is about goes."""
        made = (
            self._notice(entry.envelope, recipients, entry.content or entry.read, delayed)
            if self._notice
            else None
        )
        if made is None:
            then(entry)
            return
        envelope, content = made

        def kept(error: Exception | None) -> None:
            if error is None:
                for recipient in recipients:
                    recipient.told = not delayed
                self.take(envelope, content)
                then(entry)
                return
            # No room for the notice: the message stays, and is looked at again.
            entry.envelope.state, entry.envelope.due_at = "waiting", self._clock() + FIRST_SECONDS
            self._put_back(entry)

        self._store.put(envelope, content, kept)

    def _note(
        self,
        envelope: Envelope,
        recipients: list[Recipient],
        outcomes: list[Outcome],
        lane: Lane,
        now: float,
    ) -> None:
        self._store.note(
            {
                "at": now,
                "event": "tried",
                "id": envelope.queue_id,
                "device": envelope.device,
                "way": lane.way.name,
                "to": [[each.address, outcome.kind, outcome.reply] for each, outcome in zip(recipients, outcomes, strict=True)],
            }
        )  # fmt: skip
