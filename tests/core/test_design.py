"""Connector designs: they admit nobody undecided or abusive, and keep by our own replay all that they admit."""

from __future__ import annotations

import ipaddress
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from portero.core.controls import parse_control
from portero.core.design import design
from portero.core.exchange.settings import Settings
from portero.core.register import KnownNetwork
from portero.core.sender import DecidedBy, Judgement, Kind, Reason, Sender
from portero.core.simulate import Replay, simulate
from portero.core.text import Text
from portero.core.ways_in import addresses
from support.flows import START
from support.organisations import OPEN, SETTINGS, organisations
from support.senders import OURS, a_sender, anonymous

LEGITIMATE, ABUSE, UNDECIDED = Judgement.LEGITIMATE, Judgement.ABUSE, Judgement.UNDECIDED


def place(cidr: str, use: str = "devices") -> KnownNetwork:
    return KnownNetwork("Office", (ipaddress.ip_network(cidr),), use)


def device(identity: str, *held: str, judgement: Judgement = LEGITIMATE, kind: Kind = Kind.DEVICE) -> Sender:
    return a_sender(identity, kind, judgement, *(anonymous(address) for address in held))


def ranges(*senders: Sender, networks: tuple[KnownNetwork, ...] = ()) -> list[str]:
    made = design(Replay(senders, OPEN), networks)
    return [each.network for connector in made.connectors for each in connector.ranges]


def why(sender: str, *senders: Sender) -> str:
    return next(str(each.why) for each in design(Replay(senders, OPEN)).unhelped if each.sender == sender)


NETWORKS = st.sampled_from(
    [(), (place("203.0.113.0/24"),), (place("203.0.112.0/22"), place("198.51.100.0/29"))]
)


