"""Judges many mails: each opened and judged in a worker that is ended when one takes too long."""

from __future__ import annotations

import multiprocessing
import signal
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass

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

# Octets that are read ahead of the judging.
_AHEAD = 32 << 20


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
        mail = read_letter(task.octets)
        if mail is None:
            return Unread(task.origin, _NO_MAIL)
        origin, original = task.origin, reported(mail)
        if original is not None:
            mail, origin = original, f"{task.origin}{ORIGINAL}"
        content = open_content(mail, Budget()) if mail.has_body else Content()
        return judge_mail(origin, mail, content, self.known, (*rules(), *self.own_rules), self.model)


def case_of(octets: bytes) -> Case | None:
    """Open one message as a case for learning: without the organisation's knowledge, its opened parts let go."""
    mail = read_letter(octets)
    if mail is None:
        return None
    mail = reported(mail) or mail
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


def judge_all(tasks: Iterable[Task], judge: Judge, workers: int) -> Iterator[Verdict | Unread]:
    """Judge messages in their order, in so many processes: this one would not survive a decoder that never ends."""
    waiting: deque[tuple[Task, Future[Verdict | Unread]]] = deque()
    octets = 0
    pool = _pool(judge, workers)
    try:
        for task in tasks:
            waiting.append((task, pool.submit(_work, task)))
            octets += len(task.octets or b"")
            while len(waiting) >= workers * 4 or (waiting and octets > _AHEAD):
                octets -= len(waiting[0][0].octets or b"")
                result, pool = _next(waiting, pool, judge, workers)
                yield result
        while waiting:
            result, pool = _next(waiting, pool, judge, workers)
            yield result
    finally:
        pool.shutdown(cancel_futures=True)


def _pool(judge: Judge, workers: int) -> ProcessPoolExecutor:
    # Not forked: this process may hold an engine's threads, which do not survive a fork.
    return ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), _begin, (judge,))


def _next(
    waiting: deque[tuple[Task, Future[Verdict | Unread]]],
    pool: ProcessPoolExecutor,
    judge: Judge,
    workers: int,
) -> tuple[Verdict | Unread, ProcessPoolExecutor]:
    """Give the next result; where a worker was ended, try what waited again, one by one, to find whose fault it was."""
    task, future = waiting.popleft()
    try:
        return future.result(), pool
    except BrokenProcessPool:
        pool.shutdown()
        # Of one process the oldest message was its last; of several it may have been another's.
        result = Unread(task.origin, _SLOW) if workers == 1 else _alone(task, judge)
        pool = _pool(judge, workers)
        rest = [each for each, _ in waiting]
        waiting.clear()
        waiting.extend((each, pool.submit(_work, each)) for each in rest)
        return result, pool


def _alone(task: Task, judge: Judge) -> Verdict | Unread:
    with _pool(judge, 1) as pool:
        try:
            return pool.submit(_work, task).result()
        except BrokenProcessPool:
            return Unread(task.origin, _SLOW)
