"""Organisations are repeatable, bounded, and hold what their axes promise."""

import ipaddress
from dataclasses import replace
from datetime import timedelta

import pytest

from portero.proving import truth
from portero.proving.axes import CAMPAIGNS, Axes
from portero.proving.generate import generate
from portero.proving.organisation import Organisation, Session
from portero.proving.writers.export import files


def without(**axes: object) -> Axes:
    """Axes with everything optional off but what is named."""
    plain = Axes(
        people=40, days=30, scan_to_self=False, small_devices=False, erp=False, payroll=False, newsletter=False,
        aligned_service=False, bounce_domain_service=False, smtp_auth=False, campaigns=(), mails_at_most=800,
    )  # fmt: skip
    return replace(plain, **axes)  # type: ignore[arg-type]


def of(organisation: Organisation, sender: str) -> list[truth.Mail]:
    return [mail for mail in organisation.mails if mail.sender == sender]


@pytest.mark.parametrize("seed", [0, 5, 9])
def test_the_same_seed_gives_the_same_bytes(seed: int) -> None:
    assert files(generate(seed)) == files(generate(seed))


def test_another_seed_gives_another_organisation() -> None:
    assert files(generate(1)) != files(generate(2))


@pytest.mark.parametrize("seed", range(6))
def test_every_mail_lies_in_the_window_and_reached_exchange(seed: int) -> None:
    organisation = generate(seed)
    assert organisation.mails
    for mail in organisation.mails:
        assert organisation.start <= mail.sent_at < organisation.end + timedelta(days=3)
        assert not truth.refused_today(organisation, mail)
        assert (mail.sender is None) == (not truth.names_us(organisation, mail))


@pytest.mark.parametrize("people", [30, 600, 5000])
def test_the_mail_of_any_size_is_bounded(people: int) -> None:
    organisation = generate(1, Axes(people=people))
    assert 500 < len(organisation.mails) < 9000


def test_no_address_belongs_to_anybody() -> None:
    reserved = [ipaddress.ip_network(text) for text in ("198.18.0.0/15", "240.0.0.0/4", "2001:db8::/32")]
    for seed in range(3):
        for mail in generate(seed).mails:
            if mail.client_ip is not None:
                address = ipaddress.ip_address(mail.client_ip)
                assert any(address in network for network in reserved)


@pytest.mark.parametrize("campaign", [name for name in CAMPAIGNS if name != "through-gateway"])
def test_a_campaign_is_abuse_from_an_address_of_its_own(campaign: str) -> None:
    organisation = generate(3, without(campaigns=(campaign,)))
    hits = of(organisation, f"attack-{campaign}")
    assert hits
    assert organisation.sender(f"attack-{campaign}").judgement == "abuse"
    legitimate = {mail.client_ip for mail in organisation.mails if mail.sender != f"attack-{campaign}"}
    assert not legitimate & {mail.client_ip for mail in hits}


def test_an_attack_through_the_gateway_arrives_like_all_other_mail() -> None:
    organisation = generate(3, without(mx="gateway", campaigns=("through-gateway",)))
    networks = [ipaddress.ip_network(text) for text in organisation.gateway_networks]
    for mail in of(organisation, "attack-through-gateway"):
        assert any(ipaddress.ip_address(str(mail.client_ip)) in network for network in networks)


def test_a_copied_device_bears_the_device_s_name_and_greeting() -> None:
    organisation = generate(4, without(campaigns=("device-copy",)))
    devices = {
        (mail.header_from, mail.ehlo) for mail in organisation.mails if mail.sender in ("mfp-1", "mfp-2")
    }
    copies = {(mail.header_from, mail.ehlo) for mail in of(organisation, "attack-device-copy")}
    assert copies <= devices


def test_a_follow_me_scanner_writes_to_whom_it_writes_as() -> None:
    scans = of(generate(1, without(scan_to_self=True)), "scan-to-self")
    assert scans
    assert all(mail.recipients == (mail.header_from,) for mail in scans)


def test_payroll_reaches_everybody_within_the_hour_and_is_legitimate() -> None:
    organisation = generate(1, without(payroll=True, mails_at_most=1500))
    run = of(organisation, "payroll")
    assert len({mail.recipients for mail in run}) == 40
    assert max(mail.sent_at for mail in run) - min(mail.sent_at for mail in run) < timedelta(hours=1)
    assert organisation.sender("payroll").judgement == "legitimate"


def test_a_new_device_was_never_seen_before_its_week() -> None:
    organisation = generate(1, without(new_device=True))
    assert all(organisation.end - mail.sent_at <= timedelta(days=6) for mail in of(organisation, "mfp-new"))


@pytest.mark.parametrize(("mode", "ranges"), [("fixed", 1), ("weekly", 1), ("roaming", 2)])
def test_the_office_s_address_moves_as_the_axis_says(mode: str, ranges: int) -> None:
    scans = of(generate(8, without(days=90, device_address=mode)), "mfp-1")
    addresses = {str(mail.client_ip) for mail in scans}
    assert (len(addresses) == 1) == (mode == "fixed")
    assert len({address.rpartition(".")[0] for address in addresses}) >= ranges
    assert mode == "roaming" or len({address.rpartition(".")[0] for address in addresses}) == 1


def test_spf_passes_exactly_where_the_record_lists_the_address() -> None:
    for listed in (True, False):
        organisation = generate(2, without(scanners_in_spf=listed))
        record = str(organisation.domain.spf)
        for mail in of(organisation, "mfp-1"):
            assert (mail.spf == "pass") == listed == (str(mail.client_ip) in record)


def test_devices_that_a_lock_refuses_are_in_nobody_s_trace() -> None:
    organisation = generate(2, without(mx="gateway", gateway="lock"))
    assert not of(organisation, "mfp-1")
    assert any(mail.session is Session.MAILBOX for mail in organisation.mails)


def test_an_honoured_reject_policy_keeps_spoofs_out_of_the_trace() -> None:
    honoured = generate(3, without(policy="reject", campaigns=("burst",)))
    ignored = generate(3, without(policy="reject", campaigns=("burst",), honours_dmarc=False))
    assert not of(honoured, "attack-burst")
    assert of(ignored, "attack-burst")


def test_most_of_a_trace_does_not_name_the_organisation() -> None:
    organisation = generate(1, without())
    assert sum(mail.sender is None for mail in organisation.mails) > len(organisation.mails) / 2