@examples(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(organisations(), SETTINGS, NETWORKS)
def test_no_range_admits_an_undecided_or_abusive_address(
    senders: tuple[Sender, ...], settings: Settings, networks: tuple[KnownNetwork, ...]
) -> None:
    made = design(Replay(senders, settings), networks)
    blocks = [ipaddress.ip_network(each.network) for held in made.connectors for each in held.ranges]
    barred = {address for each in senders if not each.legitimate for address in addresses(each.flows)}

    assert all(block.version == 4 and 24 <= block.prefixlen <= 32 for block in blocks)
    assert not [(a, b) for a in barred for b in blocks if ipaddress.ip_address(a) in b]


@examples(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(organisations(), SETTINGS, NETWORKS)
def test_the_replay_keeps_every_sender_that_is_admitted(
    senders: tuple[Sender, ...], settings: Settings, networks: tuple[KnownNetwork, ...]
) -> None:
    made = design(Replay(senders, settings), networks)
    controls = [
        parse_control(text) for text in (*(each.control for each in made.connectors), "reject-direct-send")
    ]
    today = {each.sender: each for each in simulate(senders, settings, []).senders}
    then = {each.sender: each for each in simulate(senders, settings, controls).senders}
    alone = {each.sender: each for each in simulate(senders, settings, controls[-1:]).senders}

    for sender in made.admitted:
        assert (
            then[sender].refused + then[sender].undetermined
            <= today[sender].refused + today[sender].undetermined
        )
    worse = {key for key in today if alone[key].kept < today[key].kept}
    kept = {each.id for each in senders if each.judgement is not ABUSE}
    unhelped = {each.sender for each in made.unhelped}
    assert made.admitted | unhelped | made.proving == worse & kept
    assert not made.admitted & unhelped
    assert not made.proving & (made.admitted | unhelped)


def test_one_connector_holds_all_machines_of_an_address_each() -> None:
    made = design(Replay([device("a", "203.0.113.9"), device("b", "198.51.100.20")], OPEN))

    assert [(each.type, each.control) for each in made.connectors] == [
        ("Partner", "allow=198.51.100.20/32,203.0.113.9/32")
    ]
    assert made.mails == 14


def test_neighbours_that_fill_a_block_are_one_range() -> None:
    held = [device(str(n), f"203.0.113.{n}") for n in (8, 9, 10, 11)]

    assert ranges(*held) == ["203.0.113.8/30"]
    assert ranges(*held[:3]) == ["203.0.113.8/31", "203.0.113.10/32"]


def test_only_an_own_network_is_covered_wider_than_it_was_seen() -> None:
    held = [device("a", "203.0.113.8"), device("b", "203.0.113.14")]

    assert ranges(*held, networks=(place("203.0.113.0/28"),)) == ["203.0.113.8/29"]
    assert ranges(*held, networks=(place("203.0.113.0/28", "guest"),)) == [
        "203.0.113.8/32",
        "203.0.113.14/32",
    ]


@pytest.mark.parametrize("judgement", [ABUSE, UNDECIDED])
def test_a_range_is_parted_around_an_address_that_must_not_enter(judgement: Judgement) -> None:
    held = [device("a", "203.0.113.8"), device("b", "203.0.113.14")]
    between = device("x", "203.0.113.10", judgement=judgement, kind=Kind.UNKNOWN)
    found = ranges(*held, between, networks=(place("203.0.112.0/22"),))

    # Beside abuse nobody has a connector at all: the plan moves them.
    assert found == ([] if judgement is ABUSE else ["203.0.113.8/32", "203.0.113.14/32"])


def test_no_range_is_wider_than_a_connector_can_list() -> None:
    held = [device("a", "203.0.112.9"), device("b", "203.0.115.9")]

    assert ranges(*held, networks=(place("203.0.112.0/22"),)) == ["203.0.112.9/32", "203.0.115.9/32"]


def test_a_machine_that_moves_has_a_connector_only_where_all_its_network_is_the_organisations() -> None:
    moves = replace(device("a"), flows=tuple(
        anonymous(f"203.0.113.{n}", start=anonymous("203.0.113.1").facts.first_seen.replace(day=n + 1))  # type: ignore[union-attr]
        for n in range(1, 7)
    ))  # fmt: skip

    assert "one after the other" in why("a", moves)
    assert ranges(moves, networks=(place("203.0.113.0/28"),)) == ["203.0.113.0/29"]


@pytest.mark.parametrize(("begins", "moves"), [(10, True), (6, False)])
def test_an_address_that_a_machine_has_left_gets_no_connector(begins: int, moves: bool) -> None:
    left = anonymous("203.0.113.1", days=9)
    now = anonymous("198.51.100.7", days=9, start=START + timedelta(days=begins))

    found = ranges(replace(device("a"), flows=(left, now)))

    assert found == ([] if moves else ["198.51.100.7/32", "203.0.113.1/32"])


def test_one_name_that_moves_through_its_providers_network_gets_no_connector_though_told_apart_as_several() -> (
    None
):
    parts = [
        replace(
            device(f"s{n}"),
            flows=(
                anonymous(
                    f"83.35.{n * 20}.9",
                    days=6,
                    start=START + timedelta(days=7 * n),
                    header_from=f"scan@{OURS}",
                ),
            ),
        )
        for n in range(5)
    ]
    beside = replace(device("other"), flows=(anonymous("83.35.200.9", days=30, header_from=f"ups@{OURS}"),))

    assert ranges(*parts, beside) == ["83.35.200.9/32"]
    assert "one address of its provider after the other" in why("s2", *parts, beside)


def test_it_says_why_no_connector_helps_and_what_does() -> None:
    service = device("news", "192.0.2.7", kind=Kind.SERVICE)
    forwarder = device("uni", "192.0.2.8", kind=Kind.FORWARDER)
    version_6 = device("v6", "2001:db8::5")
    shared = device("printer", "203.0.113.9")
    stranger = device("x", "203.0.113.9", judgement=UNDECIDED, kind=Kind.UNKNOWN)
    everybody = (service, forwarder, version_6, shared, stranger)

    assert "every customer of the vendor" in why("news", *everybody)
    assert "forwards" in why("uni", *everybody)
    assert "IPv6" in why("v6", *everybody)
    assert "also sends for x" in why("printer", *everybody)
    assert "decided" in why("x", *everybody)


def test_a_servers_certificate_is_named_where_it_calls_itself_by_an_own_name() -> None:
    server = a_sender("hybrid", Kind.HYBRID, LEGITIMATE, anonymous("203.0.113.9", ehlo="mail.contoso.com"))
    [made] = design(Replay([server], OPEN)).connectors

    assert (made.type, made.certificate) == ("OnPremises", "mail.contoso.com")


def test_what_else_a_range_admits_is_named() -> None:
    other = a_sender(
        "b", Kind.APPLICATION, LEGITIMATE, anonymous("203.0.113.9", mail_from_domain="app.example")
    )
    [made] = design(Replay([device("a", "203.0.113.9"), other], OPEN)).connectors

    assert made.ranges[0].besides == ("b",)


@pytest.mark.parametrize(
    ("code", "decided_by", "warned"),
    [
        ("weeks-8", DecidedBy.EVIDENCE, True),
        ("spf-pass", DecidedBy.EVIDENCE, False),
        ("weeks-8", DecidedBy.PERSON, False),
    ],
)
def test_an_address_that_only_behaviour_vouches_for_is_to_be_confirmed(
    code: str, decided_by: DecidedBy, warned: bool
) -> None:
    sender = replace(
        device("a", "203.0.113.9"), because=(Reason(code, Text("x"), -2.0),), decided_by=decided_by
    )
    [made] = design(Replay([sender], OPEN)).connectors

    assert any("forger" in str(each) for each in made.ranges[0].cautions) is warned
