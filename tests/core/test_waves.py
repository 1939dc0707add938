"""Waves: the plan's order holds in time, everybody is moved once, and whatever breaks has one cause."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from portero.core.exchange.settings import Settings, Tenant
from portero.core.plan import make_plan
from portero.core.register import Criticality
from portero.core.sender import Judgement, Kind, Path, Sender
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


def test_the_waves_of_moves_take_the_plans_steps_in_their_order_however_quiet_a_later_one_is() -> None:
    held = [
        # By address, which is the earlier step, and the busier.
        *(device(f"fixed{n}", f"203.0.113.{n}", 90 + n, "ana") for n in range(1, 3)),
        device("moving", "2001:db8:1::1", 2),
        device("moving too", "2001:db8:2::1", 3),
    ]
    steps, waves = planned(*held)
    by_connector = next(each.n for each in steps if "fixed2" in each.senders)
    by_relay = next(each.n for each in steps if "moving" in each.senders)
    assert by_connector < by_relay

    moves = [[part.step for part in wave.parts] for wave in waves if wave.stage is Stage.MOVE]
    assert moves == sorted(moves)
    assert len(moves) > 1


def test_the_critical_goes_last_however_quiet_it_is() -> None:
    quiet = replace(device("quiet", "2001:db8:2::1", 2, "bob"), criticality=Criticality.CRITICAL)
    busy = replace(device("busy", "2001:db8:1::1", 90, "ana"), criticality=Criticality.LOW)
    _, waves = planned(quiet, busy, device("other", "2001:db8:3::1", 40, "eve"))
    moving = [set(wave.senders) for wave in waves if wave.stage in {Stage.PILOT, Stage.MOVE}]

    assert moving == [{"busy"}, {"other"}, {"quiet"}]


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


def submitter(identity: str, address: str, mails: int = 9) -> Sender:
    flow = anonymous(address, mails, direction="originating", connector=None)
    held = a_sender(identity, Kind.DEVICE, Judgement.LEGITIMATE, flow)
    return replace(held, path=Path.AUTHENTICATED)


def printers(number: int) -> list[Sender]:
    return [device(f"d{n}", f"203.0.{n}.1", n + 1, f"owner{n}") for n in range(number)]


def waves_of(step: Step, waves: tuple[Wave, ...]) -> list[Wave]:
    return [wave for wave in waves if any(part.step == step.n for part in wave.parts)]


@pytest.mark.parametrize("start", [date(2026, 12, 1), date(2026, 12, 15)])
def test_submissions_leave_basic_before_microsofts_day_whatever_else_the_plan_moves(start: date) -> None:
    logging_in = [submitter(f"s{n}", f"198.51.{n}.7", 5 + n) for n in range(5)]
    steps, waves = planned(*printers(6), *logging_in, start=start)
    [moving] = [step for step in steps if step.by is not None and step.moved]

    assert set(moving.senders) == {"s0", "s1", "s2", "s3", "s4"}
    assert all(wave.watched <= moving.by for wave in waves_of(moving, waves))
    assert {each for wave in waves_of(moving, waves) for each in wave.senders} >= set(moving.senders)


def test_a_day_that_is_past_is_said_and_not_hidden_in_the_calendar() -> None:
    steps, waves = planned(submitter("s", "198.51.100.7"), start=date(2027, 2, 2))
    [moving] = [step for step in steps if step.moved]
    [wave] = waves_of(moving, waves)

    assert f"Step {moving.n} is due by 2026-12-31, before this wave" in str(wave.operations)


@pytest.mark.parametrize("start", [date(2026, 12, 1), date(2026, 12, 18), date(2027, 1, 2)])
def test_nothing_that_people_feel_begins_around_the_new_year_and_the_wave_says_why_it_waits(
    start: date,
) -> None:
    _, waves = planned(*printers(4), start=start)
    felt = [wave for wave in waves if wave.stage in {Stage.PILOT, Stage.MOVE, Stage.REFUSE}]

    assert all(date(2027, 1, 6) < wave.window or wave.window < date(2026, 12, 20) for wave in felt)
    [waiting] = [wave for wave in felt if "waits until people are back" in str(wave.operations)]
    assert waiting.window == date(2027, 1, 7)


def test_what_is_due_in_these_days_does_not_wait_for_them_to_pass() -> None:
    steps, waves = planned(submitter("s", "198.51.100.7"), *printers(2), start=date(2026, 12, 22))
    [moving] = [step for step in steps if step.by is not None and step.moved]

    assert waves_of(moving, waves)[0].window == date(2026, 12, 23)
    assert "because it cannot wait" in str(waves_of(moving, waves)[0].operations)


def test_each_refusal_is_announced_by_what_it_refuses() -> None:
    steps, waves = planned(submitter("s", "198.51.100.7"), device("a", "203.0.113.9", 4))
    told = {
        step.controls[0]: str(waves_of(step, waves)[0].business)
        for step in steps
        if step.controls and not step.controls[0].startswith("allow=")
    }

    assert "proves nothing" in told["reject-direct-send"]
    assert "password alone" in told["smtp-basic-off"]
    assert "proves nothing" not in told["smtp-basic-off"]


def test_what_follows_is_announced_by_what_begins_and_not_as_nothing() -> None:
    steps, waves = planned(device("printer", "198.51.100.10", 60))
    last = waves[-1]
    assert last.stage is Stage.FOLLOW
    assert "Nothing changes" not in last.business.template
    assert dict(last.business.values)["titles"] == tuple(steps[part.step - 1].title for part in last.parts)


def test_one_step_is_called_a_step() -> None:
    _, waves = planned(device("a", "203.0.113.9", 4))

    assert all(
        ("steps " in str(wave.operations).split(" of the plan")[0]) == (len(wave.parts) > 1) for wave in waves
    )


def test_mailboxes_that_nobody_saw_submit_are_asked_about_and_not_announced_as_moved() -> None:
    flow = anonymous(None, 60, direction="originating", connector=None)
    people = replace(a_sender("people", Kind.MAILBOX, Judgement.LEGITIMATE, flow), path=Path.INTERNAL)
    steps, waves = planned(people, submitter("s", "198.51.100.7"))
    concerned = [step for step in steps if "people" in step.senders]

    assert [step.moved for step in concerned] == [()]
    assert all("we change how" not in str(wave.business) for wave in waves_of(concerned[0], waves))
    assert concerned[0].n in next(step for step in steps if "smtp-basic-off" in step.controls).after


def test_what_ways_in_wait_for_is_prepared_although_something_moved_before() -> None:
    submits = replace(
        a_sender(
            "app", Kind.APPLICATION, Judgement.LEGITIMATE,
            anonymous("198.51.100.7", direction="originating", connector=None),
        ),
        path=Path.AUTHENTICATED,
    )  # fmt: skip
    steps, waves = planned(submits, device("printer", "203.0.113.10", 9))
    asked = next(step for step in steps if step.name == "confirm")

    assert any(step.moved for step in steps[: asked.n - 1])
    assert [wave.stage for wave in waves if asked.n in {part.step for part in wave.parts}] == [Stage.PREPARE]
