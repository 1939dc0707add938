"""The risk register: every refusing step says whom it may cut off, and nobody whose fate is open is left out."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import HealthCheck, given
from hypothesis import settings as examples

from portero.core.exchange.settings import Settings, Tenant
from portero.core.hosts import Host
from portero.core.plan import make_plan, moved_by, plan_controls
from portero.core.risks import Likelihood, Risk, assess
from portero.core.sender import Judgement, Kind, Sender
from portero.core.simulate import Replay
from portero.core.step import Step
from portero.core.ways_in import must_keep
from support.organisations import GATEWAY, OPEN, SETTINGS, organisations
from support.senders import a_sender, anonymous

END = datetime(2026, 11, 1, tzinfo=UTC)
MONTH = (END - timedelta(days=30), END)


def planned(*senders: Sender, settings: Settings = OPEN) -> tuple[Replay, tuple[Step, ...], tuple[Risk, ...]]:
    replay = Replay(senders, settings)
    steps = make_plan(replay, Tenant(), ())
    return replay, steps, assess(steps, replay, MONTH)


def of_step(steps: tuple[Step, ...], risks: tuple[Risk, ...], name: str) -> list[Risk]:
    numbers = {step.n for step in steps if step.name == name}
    return [each for each in risks if each.step in numbers]


@examples(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(organisations(), SETTINGS)
def test_whoever_a_step_leaves_in_doubt_or_counts_on_is_named(
    senders: tuple[Sender, ...], settings: Settings
) -> None:
    replay, steps, risks = planned(*senders, settings=settings)
    kept = {each.id for each in senders if must_keep(each)}
    doubt = {each.sender: each.undetermined for each in replay.of(()).senders}

    for number, step in enumerate(steps, 1):
        if not step.refuses:
            continue
        named = {identity for each in risks if each.step == step.n for identity in each.senders}
        after = {each.sender: each.undetermined for each in replay.of(plan_controls(steps[:number])).senders}
        waiting = moved_by(steps[:number])
        assert {each for each in kept - waiting if after[each] > doubt[each]} <= named
        assert {each for held in steps if held.n in step.after for each in held.moved} <= named
        assert any(each.step == step.n and each.likelihood is Likelihood.UNSEEN for each in risks)
        doubt = after


@examples(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(organisations(), SETTINGS)
def test_the_register_follows_the_plan_and_leaves_out_what_changes_nothing(
    senders: tuple[Sender, ...], settings: Settings
) -> None:
    _, steps, risks = planned(*senders, settings=settings)
    changing = {step.n for step in steps if step.controls or step.moved}

    assert [each.step for each in risks] == sorted(each.step for each in risks)
    assert changing <= {each.step for each in risks}
    assert not {step.n for step in steps if step.name == "measure"} & {each.step for each in risks}


def test_an_owner_of_the_register_answers_for_his_senders() -> None:
    ups = replace(
        a_sender("ups", Kind.DEVICE, Judgement.LEGITIMATE, anonymous("2001:db8::5")), owner="ana@contoso.com"
    )
    _, steps, risks = planned(ups)

    assert {str(each.owner) for each in risks if each.senders == ("ups",)} == {"ana@contoso.com"}
    assert of_step(steps, risks, "reject")


def test_a_sender_with_two_ways_in_is_named_by_each_step_that_counts_on_one() -> None:
    behind = replace(OPEN, gateway_networks=GATEWAY, mx_at_microsoft=False, reject_direct_send=True)
    nowhere = (anonymous(None), anonymous(None, direction="originating"))
    _, steps, risks = planned(a_sender("press", Kind.DEVICE, Judgement.LEGITIMATE, *nowhere), settings=behind)

    counting = [
        step for step in steps if step.refuses and {held.n for held in steps if held.moved} & {*step.after}
    ]
    assert [step.controls[0].split("=")[0] for step in counting] == ["lock-gateway", "smtp-basic-off"]
    for step in counting:
        assert any(each.step == step.n and each.senders == ("press",) for each in risks), str(step.title)


def test_a_doubtful_accusation_is_a_risk_of_the_step_that_refuses_it() -> None:
    sure, unsure = (
        replace(
            a_sender(name, Kind.SPOOFER, Judgement.ABUSE, anonymous(address, mails)), confidence=confidence
        )
        for name, address, mails, confidence in (
            ("sure", "198.51.100.5", 9, 0.99),
            ("unsure", "198.51.100.6", 4, 0.82),
        )
    )
    _, steps, risks = planned(sure, unsure)

    [found] = [each for each in of_step(steps, risks, "reject") if each.senders]
    assert (found.senders, found.mails, found.likelihood) == (("unsure",), 4, Likelihood.POSSIBLE)


def test_a_short_window_is_said_and_no_window_too() -> None:
    printer = a_sender("printer", Kind.DEVICE, Judgement.LEGITIMATE, anonymous("203.0.113.10"))
    replay = Replay([printer], OPEN)
    steps = make_plan(replay, Tenant(), ())

    def rare(window: tuple[datetime, datetime] | None) -> str:
        return next(str(each.why) for each in assess(steps, replay, window) if "year-end" in str(each.what))

    assert rare(MONTH) == "The evidence covers 30 days. What runs once a quarter need not be in it."
    assert rare((END - timedelta(days=120), END)) == "The evidence covers 120 days."
    assert rare(None) == "There is no message evidence."


def test_hosts_that_use_port_25_make_the_last_step_likely_to_break_something() -> None:
    # Without recorded mail the plan refuses nothing, and has nothing to break.
    replay, steps, _ = planned(
        a_sender("printer", Kind.DEVICE, Judgement.LEGITIMATE, anonymous("203.0.113.10"))
    )
    seen = Host("10.1.2.3", sessions=9, port_25=9)
    relay = Host("10.1.2.4", sessions=9, port_25=9, relay=True)

    def last(*hosts: Host) -> Risk:
        return assess(steps, replay, MONTH, hosts)[-1]

    assert last().likelihood is last(relay).likelihood is Likelihood.UNSEEN
    assert last(seen, relay).likelihood is Likelihood.LIKELY
    assert "10.1.2.3" in str(last(seen, relay).why)
    assert "10.1.2.4" not in str(last(seen, relay).why)
