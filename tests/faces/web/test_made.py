"""What was made once is not made again while there is room, and a failure is nobody's answer but of those who waited."""

from __future__ import annotations

import threading

import pytest

from portero.faces.web.made import Made


def test_many_who_ask_at_once_have_it_made_once() -> None:
    made: Made = Made(5)
    asked, go = [], threading.Event()

    def slow() -> int:
        asked.append(1)
        go.wait(30)
        return 7

    found: list[int] = []
    readers = [threading.Thread(target=lambda: found.append(made.once("a", slow))) for _ in range(8)]
    for each in readers:
        each.start()
    go.set()
    for each in readers:
        each.join()
    assert found == [7] * 8
    assert len(asked) == 1


def test_what_nobody_asked_for_longest_goes_first() -> None:
    made: Made = Made(2)
    assert [made.once(key, lambda key=key: key * 2) for key in (1, 2, 1, 3)] == [2, 4, 2, 6]
    assert made.once(1, lambda: 0) == 2
    assert made.once(2, lambda: 0) == 0


def test_a_failure_is_tried_again() -> None:
    made: Made = Made(2)

    def fail() -> int:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        made.once("a", fail)
    assert made.once("a", lambda: 1) == 1
