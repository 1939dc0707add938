"""The relay as one running service: binds, drops root, takes mail in, takes it out, and stops without losing any."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import structlog

from portero.core.text import Text
from portero.errors import ConfigError
from portero.relay.audit import Trail
from portero.relay.control import Control
from portero.relay.dkim import Signer
from portero.relay.dsn import make_notice
from portero.relay.envelope import Envelope, Recipient
from portero.relay.listener import Gate, server_context
from portero.relay.observer import Habits
from portero.relay.passwords import Passwords
from portero.relay.quarantine_report import make_report, reported
from portero.relay.queue_file import unusable
from portero.relay.reception import Reception
from portero.relay.settings import Listener, Settings, load_settings
from portero.relay.spool import Reader, Spool
from portero.relay.status import StatusDoor
from portero.relay.tokens import Tokens
from portero.relay.transport import Kit
from portero.relay.transports import transports
from portero.relay.worker import PostOffice

log = structlog.get_logger("portero.relay")
TRAIL = "audit.jsonl"
_PACES = "paces"
_KEEP_SECONDS = 15
# What comes while one commit is made shares the next: two tenths of a millisecond for each connection, about what a
# message of each of them takes, makes commits few and costs no client a turn.
_GATHER_SECONDS = 0.0002
_GATHER_AT_MOST_SECONDS = 0.01
# What a running relay keeps from its start.
_STARTED_WITH = ("hostname", "spool", "user", "audit", "status")


def serve(
    settings: Settings,
    ready: Callable[[dict[str, int]], None] | None = None,
    say: Callable[[Text], str] = str,
) -> None:
    """
    Run until the system says stop.

    ready:  gets the opened ports by listener, once mail is taken.
    say:    renders the sentences of notices.
    Raises ConfigError, SpoolBusy.
    """
    # What was imported stays; what a message makes dies without cycles, so the collector need not look so often.
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
    try:
        import uvloop
    except ImportError:
        # Windows has none: asyncio's own loop does the same work for a quarter more.
        asyncio.run(_serve(settings, ready, say))
        return
    uvloop.run(_serve(settings, ready, say))


async def _serve(
    settings: Settings, ready: Callable[[dict[str, int]], None] | None, say: Callable[[Text], str]
) -> None:
    relay = Relay(settings, say)
    await relay.start()
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        try:
            loop.add_signal_handler(name, stop.set)
        except NotImplementedError:
            # Windows: the service manager ends the process, and the queue is written for that.
            break
    if hasattr(signal, "SIGHUP"):
        loop.add_signal_handler(signal.SIGHUP, relay.reload)
    if ready is not None:
        ready(relay.ports)
    await stop.wait()
    await relay.stop()


class Relay:
    """All parts of the relay, put together."""

    def __init__(self, settings: Settings, say: Callable[[Text], str] = str) -> None:
        self.settings = settings
        self._say = say
        self.gates: list[Gate] = []
        self._watcher: asyncio.Task[None] | None = None
        self._door: StatusDoor | None = None

    @property
    def ports(self) -> dict[str, int]:
        """Give the opened ports by listener."""
        return {gate.listener.manners.name: gate.port for gate in self.gates}

    async def start(self) -> None:
        """
        Open the ports, become the unprivileged user, then take up the queue, then take mail.

        Raises ConfigError, SpoolBusy.
        """
        settings, loop = self.settings, asyncio.get_running_loop()
        trail = settings.audit or settings.spool / TRAIL
        for listener in settings.listeners:
            gate = Gate(listener)
            await gate.bind()
            self.gates.append(gate)
        if settings.user:
            become(settings.user, (settings.spool, trail.parent))
        try:
            # The folder first: the trail stands in it.
            settings.spool.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise unusable(settings.spool, error) from error
        try:
            self.trail = Trail(trail)
        except OSError as error:
            raise ConfigError(
                (
                    Text(
                        "The audit trail cannot be written to {path}: {reason}. Name a file that the relay may write in audit.",
                        path=str(trail),
                        reason=error.strerror or str(error),
                    ),
                )
            ) from error
        self.spool = Spool(
            settings.spool,
            loop.call_soon_threadsafe,
            self.trail,
            free_octets=settings.free_octets,
            soon=self._gather,
        )
        self.tokens = Tokens()
        reader = Reader(settings.spool)
        self.office = PostOffice(
            settings,
            transports(),
            Kit(settings.hostname, self.tokens),
            self.spool,
            reader,
            notice=self._notice,
            sign=_sign(settings),
        )
        self.office.restore(reader.kept(_PACES))
        self.habits = Habits(reader)
        self.reception = Reception(
            settings,
            self.spool,
            self.office,
            observer=self.habits,
            check_password=Passwords(settings.passwords).right,
        )
        self.control = Control(self.spool, self.office, self.status, self._report, self._kept)
        await self.control.open()
        self.office.start()
        for gate in self.gates:
            await gate.serve(self.reception)
        if settings.status is not None:
            self._door = StatusDoor(self.numbers, lambda: self.spool.ready and not self.reception.stopping)
            await self._door.open(*settings.status)
        self._watcher = loop.create_task(self._watch())

    def _gather(self, hand_over: Callable[[], None], patient: bool) -> float:
        """
        Hand over at once where few are connected; where many are, their commits are worth a short wait.

        Gives how many new messages end it early: while half of those connected wait, the other half can speak.
        """
        loop = asyncio.get_running_loop()
        connected = sum(len(gate.open) for gate in self.gates)
        wait = min(connected * _GATHER_SECONDS, _GATHER_AT_MOST_SECONDS)
        if wait < 0.001:
            loop.call_soon(hand_over)
        else:
            # What is delivered goes with the next that is accepted.
            loop.call_later(wait * 4 if patient else wait, hand_over)
        return connected / 2

    def reload(self) -> None:
        """
        Read the configuration anew; a wrong one is told and changes nothing.

        What is bound to the start (ports, kinds of TLS, folders, names, the user) stays, and the log says so.
        """
        try:
            settings = load_settings(Path(self.settings.file))
            sign = _sign(settings)
            for listener in settings.listeners:
                if listener.tls != "none":
                    # Tried on the side: a certificate that does not fit its key must change nothing.
                    server_context(listener)
        except ConfigError as error:
            log.error("reload-refused", problems=[str(each) for each in error.problems])
            return
        kept = [name for name in _STARTED_WITH if getattr(settings, name) != getattr(self.settings, name)]
        listeners = {_door(each): each for each in settings.listeners}
        for gate in self.gates:
            at = _door(gate.listener)
            if at in listeners:
                gate.reload(listeners.pop(at))
            else:
                kept.append(f"listener {gate.listener.manners.name}")
        kept += [f"listener {each.manners.name}" for each in listeners.values()]
        if kept:
            log.warning("needs-restart", what=kept)
        self.settings = replace(settings, **{name: getattr(self.settings, name) for name in _STARTED_WITH})
        self.reception.reload(self.settings)
        self.reception.check_password = Passwords(settings.passwords).right
        self.office.reload(self.settings)
        self.office.sign = sign
        self.spool.free_octets = settings.free_octets
        log.info("reloaded")

    async def stop(self) -> None:
        """Stop: first no new mail, then what is under way, then the disk."""
        self.reception.stopping = True
        await asyncio.gather(*(gate.stop() for gate in self.gates))
        await self.office.stop()
        await self._written()
        self.control.close()
        if self._door is not None:
            self._door.close()
        self._keep()
        if self._watcher is not None:
            self._watcher.cancel()
        await asyncio.to_thread(self.spool.close)
        self.trail.close()

    async def _written(self) -> None:
        """Wait until the disk has answered for all that was handed to it: an answer may bring one more change."""
        written: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.spool.call(lambda _: None, lambda _, __: written.set_result(None))
        await written

    def _notice(
        self, envelope: Envelope, recipients: list[Recipient], content: bytes | None, delayed: bool
    ) -> tuple[Envelope, bytes] | None:
        return make_notice(
            envelope,
            recipients,
            content,
            delayed=delayed,
            number=self.spool.next_id(),
            hostname=self.settings.hostname,
            now=self.office.now(),
            say=self._say,
        )

    async def _report(self, number: int) -> str:
        """Send the owner of a message in quarantine a report, through the queue like any mail."""
        reader, loop = Reader(self.settings.spool), asyncio.get_running_loop()
        envelope = await asyncio.to_thread(reader.message, number)
        if envelope is None or envelope.state != "quarantined":
            return "missing" if envelope is None else "unchanged"
        made = make_report(
            envelope,
            await asyncio.to_thread(reader.content, envelope),
            number=self.spool.next_id(),
            hostname=self.settings.hostname,
            now=self.office.now(),
            say=self._say,
        )
        if made is None:
            return "ownerless"
        kept: asyncio.Future[Exception | None] = loop.create_future()
        self.spool.put(
            *made, lambda error: None if kept.done() else kept.set_result(error), reported(envelope, made[0])
        )
        error = await kept
        if error is not None:
            return str(error)
        self.office.take(*made)
        return "reported"

    def status(self) -> dict[str, object]:
        """Tell how the relay does, for programs."""
        now = self.office.now()
        return {
            "counts": dict(self.spool.counts),
            "connections": sum(len(gate.open) for gate in self.gates),
            "accepting": self.spool.ready,
            "ways": [
                {
                    "name": lane.way.name,
                    "kind": lane.way.kind,
                    "waiting": len(lane.ready),
                    "sessions": len(lane.tasks),
                    "trouble": lane.trouble or None,
                    "again_in_seconds": round(max(lane.down_until - now, 0.0)),
                    "delivered": lane.delivered,
                    "deferred": lane.deferred,
                    "refused": lane.refused,
                    "drain_seconds": lane.pace.drain_seconds(len(lane.ready), now),
                }
                for lane in self.office.lanes.values()
            ],
        }

    def numbers(self) -> Iterator[tuple[str, str, str, Mapping[str, str], float]]:
        """Give the metrics: name, kind, help, labels, value."""
        tally, spool, now = self.reception.tally, self.spool, self.office.now()
        yield "portero_relay_accepted", "counter", "Messages answered 250.", {}, tally.accepted
        yield "portero_relay_accepted_octets", "counter", "Octets of messages answered 250.", {}, tally.octets
        yield "portero_relay_quarantined", "counter", "Messages put in quarantine.", {}, tally.quarantined
        yield (
            "portero_relay_mended",
            "counter",
            "Messages whose bare line ends were mended.",
            {},
            tally.mended,
        )
        for reason, number in sorted(tally.refused.items()):
            yield "portero_relay_refused", "counter", "Refusals by reason.", {"reason": reason}, number
        for state in ("fresh", "waiting", "held", "quarantined"):
            yield (
                "portero_relay_messages",
                "gauge",
                "Messages in the queue by state.",
                {"state": state},
                spool.counts[state],
            )
        yield "portero_relay_octets", "gauge", "Octets in the queue.", {}, spool.octets
        yield "portero_relay_accepting", "gauge", "1 while mail is taken.", {}, float(spool.ready)
        yield "portero_relay_commits", "counter", "Commits to disk.", {}, spool.commits
        yield "portero_relay_disk_refusals", "counter", "Messages the disk refused.", {}, spool.refused
        yield (
            "portero_relay_expired",
            "counter",
            "Recipients given up after their time.",
            {},
            self.office.expired,
        )
        for gate in self.gates:
            name = {"listener": gate.listener.manners.name}
            yield "portero_relay_connections", "gauge", "Open connections.", name, len(gate.open)
        for lane in self.office.lanes.values():
            way = {"way": lane.way.name}
            yield "portero_relay_delivered", "counter", "Recipients delivered.", way, lane.delivered
            yield "portero_relay_deferred", "counter", "Recipients deferred.", way, lane.deferred
            yield (
                "portero_relay_recipients_refused",
                "counter",
                "Recipients the far side refused.",
                way,
                lane.refused,
            )
            yield "portero_relay_way_up", "gauge", "1 while the way works.", way, float(not lane.down(now))
            yield "portero_relay_way_ready", "gauge", "Messages in memory for the way.", way, len(lane.ready)
            drain = lane.pace.drain_seconds(len(lane.ready), now)
            yield "portero_relay_drain_seconds", "gauge", "Least time for what it holds.", way, drain or 0.0

    async def _watch(self) -> None:
        seconds, trouble = 0, ""
        while True:
            await asyncio.to_thread(self.spool.look)
            before, trouble = trouble, self.spool.trouble
            if trouble and not before:
                log.error("takes-no-mail", reason=trouble, folder=str(self.settings.spool))
            elif before and not trouble:
                log.info("takes-mail-again")
            await asyncio.sleep(1.0)
            seconds += 1
            if seconds % _KEEP_SECONDS == 0:
                self._keep()

    async def _kept(self) -> None:
        """Keep it now, for who is about to read it."""
        self._keep()
        await self._written()

    def _keep(self) -> None:
        """Keep what a restart should not forget, and no promise hangs on."""
        self.habits.keep(self.spool)
        self.spool.keep(_PACES, self.office.kept())


def _sign(settings: Settings) -> Callable[[Envelope, bytes], bytes] | None:
    """Give what signs as mail leaves. Raises ConfigError where a key cannot be read."""
    return Signer(settings.dkim, time.time).sign if settings.dkim else None


def _door(listener: Listener) -> tuple[object, ...]:
    """Give what of a listener is bound to its open port."""
    return listener.host, listener.port, listener.tls, listener.old_tls


def become(user: str, folders: tuple[Path, ...]) -> None:
    """
    Give the folders to a user and become that user for good.

    Raises ConfigError where there is no such user, or where we are not root and somebody else.
    """
    try:
        import grp
        import pwd
    except ImportError:
        raise ConfigError(
            (Text("user works on Unix. On Windows name the account in the service's settings."),)
        ) from None
    try:
        entry = pwd.getpwnam(user)
    except KeyError:
        raise ConfigError((Text("There is no user {user} on this system. Make it.", user=user),)) from None
    if os.geteuid() == entry.pw_uid:
        return
    if os.geteuid() != 0:
        raise ConfigError((Text("Only root can become {user}. Start as root or as {user}.", user=user),))
    for folder in folders:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for path in (folder, *folder.rglob("*")):
            with suppress(FileNotFoundError):
                os.chown(path, entry.pw_uid, entry.pw_gid, follow_symlinks=False)
    groups = [each.gr_gid for each in grp.getgrall() if user in each.gr_mem]
    os.setgroups([entry.pw_gid, *groups])
    os.setgid(entry.pw_gid)
    os.setuid(entry.pw_uid)
    if not os.access(os.__file__, os.R_OK):
        # What is imported late, for a kind of message that comes next week, would fail then and not now.
        log.warning("program-unreadable", user=user, path=os.__file__)
