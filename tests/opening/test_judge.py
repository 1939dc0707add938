"""Messages judged in processes of their own: in order, and none holds the others up for ever."""

from __future__ import annotations

import itertools
import operator
import time
from functools import partial

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


@pytest.mark.parametrize("workers", [1, 2])
def test_a_decoder_that_never_ends_costs_its_own_message_alone(workers: int) -> None:
    rule = Rule("own-slow", "Slow", "low", 0.0, OfSubject())
    tasks = [
        Task(str(n), MAIL.replace(b"Subject: x", b"Subject: hostile") if n == 2 else MAIL) for n in range(6)
    ]
    start = time.monotonic()

    found = list(judge_all(tasks, Judge(Known(), None, (rule,), seconds=1.0), workers))

    assert [each.origin for each in found] == [str(n) for n in range(6)]
    assert [type(each) for each in found] == [Unread if n == 2 else Verdict for n in range(6)]
    assert time.monotonic() - start < 60


def test_a_message_too_long_to_be_read_is_said() -> None:
    (found,) = judge_all([Task("long.eml", None)], Judge(Known()), 1)

    assert isinstance(found, Unread)
