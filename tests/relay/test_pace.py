"""What is left of a far side's allowance."""

import json

from hypothesis import given
from hypothesis import strategies as st

from portero.relay.pace import Limits, Pace


def test_thirty_a_minute() -> None:
    pace = Pace(Limits(messages_per_minute=30))
    for n in range(30):
        assert pace.wait(n / 10, 1) == 0
        pace.begin(n / 10, 1)
    assert pace.wait(3.0, 1) == 57.0
    assert pace.wait(60.0, 1) == 0


@given(st.lists(st.floats(0, 400), max_size=80), st.integers(1, 10))
def test_no_minute_ever_holds_more(gaps: list[float], limit: int) -> None:
    pace, now, begun = Pace(Limits(messages_per_minute=limit)), 1000.0, []
    for gap in gaps:
        now += gap / 40
        now += pace.wait(now, 1)
        pace.begin(now, 1)
        begun.append(now)
    for at, moment in enumerate(begun):
        assert sum(moment - 59.999 < each <= moment for each in begun[: at + 1]) <= limit


def test_recipients_a_day() -> None:
    pace = Pace(Limits(recipients_per_day=100))
    pace.begin(0.0, 60)
    pace.begin(3600.0, 40)
    assert pace.wait(7200.0, 1) == 86_400 - 7200
    assert pace.wait(7200.0, 61) == 86_400 + 3600 - 7200
    assert pace.wait(86_400.0, 60) == 0


def test_a_message_larger_than_a_day_is_not_kept_for_ever() -> None:
    pace = Pace(Limits(recipients_per_day=10))
    assert pace.wait(0.0, 50) == 0
    pace.begin(0.0, 50)
    assert pace.wait(1.0, 50) == 86_399


def test_a_pause_is_kept() -> None:
    pace = Pace(Limits())
    pace.pause(50.0)
    pace.pause(20.0)
    assert pace.wait(10.0, 1) == 40


def test_it_outlives_a_restart() -> None:
    pace = Pace(Limits(messages_per_minute=2, recipients_per_day=10))
    pace.begin(1.0, 4)
    pace.begin(2.0, 4)
    again = Pace(pace.limits)
    again.restore(json.loads(json.dumps(pace.kept())))
    for now, number in ((3.0, 1), (70.0, 3), (70.0, 2)):
        assert again.wait(now, number) == pace.wait(now, number)


def test_the_time_to_drain() -> None:
    assert Pace(Limits(messages_per_minute=30)).drain_seconds(90, 0.0) == 180
    assert Pace(Limits(messages_per_minute=30, messages_per_hour=100)).drain_seconds(100, 0.0) == 3600
    assert Pace(Limits()).drain_seconds(90, 0.0) is None
