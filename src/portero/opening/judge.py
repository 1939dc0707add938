"""Judges many mails: each opened and judged in a worker that is ended when one takes too long."""

from __future__ import annotations

import multiprocessing
import signal
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field

from portero.core.explain import Unread, Verdict, judge_mail
from portero.core.mail.mime import Mail
from portero.core.message.arrival import Known, find_arrival
from portero.core.message.case import Case, Rule
from portero.core.message.content import Content
from portero.core.message.model import Model
from portero.core.rules import rules
from portero.core.text import Text
from portero.opening.budget import Budget
from portero.opening.letter import open_content, read_letter, reported
from portero.opening.outlook import SIGNATURE

# Octets, and messages of each process, that are read ahead of the judging.
_AHEAD = 32 << 20
_MOST_AHEAD = 8


@dataclass(frozen=True, slots=True)
class Task:
    """One message to judge: where it stands, and its octets; None for one that is longer than is read."""

    origin: str
    octets: bytes | None


@dataclass(frozen=True)
class Judge:
    """
    Opens and judges one message.

    own_rules:  the organisation's own rules, after those of this program.
    seconds:    for one message, beyond the budget's own: a decoder that does not come back is ended with its process.
    """

    known: Known
    model: Model | None = None
    own_rules: tuple[Rule, ...] = ()
    seconds: float = 9.5

    def __call__(self, task: Task) -> Verdict | Unread:
        """Judge one message; one that is none is `Unread`."""
        if task.octets is None:
            return Unread(task.origin, _TOO_LONG)
        origin, octets = task.origin, task.octets
        mail = read_letter(octets)
        if mail is None:
            return Unread(origin, _NO_MAIL)
        sent = not octets.startswith(SIGNATURE)
        original = reported(mail)
        if original is not None:
            (mail, octets), origin = original, f"{origin}{ORIGINAL}"
            sent = sent and not octets.startswith(SIGNATURE)
        content = open_content(mail, Budget()) if mail.has_body else Content()
        return judge_mail(
            origin,
            mail,
            content,
            self.known,
            (*rules(), *self.own_rules),
            self.model,
            octets if sent else None,
        )


def case_of(octets: bytes) -> Case | None:
    """Open one message as a case for learning: without the organisation's knowledge, its opened parts let go."""
    mail = read_letter(octets)
    if mail is None:
        return None
    mail, _ = reported(mail) or (mail, octets)
    content = open_content(mail, Budget()) if mail.has_body else Content()
    known = Known()
    return Case(Mail(mail.fields, (), mail.cut, mail.has_body), find_arrival(mail, known), content, known)


# Behind the origin of a user's report whose original was judged.
ORIGINAL = "!original"
_TOO_LONG = Text("The message is longer than is read.")
_NO_MAIL = Text("This is no message: neither mail, nor a .msg, nor header text.")
_SLOW = Text("Opening it did not come to an end and was stopped; treat it as hostile.")
_JUDGE: list[Judge] = []


def _begin(judge: Judge) -> None:
    _JUDGE[:] = [judge]
    rules()


def _work(task: Task) -> Verdict | Unread:
    # The default action ends this process even where a decoder never comes back to Python.
    if hasattr(signal, "setitimer"):
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_REAL, _JUDGE[0].seconds)
    try:
        return _JUDGE[0](task)
    finally:
        if hasattr(signal, "setitimer"):
            signal.setitimer(signal.ITIMER_REAL, 0)


@dataclass
class _Worker:
    """One process, with the messages it was handed and whose results nobody has taken, oldest first."""

    judge: Judge
    pool: ProcessPoolExecutor
    handed: deque[tuple[Task, Future[Verdict | Unread]]] = field(default_factory=deque)

    def hand(self, task: Task) -> None:
        """Hand it a message."""
        try:
            future = self.pool.submit(_work, task)
        except BrokenProcessPool as error:
            # The process ended on a message whose turn to be taken has not come; this one is handed over again then.
            future = Future()
            future.set_exception(error)
        self.handed.append((task, future))

    def take(self) -> Verdict | Unread:
        """Wait for its oldest message's result; where that message ended the process, go on with the next in a new one."""
        task, future = self.handed.popleft()
        try:
            return future.result()
        except BrokenProcessPool:
            # A process sends each result before it begins the next message, so this one was its last.
            self.pool.shutdown()
            self.pool = _pool(self.judge)
            rest = [each for each, _ in self.handed]
            self.handed.clear()
            for each in rest:
                self.hand(each)
            return Unread(task.origin, _SLOW)


def judge_all(tasks: Iterable[Task], judge: Judge, workers: int) -> Iterator[Verdict | Unread]:
    """Judge messages in their order, in so many processes: this one would not survive a decoder that never ends."""
    crew = [_Worker(judge, _pool(judge)) for _ in range(workers)]
    waiting: deque[tuple[int, _Worker]] = deque()
    octets = 0
    try:
        for task in tasks:
            worker = min(crew, key=lambda each: len(each.handed))
            worker.hand(task)
            waiting.append((len(task.octets or b""), worker))
            octets += waiting[-1][0]
            while len(waiting) >= workers * _MOST_AHEAD or (waiting and octets > _AHEAD):
                size, worker = waiting.popleft()
                octets -= size
                yield worker.take()
        while waiting:
            yield waiting.popleft()[1].take()
    finally:
        for worker in crew:
            worker.pool.shutdown(cancel_futures=True)


def _pool(judge: Judge) -> ProcessPoolExecutor:
    # Not forked: this process may hold an engine's threads, which do not survive a fork.
    return ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), _begin, (judge,))
