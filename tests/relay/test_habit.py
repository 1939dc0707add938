"""A habit stands out only from a habit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portero.relay.habit import ENOUGH_MESSAGES, Habit, Memory, attachment_kinds, read_habit

HOUR = 3600.0


def settled() -> Habit:
    habit = Habit()
    for n in range(ENOUGH_MESSAGES + 10):
        assert habit.judge([f"u{n % 5}@contoso.com"], frozenset({"pdf"}), n * HOUR / 6) == []
    return habit


def test_nothing_stands_out_from_no_habit() -> None:
    habit = Habit()
    for n in range(ENOUGH_MESSAGES):
        assert habit.judge([f"u{n}@contoso.com"], frozenset({"exe"}), 0.0) == []


def test_a_burst() -> None:
    habit = settled()
    found = [habit.judge(["u1@contoso.com"], frozenset({"pdf"}), 100 * HOUR) for _ in range(60)]
    assert [] in found
    assert [each.code for each in found[-1]] == ["burst"]


def test_strange_recipients() -> None:
    habit = settled()
    assert habit.judge(["new@contoso.com"], frozenset(), 100 * HOUR) == []
    found = habit.judge([f"n{n}@contoso.com" for n in range(20)], frozenset(), 100 * HOUR)
    assert [each.code for each in found] == ["new-recipients"]
    assert "n1@contoso.com" not in habit.recipients, "what stands out teaches nothing"


def test_a_new_kind_of_attachment() -> None:
    found = settled().judge(["u1@contoso.com"], frozenset({"html", "pdf"}), 100 * HOUR)
    assert [(each.code, each.value) for each in found] == [("attachment", "html")]


@pytest.mark.parametrize(
    ("content", "kinds"),
    [
        (b'Content-Disposition: attachment; filename="scan.PDF"\r\n', {"pdf"}),
        (b"Content-Type: x/y; name=a.b.html;\r\n", {"html"}),
        (b"Content-Disposition: attachment; filename*=utf-8''a.exe\r\n", {"exe"}),
        (
            b"Content-Type: multipart/mixed\r\n\r\n--b\r\ncontent-type: a/b; NAME=one.Doc\r\n\r\nname=x.y;\r\nname=two.xls\r\n",
            {"doc", "y", "xls"},
        ),
        (b"Subject: no MIME\r\n\r\nname=one.pdf\r\n", set()),
        (b"name the place\r\n", set()),
        (b"", set()),
    ],
)
def test_kinds(content: bytes, kinds: set[str]) -> None:
    assert attachment_kinds(content) == kinds


@given(st.binary(max_size=2000))
def test_hostile_contents_do_not_raise(content: bytes) -> None:
    attachment_kinds(b"Content-Type: name=" + content)


def test_it_outlives_a_restart() -> None:
    habit = settled()
    assert read_habit(habit.kept()) == habit
    memory = Memory()
    memory.habits["scanner"] = habit
    memory.learn("192.0.2.1", "mfp", "a@contoso.com", "a@contoso.com", ["b@contoso.com"], 100, 5.0)
    again = Memory(memory.kept())
    assert again.habits == memory.habits
    assert again.learnt == memory.learnt
    assert Memory("nonsense").habits == {}


def test_what_is_learnt_is_bounded() -> None:
    memory = Memory()
    for n in range(300):
        memory.learn("192.0.2.1", f"e{n}", "a" * 5000, "", [f"r{m}@x" for m in range(500)], 1, 0.0)
    held = memory.learnt["192.0.2.1"]
    assert max(len(each) for each in (held.ehlo, held.mail_from, held.recipients)) <= 100
    assert all(len(each) <= 254 for each in held.mail_from)
