"""Migration: the way follows from what a sender can do, whom it reaches, how much it sends, and by when."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples

from portero.core.design import design
from portero.core.exchange.settings import Settings
from portero.core.migration import Migration, Road, migrate
from portero.core.sender import Judgement, Kind, Path, Sender
from portero.core.simulate import Replay
from support.flows import START
from support.organisations import OPEN, SETTINGS, organisations
from support.senders import OURS, a_sender, anonymous

LEGITIMATE = Judgement.LEGITIMATE


def road(sender: Sender, *others: Sender, settings: Settings = OPEN, days: int = 0) -> Migration:
    senders = (sender, *others)
    window = (START, START + timedelta(days=days)) if days else None
    return migrate(senders, settings, design(Replay(senders, settings)), window)[sender.id]


def machine(kind: Kind, address: str, mails: int = 7, **given: object) -> Sender:
    return a_sender("a", kind, LEGITIMATE, anonymous(address, mails, **given))


@pytest.mark.parametrize("kind", [Kind.DEVICE, Kind.APPLICATION])
def test_a_machine_with_an_address_of_its_own_keeps_sending_by_a_connector(kind: Kind) -> None:
    assert road(machine(kind, "203.0.113.9")).road is Road.CONNECTOR


def test_a_device_without_one_goes_through_a_relay_and_a_program_signs_in() -> None:
    assert road(machine(Kind.DEVICE, "2001:db8::5")).road is Road.RELAY
    assert road(machine(Kind.APPLICATION, "2001:db8::5")).road is Road.SMTP_OAUTH


def test_a_sender_whose_own_envelope_only_a_summary_shows_is_looked_at_first() -> None:
    seen = anonymous("203.0.113.9", 60, mail_from_domain="vendor.example")
    summed = anonymous("203.0.113.9", 50, mail_from_domain=None, header_from=None, sender=f"shop@{OURS}")

    assert road(a_sender("shop", Kind.APPLICATION, LEGITIMATE, seen, summed)).road is Road.PROVE
    assert road(a_sender("shop", Kind.APPLICATION, LEGITIMATE, summed)).road is Road.CONNECTOR


def test_a_program_beyond_a_mailboxs_limits_takes_high_volume_email_and_is_told_the_price() -> None:
    found = road(machine(Kind.APPLICATION, "2001:db8::5", 900_000, days=30, busiest=20_000))

    assert found.road is Road.HVE
    assert found.cost is not None
    # 900,000 mails in a month at USD 42 for a million recipients.
    assert "USD 37.8 a month" in str(found.cost)
    assert {each.road: each.fits for each in found.options}[Road.SMTP_OAUTH] is False


@pytest.mark.parametrize(("busiest", "fits"), [(30, True), (31, None), (1800, None), (1801, False)])
def test_the_busiest_hour_bounds_the_busiest_minute(busiest: int, fits: bool | None) -> None:
    found = road(machine(Kind.APPLICATION, "2001:db8::5", busiest=busiest))

    assert {each.road: each.fits for each in found.options}[Road.SMTP_OAUTH] is fits


def test_whom_it_reaches_is_unknown_where_no_witness_says() -> None:
    found = road(machine(Kind.APPLICATION, "2001:db8::5", inside=0))

    assert {each.road: each.fits for each in found.options}[Road.HVE] is None


@pytest.mark.parametrize(
    ("kind", "wanted"),
    [(Kind.SERVICE, Road.RETURN_PATH), (Kind.FORWARDER, Road.REWRITE), (Kind.HYBRID, Road.HYBRID)],
)
def test_what_is_no_machine_has_its_own_way(kind: Kind, wanted: Road) -> None:
    assert road(machine(kind, "203.0.113.9")).road is wanted


@pytest.mark.parametrize(
    ("protocols", "wanted", "by"),
    [
        ({"a@contoso.com": "basic"}, Road.SMTP_OAUTH, date(2026, 12, 31)),
        ({"a@contoso.com": "oauth"}, Road.STAY, None),
        ({}, Road.STAY, date(2026, 12, 31)),
    ],
)
def test_basic_authentication_has_a_date(protocols: dict[str, str], wanted: Road, by: date | None) -> None:
    sender = replace(
        machine(Kind.APPLICATION, "203.0.113.9", direction="originating"), path=Path.AUTHENTICATED
    )
    found = road(sender, settings=replace(OPEN, smtp_auth_protocols=protocols))

    assert (found.road, found.by) == (wanted, by)


def test_a_machine_long_silent_may_be_retired_and_a_yearly_one_may_not() -> None:
    daily = machine(Kind.DEVICE, "203.0.113.9", days=10)

    assert road(daily, days=90).road is Road.RETIRE
    assert road(daily, days=30).road is Road.CONNECTOR
    assert road(machine(Kind.DEVICE, "203.0.113.9", days=2, every=40), days=100).road is Road.CONNECTOR
    assert road(machine(Kind.DEVICE, "203.0.113.9", days=1), days=300).road is Road.CONNECTOR


@examples(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(organisations(), SETTINGS)
def test_every_sender_to_keep_has_a_way_that_fits_and_abuse_has_none(
    senders: tuple[Sender, ...], settings: Settings
) -> None:
    found = migrate(senders, settings, design(Replay(senders, settings)), None)

    assert set(found) == {each.id for each in senders if each.judgement is not Judgement.ABUSE}
    for each in found.values():
        fits = {option.road: option.fits for option in each.options}
        assert fits.get(each.road, True) is not False
    undecided = {each.id for each in senders if each.judgement is Judgement.UNDECIDED}
    assert {key for key, each in found.items() if each.road is Road.DECIDE} == undecided
