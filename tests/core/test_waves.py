"""Waves: the plan's order holds in time, everybody is moved once, and whatever breaks has one cause."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import date, timedelta

from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from portero.core.exchange.settings import Settings, Tenant
from portero.core.plan import make_plan
from portero.core.sender import Judgement, Kind, Sender
from portero.core.simulate import Replay
from portero.core.step import Step
from portero.core.waves import Stage, Wave, lay_out
from support.organisations import OPEN, SETTINGS, organisations
from support.senders import a_sender, anonymous

START = date(2027, 1, 9)


def planned(
    *senders: Sender, settings: Settings = OPEN, start: date = START
) -> tuple[tuple[Step, ...], tuple[Wave, ...]]:
    steps = make_plan(Replay(senders, settings), Tenant(), ())
    return steps, lay_out(steps, senders, start, "contoso.com")


def device(identity: str, address: str, mails: int, owner: str | None = None) -> Sender:
    return replace(
        a_sender(identity, Kind.DEVICE, Judgement.LEGITIMATE, anonymous(address, mails)), owner=owner
    )


@examples(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(organisations(), SETTINGS, st.dates(date(2026, 1, 1), date(2028, 1, 1)))
def test_the_plans_order_holds_in_time(senders: tuple[Sender, ...], settings: Settings, start: date) -> None:
    steps, waves = planned(*senders, settings=settings, start=start)
    last = {part.step: wave.n for wave in waves for part in wave.parts}
    first = {part.step: wave.n for wave in reversed(waves) for part in wave.parts}

    assert set(last) == {each.n for each in steps}
    for step in steps:
        assert all(last[before] <= first[step.n] for before in step.after)
        if any(not each.startswith("allow=") for each in step.controls):
            assert all(last[each.n] < first[step.n] for each in steps[: step.n - 1])
    moved = [(part.step, each) for wave in waves for part in wave.parts for each in part.senders]
    assert len(moved) == len(set(moved))
    assert set(moved) == {(step.n, each) for step in steps for each in step.senders}


@examples(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(organisations(), SETTINGS, st.dates(date(2026, 1, 1), date(2028, 1, 1)))
def test_no_wave_begins_while_another_is_watched(
    senders: tuple[Sender, ...], settings: Settings, start: date
) -> None:
    _, waves = planned(*senders, settings=settings, start=start)

    assert all(start <= wave.window <= wave.watched and wave.window.weekday() in {1, 2, 3} for wave in waves)
    assert all(before.watched < after.window for before, after in itertools.pairwise(waves))
    assert all(
        wave.watched - wave.window == timedelta(days=30) for wave in waves if wave.stage is Stage.REFUSE
    )


def test_the_quietest_goes_first_then_owner_by_owner() -> None:
    held = [
        device("busy", "2001:db8:1::1", 90, "ana"),
        device("quiet", "2001:db8:2::1", 2, "bob"),
        device("other", "2001:db8:3::1", 40, "ana"),
        device("lone", "2001:db8:4::1", 30),
    ]
    _, waves = planned(*held)
    moving = [(wave.stage, set(wave.senders)) for wave in waves if wave.stage in {Stage.PILOT, Stage.MOVE}]

    assert moving == [(Stage.PILOT, {"quiet"}), (Stage.MOVE, {"lone"}), (Stage.MOVE, {"busy", "other"})]


def test_there_are_never_more_waves_of_moves_than_people_can_follow() -> None:
    _, waves = planned(*(device(f"d{n}", f"2001:db8:{n}::1", n + 1) for n in range(40)))

    assert sum(wave.stage is Stage.MOVE for wave in waves) == 6


def test_the_refusal_is_probed_at_the_organisations_own_door() -> None:
    _, waves = planned(device("a", "203.0.113.9", 4))
    [refuse] = [
        wave
        for wave in waves
        if wave.title
        == next(
            s for s in planned(device("a", "203.0.113.9", 4))[0] if "reject-direct-send" in s.controls
        ).title
    ]

    assert any("contoso-com.mail.protection.outlook.com" in str(each) for each in refuse.probes)
