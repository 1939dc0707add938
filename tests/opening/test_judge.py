"""Messages judged in processes of their own: in order, and none holds the others up for ever."""

from __future__ import annotations

import itertools
import operator
from functools import partial
from pathlib import Path

import pytest

from portero.core.explain import Unread, Verdict
from portero.core.message.arrival import Known
from portero.core.message.case import Rule
from portero.opening.judge import Judge, Task, judge_all

MAIL = b"From: a@b.example\r\nSubject: x\r\n\r\nHello\r\n"
# Counts for ever inside C, where no Python handler of a signal is ever called.
ENDLESS = partial(operator.contains, itertools.count())


class OfSubject:
    """A rule's function that does not come back from mail with one subject."""

    def __call__(self, case: object) -> None:
        if getattr(case, "subject", "") == "hostile":
            ENDLESS(-1)


class Counted:
    """Does not come back from mail with a hostile subject, and writes each time that it began with one."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def __call__(self, case: object) -> None:
        word, _, number = getattr(case, "subject", "").partition(" ")
        if word == "hostile":
            with self.place.open("a") as file:
                file.write(f"{number}\n")
            ENDLESS(-1)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_decoder_that_never_ends_costs_its_own_message_alone(workers: int) -> None:
    rule = Rule("own-slow", "Slow", "low", 0.0, OfSubject())
    tasks = [
        Task(str(n), MAIL.replace(b"Subject: x", b"Subject: hostile") if n == 2 else MAIL) for n in range(6)
    ]
    found = list(judge_all(tasks, Judge(Known(), None, (rule,), seconds=1.0), workers))

    assert [each.origin for each in found] == [str(n) for n in range(6)]
    assert [type(each) for each in found] == [Unread if n == 2 else Verdict for n in range(6)]


def test_several_hostile_messages_cost_their_time_once_each(tmp_path: Path) -> None:
    rule = Rule("own-slow", "Slow", "low", 0.0, Counted(tmp_path / "begun"))
    hostile = {3, 4, 9}
    tasks = [
        Task(str(n), MAIL.replace(b"Subject: x", b"Subject: hostile %d" % n) if n in hostile else MAIL)
        for n in range(30)
    ]

    found = list(judge_all(tasks, Judge(Known(), None, (rule,), seconds=1.0), 2))

    assert [each.origin for each in found] == [str(n) for n in range(30)]
    assert {int(each.origin) for each in found if isinstance(each, Unread)} == hostile
    assert sorted((tmp_path / "begun").read_text().split()) == [str(n) for n in sorted(hostile)]


def test_a_message_too_long_to_be_read_is_said() -> None:
    (found,) = judge_all([Task("long.eml", None)], Judge(Known()), 1)

    assert isinstance(found, Unread)
