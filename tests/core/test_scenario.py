"""Scenarios: a move does what its way does, together with the controls, and two scenarios differ where senders do."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples

from portero.core.controls import parse_control
from portero.core.exchange.settings import Settings
from portero.core.migration import Road
from portero.core.scenario import MOVES, Move, Scenario, compare, draft, rehearse_scenario
from portero.core.sender import Judgement, Kind, Sender
from portero.core.simulate import simulate
from portero.core.simulation import Effect, SenderEffect
from support.organisations import OPEN, SETTINGS, organisations
from support.senders import OURS, a_sender, anonymous

CLOSED = ("reject-direct-send",)


def device(identity: str = "a", address: str = "203.0.113.9", **given: object) -> Sender:
    return a_sender(identity, Kind.DEVICE, Judgement.LEGITIMATE, anonymous(address, **given))


def fate(
    road: Road | None, *controls: str, sender: Sender | None = None, settings: Settings = OPEN
) -> SenderEffect:
    held = sender or device()
    moves = (Move(road, frozenset({held.id})),) if road else ()
    [effect] = rehearse_scenario(Scenario("x", controls or CLOSED, moves), [held], settings).senders
    return effect


def test_without_a_move_the_door_is_closed_to_it() -> None:
    assert fate(None).effect is Effect.REFUSED


@pytest.mark.parametrize(
    "road", [each for each in MOVES if each is not Road.RETIRE], ids=lambda each: each.value
)
def test_every_way_gets_past_the_closed_door(road: Road) -> None:
    assert fate(road).effect is Effect.KEPT


@pytest.mark.parametrize(
    ("road", "control", "effect"),
    [
        (Road.RELAY, "smtp-basic-off", Effect.KEPT),
        (Road.SMTP_OAUTH, "smtp-basic-off", Effect.KEPT),
        (Road.SMTP_OAUTH, "smtp-auth-off", Effect.REFUSED),
        (Road.GRAPH, "smtp-auth-off", Effect.KEPT),
        (Road.HVE, "smtp-auth-off", Effect.KEPT),
        (Road.RETURN_PATH, "lock-gateway=192.0.2.0/24", Effect.REFUSED),
        (Road.RELAY, "lock-gateway=192.0.2.0/24", Effect.KEPT),
        # Nobody has seen yet whether mail with the new return-path passes DMARC.
        (Road.RETURN_PATH, f"dmarc={OURS}:reject", Effect.UNDETERMINED),
    ],
)
def test_a_way_meets_the_other_controls_as_its_mail_would(road: Road, control: str, effect: Effect) -> None:
    assert fate(road, control).effect is effect


def test_high_volume_email_carries_nothing_outside() -> None:
    effect = fate(Road.HVE, sender=device(inside=5, outside=2))

    assert (effect.refused, effect.kept) == (2, 5)
    assert "5.5.105" in (effect.reply or "")


def test_a_retired_sender_sends_nothing() -> None:
    effect = fate(Road.RETIRE)

    assert (effect.refused, effect.kept, effect.undetermined) == (0, 0, 0)


@pytest.mark.parametrize(
    ("move", "concerned"),
    [
        (Move(Road.RELAY, frozenset({"a"})), True),
        (Move(Road.RELAY, frozenset({"b"})), False),
        (Move(Road.RELAY, header_from=frozenset({f"@{OURS}"})), True),
        (Move(Road.RELAY, header_from=frozenset({f"b@{OURS}"})), False),
        (Move(Road.RELAY, frozenset({"a"}), frozenset({f"b@{OURS}"})), False),
        (Move(Road.RELAY), False),
    ],
)
def test_a_move_concerns_whoever_meets_all_that_it_names(move: Move, concerned: bool) -> None:
    assert move.concerns(device()) is concerned
    assert Scenario("x", (), (move,)).idle([device()]) == (() if concerned else (1,))


def test_scenarios_differ_where_a_sender_fares_differently() -> None:
    held = [device("a"), device("b", "198.51.100.7")]
    first = rehearse_scenario(Scenario("first", CLOSED), held, OPEN)
    second = rehearse_scenario(Scenario("second", CLOSED, (Move(Road.RELAY, frozenset({"b"})),)), held, OPEN)
    [found] = compare(first, second)

    assert (found.after.sender, found.before.effect, found.after.effect) == ("b", Effect.REFUSED, Effect.KEPT)
    assert compare(second, second) == ()


def test_a_plan_is_drafted_with_the_way_of_each_sender() -> None:
    held = draft(
        [parse_control("reject-direct-send")], {"a": Road.RELAY, "b": Road.STAY, "c": Road.CONNECTOR}
    )

    assert held == Scenario("plan", CLOSED, (Move(Road.RELAY, frozenset({"a"})),))


@examples(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(organisations(), SETTINGS)
def test_a_scenario_without_moves_is_its_controls(senders: tuple[Sender, ...], settings: Settings) -> None:
    controls = ("reject-direct-send", "smtp-basic-off")
    found = rehearse_scenario(Scenario("x", controls), senders, settings)

    assert found == simulate(senders, settings, [parse_control(each) for each in controls])


@examples(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(organisations(), SETTINGS)
def test_a_move_changes_nobody_else(senders: tuple[Sender, ...], settings: Settings) -> None:
    if not senders:
        return
    settings = replace(settings, inbound_connectors=settings.inbound_connectors or ())
    plain = {
        each.sender: each for each in rehearse_scenario(Scenario("x", CLOSED), senders, settings).senders
    }
    moved = Scenario("y", CLOSED, (Move(Road.GRAPH, frozenset({senders[0].id})),))
    for each in rehearse_scenario(moved, senders, settings).senders:
        if each.sender != senders[0].id and not _shares(each.sender, senders):
            assert each == plain[each.sender]


def _shares(identity: str, senders: tuple[Sender, ...]) -> bool:
    """Tell whether a sender shares an address, kind or name with the first, from whose mail its own is understood."""
    held = next(each for each in senders if each.id == identity)
    mine = {flow.key.client_ip for flow in held.flows}
    return bool(mine & {flow.key.client_ip for flow in senders[0].flows}) or True in {
        flow.key.mail_from_domain not in {None, "", OURS} for flow in senders[0].flows
    }
