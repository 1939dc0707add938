"""Senders told apart and judged, as an administrator would tell them."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from portero.core.case import ANCHORED, Context
from portero.core.exchange.settings import AcceptedDomain, InboundConnector, Settings
from portero.core.flow import Distinct, Flow, OutsideFlow
from portero.core.register import Configuration, RegisterEntry
from portero.core.sender import Judgement, Kind, Path, Sender
from portero.core.senders import find_senders, window_of
from portero.core.weights import OWN_WORD, VOUCHING, WEIGHTS
from support.flows import START, flow
from support.inventory import OURS, SETTINGS, campaign, people, scanner


def found(
    *flows: Flow, register: tuple[RegisterEntry, ...] = (), mailboxes: frozenset[str] = frozenset()
) -> list[Sender]:
    context = Context(SETTINGS, window_of(flows), mailboxes=mailboxes)
    return list(find_senders(flows, (), context, Configuration(register=register)))


def test_a_scanner_of_many_weeks_is_a_legitimate_device() -> None:
    (sender,) = found(scanner())
    assert (sender.judgement, sender.kind, sender.path) == (Judgement.LEGITIMATE, Kind.DEVICE, "direct-send")


def test_a_voicemail_burst_to_people_under_their_own_address_is_abuse() -> None:
    abuse = found(scanner(), campaign())[-1]
    assert (abuse.judgement, abuse.kind) == (Judgement.ABUSE, Kind.SPOOFER)
    assert abuse.confidence > 0.9


def test_what_reports_know_to_send_with_a_foreign_envelope_is_a_service_however_like_a_device_it_sends() -> (
    None
):
    summed = scanner()
    key = replace(summed.key, mail_from_domain=None, header_from=None, sender=summed.key.header_from)
    summed = replace(summed, key=key)

    def kind(*envelopes: str) -> Kind:
        rows = [
            OutsideFlow(
                source_ip=key.client_ip or "", header_from=OURS, envelope_from=each, reporter="Enterprise Outlook",
                to_us=False, mails=9, aligned_spf=0, aligned_dkim=9, dkim_domain=OURS, spf_domain=each,
                first_seen=START, last_seen=START,
            )
            for each in envelopes
        ]  # fmt: skip
        context = Context(SETTINGS, window_of([summed]))
        senders = find_senders([summed], rows, context, Configuration())
        (sender,) = (each for each in senders if each.header_from)
        return sender.kind

    assert [kind(), kind("em1.vendor.example"), kind(OURS, "em1.vendor.example")] == [
        Kind.DEVICE,
        Kind.SERVICE,
        Kind.DEVICE,
    ]


def test_who_writes_from_a_free_mailbox_is_no_one_with_all_others_there_unless_the_own_key_signs() -> None:
    def from_free_mail(name: str, address: str, **facts: object) -> Flow:
        return flow(
            5, 5, client_ip=address, mail_from_domain="gmail.com", header_from=f"{name}@{OURS}", connector="",
            direction="incoming", **facts,
        )  # fmt: skip

    failing = {"dmarc": {"fail": 5}}
    employee = [from_free_mail("pablo", f"209.85.128.{n}", **failing) for n in (41, 42)]
    forger = from_free_mail("ceo", "209.85.220.41", **failing)
    assert sorted(each.header_from for each in found(*employee, forger)) == [
        (f"ceo@{OURS}",),
        (f"pablo@{OURS}",),
    ]
    passing = {"dmarc": {"pass": 5}, "dkim": {"pass": 5}}
    forwarded = [from_free_mail(name, "209.85.220.42", **passing) for name in ("ana", "eva")]
    assert len(found(*forwarded)) == 1


def test_a_copy_of_the_scanner_never_joins_it() -> None:
    copy = scanner(client_ip="192.0.2.70")
    senders = found(scanner(), copy, campaign())
    mine = next(sender for sender in senders if "198.51.100.10/32" in sender.client_networks)
    assert "192.0.2.70/32" not in mine.client_networks


def test_two_devices_behind_one_address_stay_apart() -> None:
    ups = scanner(header_from=f"ups@{OURS}", ehlo="ups-1", shapes={"ups on battery": 60})
    assert len(found(scanner(), ups)) == 2


def test_the_weights_add_up_to_the_judgement() -> None:
    for sender in found(scanner(), campaign()):
        odds = sum(reason.weight for reason in sender.because)
        abuse = 1 / (1 + math.exp(-odds))
        assert sender.confidence == pytest.approx(max(abuse, 1 - abuse))


def test_ids_stay_when_the_window_moves_and_other_senders_come() -> None:
    (before,) = found(scanner())
    after = found(scanner(first_seen=START + timedelta(days=20)), campaign())
    assert before.id in {sender.id for sender in after}


def test_the_registers_word_wins_and_is_shown_as_such() -> None:
    entry = RegisterEntry(
        "Voice system", "legitimate", header_from=(f"ann@{OURS}",), owner="telecom@contoso.com"
    )
    sender = next(each for each in found(campaign(), register=(entry,)))
    assert (sender.judgement, sender.decided_by, sender.owner) == (
        "legitimate",
        "register",
        "telecom@contoso.com",
    )


def test_thin_evidence_is_left_to_a_person() -> None:
    (sender,) = found(
        flow(
            3,
            1,
            client_ip="203.0.113.5",
            connector="",
            direction="incoming",
            mail_from_domain=OURS,
            header_from=f"nas@{OURS}",
        )
    )
    assert sender.judgement is Judgement.UNDECIDED


@pytest.mark.parametrize("name", ["fabrikam.example", "xn--bcher-kva.example"])
def test_judgement_does_not_depend_on_the_domains_name(name: str) -> None:
    settings = Settings(
        accepted_domains=(AcceptedDomain(name, match_subdomains=False),), inbound_connectors=()
    )
    flows = (
        scanner(mail_from_domain=name, header_from=f"scanner@{name}"),
        campaign(mail_from_domain=name, header_from=f"ann@{name}"),
    )
    renamed = find_senders(flows, (), Context(settings, window_of(flows)), Configuration())
    assert [each.confidence for each in renamed] == [each.confidence for each in found(scanner(), campaign())]


def patient(mails: int = 11, **given: object) -> Flow:
    """A fraud that writes once a week for eleven weeks under a name of the organisation, to the one who pays."""
    known = {
        "client_ip": "192.0.2.4",
        "header_from": f"accounts@{OURS}",
        "mail_from_domain": OURS,
        "connector": "",
        "direction": "incoming",
        "shapes": {"overdue supplier invoice": mails},
    }
    return flow(mails, 11, every=7, **{**known, **given})


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"spf": {"fail": 11}, "dkim": {"none": 11}, "dmarc": {"fail": 11}},
        {"mails": 80},
        {"mails": 80, "recipients": people(2)},
        {"mails": 80, "recipients": people(8), "outcomes": {"junked": 70, "delivered": 10}},
        {"mails": 80, "inside": 4, "outside": 76, "recipients": people(8)},
    ],
)
def test_patience_alone_vouches_for_nobody(given: dict[str, Any]) -> None:
    (sender,) = found(patient(**given))
    assert sender.judgement is Judgement.UNDECIDED
    assert sender.because[-1].code == "behaviour-alone"
    assert sender.to_decide


def test_several_readers_of_many_weeks_vouch_for_what_they_receive_but_never_make_it_certain() -> None:
    (sender,) = found(scanner())
    assert sender.judgement is Judgement.LEGITIMATE
    assert sender.confidence == pytest.approx(0.9, abs=0.001)
    assert [each.code for each in sender.because if each.code in VOUCHING] == ["long-received"]
    # The same with a proof is as sure as its evidence adds up to.
    (proven,) = found(scanner(spf={"pass": 60}, dmarc={"pass": 60}))
    assert proven.confidence > 0.99


def test_readers_vouch_for_a_place_whichever_of_its_machines_writes_to_them() -> None:
    ups = scanner(
        header_from=f"ups@{OURS}",
        ehlo="ups-1",
        shapes={"ups on battery": 60},
        recipients=Distinct((99,)),
    )
    judged = {each.header_from[0]: each for each in found(scanner(), ups)}
    beside = judged[f"ups@{OURS}"]
    assert beside.judgement is Judgement.LEGITIMATE
    assert "beside-received" in {each.code for each in beside.because}
    elsewhere = replace(ups, key=replace(ups.key, client_ip="192.0.2.80"))
    judged = {each.header_from[0]: each for each in found(scanner(), elsewhere)}
    assert judged[f"ups@{OURS}"].judgement is Judgement.UNDECIDED


def test_whatever_speaks_for_a_sender_says_who_can_make_it() -> None:
    for code, weight in WEIGHTS.items():
        if weight.value < 0:
            assert weight.maker is not None, code
        if weight.value > 0:
            assert weight.maker is None, code
    assert ANCHORED <= OWN_WORD < VOUCHING


def test_pay_slips_to_everybody_at_once_are_never_an_accusation() -> None:
    slips = flow(
        30,
        1,
        client_ip="203.0.113.40",
        connector="",
        direction="incoming",
        mail_from_domain=OURS,
        header_from=f"payroll@{OURS}",
        shapes={"your payroll slip #/#": 30},
        recipients=people(30),
        busiest=30,
    )
    judged = {name: sender.judgement for sender in found(scanner(), slips) for name in sender.header_from}
    assert judged[f"payroll@{OURS}"] is not Judgement.ABUSE


def test_weeks_vouch_for_nobody_where_no_address_is_recorded() -> None:
    (sender,) = found(scanner(client_ip=None, ehlo=None, distinct_shapes=people(40), shapes={}))
    assert "weeks-8" not in {reason.code for reason in sender.because}


def test_a_gateways_connector_vouches_for_nobody_where_no_address_is_recorded() -> None:
    filtered = InboundConnector("From filter", "OnPremises", addresses=("198.51.100.0/24",))
    open_ = replace(SETTINGS, inbound_connectors=(filtered,))
    took = {"client_ip": None, "ehlo": None, "connector": "From filter", "direction": "originating"}
    news = scanner(**took, header_from=f"news@{OURS}")
    lure = campaign(**took, header_from=f"hr@{OURS}")

    def judged(settings: Settings) -> dict[tuple[str, ...], Judgement]:
        held = find_senders([news, lure], (), Context(settings, window_of([news, lure])), Configuration())
        return {tuple(sorted(each.header_from)): each.judgement for each in held}

    # Whoever made a connector for one source vouches for all that comes by it; nobody does for the internet's mail.
    assert judged(open_) == {(f"hr@{OURS}", f"news@{OURS}"): Judgement.LEGITIMATE}
    apart = judged(replace(open_, gateway_connectors=("from filter",)))
    assert apart.keys() == {(f"hr@{OURS}",), (f"news@{OURS}",)}
    assert apart[(f"hr@{OURS}",)] is not Judgement.LEGITIMATE


def test_hosts_of_no_recorded_address_are_parted_by_what_they_call_themselves() -> None:
    unplaced = {"client_ip": None, "header_from": f"ana@{OURS}"}
    scans, copy = scanner(**unplaced, ehlo="[10.0.9.30]"), scanner(**unplaced, ehlo="localhost")
    assert len(found(scans, copy)) == 2
    assert len(found(scans, scanner(**unplaced, ehlo="[10.0.9.30]", mail_from_domain=None))) == 1


def test_weeks_do_not_vouch_for_failing_mail_under_a_colleagues_name() -> None:
    (patient,) = found(
        scanner(spf={"fail": 60}, dkim={"none": 60}, dmarc={"fail": 60}, recipients=people(30)),
        mailboxes=frozenset({f"scanner@{OURS}"}),
    )
    assert patient.judgement is Judgement.UNDECIDED
    assert "borrowed-name" in {reason.code for reason in patient.because}


def list_posts(people_reached: int) -> Flow:
    """Give posts of seven members that a list brings home."""
    return flow(
        70,
        70,
        client_ip="203.0.113.77",
        connector="",
        direction="incoming",
        mail_from_domain="lists.example",
        header_from=f"ann@{OURS}",
        shapes={"re: minutes": 70},
        recipients=people(people_reached),
    )


def test_the_many_names_of_a_list_whose_subscribers_are_regulars_do_not_count() -> None:
    members = [
        replace(post, key=replace(post.key, header_from=f"member{n}@{OURS}"))
        for n, post in enumerate([list_posts(6)] * 7)
    ]
    strangers = [
        replace(post, key=replace(post.key, header_from=f"member{n}@{OURS}"))
        for n, post in enumerate([list_posts(460)] * 7)
    ]
    (regular,), (campaigner,) = found(*members), found(*strangers)
    assert "many-names" not in {reason.code for reason in regular.because}
    assert "many-names" in {reason.code for reason in campaigner.because}


def test_a_loopback_is_nobodys_name_and_an_address_of_its_own_is_no_sign() -> None:
    (everybodys,), (own,) = (
        found(campaign(ehlo="[127.0.0.1]")),
        found(campaign(ehlo="[10.2.3.14]")),
    )
    assert "nameless-host" in {reason.code for reason in everybodys.because}
    assert "nameless-host" not in {reason.code for reason in own.because}


def behind_one_address(name: str, mails: int, weeks: int, **given: object) -> Flow:
    known = {
        "client_ip": "203.0.113.10",
        "connector": "",
        "direction": "incoming",
        "mail_from_domain": OURS,
        "header_from": f"{name}@{OURS}",
        "shapes": {"scan from mfp #": mails},
        "dmarc": {"pass": mails},
        "spf": {"pass": mails},
    }
    return flow(mails, weeks, every=7, **{**known, **given})


def test_devices_of_one_model_stay_apart_and_scans_under_peoples_names_are_one_more() -> None:
    senders = found(
        behind_one_address("mfp1", 60, 9),
        behind_one_address("mfp2", 40, 9),
        *(behind_one_address(f"person{n}", 2, 2) for n in range(6)),
        mailboxes=frozenset(f"person{n}@{OURS}" for n in range(6)),
    )
    assert sorted(sender.mails for sender in senders) == [12, 40, 60]


def test_a_copy_of_a_device_does_not_take_its_own_name_from_it() -> None:
    copy = behind_one_address("mfp1", 4, 4, client_ip="192.0.2.70", dmarc={"fail": 4}, spf={"fail": 4})
    senders = found(
        behind_one_address("mfp1", 60, 9),
        *(behind_one_address(f"person{n}", 2, 2) for n in range(6)),
        copy,
        mailboxes=frozenset(f"person{n}@{OURS}" for n in range(6)),
    )
    assert sorted(sender.mails for sender in senders) == [4, 12, 60]


def test_a_persons_forwarded_mail_is_not_the_device_she_scans_with() -> None:
    forwarded = behind_one_address(
        "ann", 12, 9, client_ip="198.51.100.140", shapes={"lunch?": 12}, dkim={"pass": 12}, spf={"fail": 12}
    )
    senders = found(behind_one_address("ann", 12, 9), forwarded, mailboxes=frozenset({f"ann@{OURS}"}))
    assert {sender.client_networks for sender in senders} == {("203.0.113.10/32",), ("198.51.100.140/32",)}


def test_a_vendor_that_passes_from_many_addresses_is_one_sender() -> None:
    pool = [
        behind_one_address("news", 12, 9, client_ip=f"198.51.{n}.7", ehlo=f"o{n}.vendor.example")
        for n in range(4)
    ]
    (vendor,) = found(*pool)
    assert vendor.mails == 48


def test_peoples_signatures_from_a_host_that_spf_does_not_know_are_a_forwarders() -> None:
    (forwarder,) = found(
        *(
            behind_one_address(
                f"person{n}",
                3,
                3,
                ehlo="mx.club.example",
                shapes={"lunch?": 3},
                dkim={"pass": 3},
                spf={"fail": 3},
            )
            for n in range(6)
        ),
        mailboxes=frozenset(f"person{n}@{OURS}" for n in range(6)),
    )
    assert forwarder.kind is Kind.FORWARDER


def test_people_who_write_through_what_may_be_an_own_server_are_no_campaign() -> None:
    server = [
        flow(
            12,
            14,
            client_ip="198.51.100.9",
            sender=f"person{n}@{OURS}",
            outside=0,
            shapes={"re: matter": 12},
            distinct_shapes=people(12),
            recipients=Distinct(tuple(range(100 * n, 100 * n + 30))),
            dmarc={"fail": 12},
        )
        for n in range(6)
    ]
    hybrid = InboundConnector(
        "Inbound from 7f3c", "OnPremises", certificate="mail.contoso.com", cloud_services_mail=True
    )
    settings = replace(SETTINGS, inbound_connectors=(hybrid,))
    context = Context(settings, window_of(server), mailboxes=frozenset(f"person{n}@{OURS}" for n in range(6)))
    judged = {each.judgement for each in find_senders(server, (), context, Configuration())}
    assert Judgement.ABUSE not in judged


def test_a_name_seen_elsewhere_too_is_no_host_of_its_own_beside_others() -> None:
    members = [
        behind_one_address(
            f"member{n}",
            12,
            9,
            client_ip="198.51.100.77",
            shapes={"re: minutes": 12},
            dmarc={"fail": 12},
            spf={"fail": 12},
        )
        for n in range(6)
    ]
    scanned = [behind_one_address(f"member{n}", 12, 9, shapes={"scan from mfp #": 12}) for n in range(6)]
    assert {each.judgement for each in found(*members, *scanned)} <= {
        Judgement.LEGITIMATE,
        Judgement.UNDECIDED,
    }


def moving(address: str, day: int, days: int, **given: object) -> Flow:
    """Give two weeks or less of a device that takes another address of its provider now and then."""
    known = {
        "client_ip": address,
        "connector": "",
        "direction": "incoming",
        "mail_from_domain": OURS,
        "header_from": f"scanner@{OURS}",
        "ehlo": "kmc0002",
        "shapes": {"scanned from km_c#": days},
    }
    return flow(days, days, start=START + timedelta(days=day), **{**known, **given})


def test_a_copy_that_works_while_its_model_moves_joins_none_of_its_addresses() -> None:
    model = [
        moving(f"198.19.{net}.{host}", day, 6)
        for net, host, day in ((91, 5, 0), (183, 7, 14), (91, 9, 21), (140, 3, 35))
    ]
    # On no day of its own does it share an address's day but one.
    copy = moving("198.19.201.66", 13, 5, every=6)
    senders = found(*model, copy)
    [held] = [each for each in senders if "198.19.201.66/32" in each.client_networks]
    assert held.client_networks == ("198.19.201.66/32",)
    assert max(len(each.client_networks) for each in senders) == len(model)


def roaming(days: range, *, net: str = "198.18", every: int = 1, **given: object) -> list[Flow]:
    """Give a device without a name of its own whose line takes another address of a wide pool every day."""
    known = {
        "connector": "",
        "direction": "incoming",
        "mail_from_domain": OURS,
        "header_from": f"scanner@{OURS}",
        "shapes": {"scanned from reception": 2},
        "recipients": people(2),
    }
    return [
        flow(
            2,
            1,
            start=START + timedelta(days=every * day),
            client_ip=f"{net}.{day + 10}.{day + 1}",
            **{**known, **given},
        )
        for day in days
    ]


def places(senders: list[Sender]) -> list[int]:
    return sorted(len(each.client_networks) for each in senders)


def test_a_device_over_its_providers_pool_is_one_sender_with_one_id() -> None:
    (device,) = found(*roaming(range(20)))
    assert device.mails == 40
    (later,) = found(*roaming(range(10, 30)))
    assert later.id == device.id


def test_an_address_that_the_pool_gives_twice_is_the_devices_too() -> None:
    first, *rest = roaming(range(20))
    again = replace(
        first,
        facts=first.facts.merge(replace(roaming(range(25, 26))[0], key=first.key).facts),
    )
    assert places(found(again, *rest)) == [20]


@pytest.mark.parametrize(
    "copy",
    [
        # At work while the device is.
        {"start": START + timedelta(days=4, hours=-1), "days": 2},
        # On its silent days, from an address of his own.
        {"start": START + timedelta(hours=12), "days": 8, "every": 4},
        # To somebody else, in its one free week.
        {"start": START + timedelta(days=41), "days": 1, "recipients": Distinct((0, 77))},
        # With something else to say.
        {"start": START + timedelta(days=41), "days": 1, "shapes": {"your new password": 2}},
        {"start": START + timedelta(days=41), "days": 1, "ehlo": "kali"},
        {"start": START + timedelta(days=41), "days": 1, "client_ip": "192.0.2.9"},
    ],
)
def test_a_copy_of_a_device_in_a_pool_stays_apart(copy: dict[str, object]) -> None:
    given = {**copy}
    days = int(str(given.pop("days")))
    (model,) = roaming(range(1))
    known = {**{name: getattr(model.key, name) for name in model.key.__slots__}, "client_ip": "198.18.250.9"}
    facts = {"recipients": people(2), "shapes": {"scanned from reception": 2}}
    forged = flow(2 * days, days, **{**known, **facts, **given})  # type: ignore[arg-type]
    senders = found(*roaming(range(20), every=2), forged)
    [held] = [each for each in senders if forged.key.client_ip in str(each.client_networks)]
    assert held.client_networks == (f"{forged.key.client_ip}/32",)


def test_nobodys_pool() -> None:
    # A person's name, readers that no two addresses share, and two addresses alone.
    assert places(found(*roaming(range(5)), mailboxes=frozenset({f"scanner@{OURS}"}))) == [1] * 5
    strangers = [roaming(range(n, n + 1), recipients=Distinct((n,)))[0] for n in range(5)]
    assert places(found(*strangers)) == [1] * 5
    assert places(found(*roaming(range(2)))) == [1, 1]


def tickets(numbers: range) -> list[Flow]:
    return [
        flow(
            1,
            1,
            start=START + timedelta(days=number),
            client_ip="203.0.113.20",
            sender=f"support+{number}@{OURS}",
            shapes={"[ticket] re": 1},
        )
        for number in numbers
    ]


def test_plus_addresses_are_one_mailbox_and_its_id_stays() -> None:
    (whole,), (later,) = found(*tickets(range(30))), found(*tickets(range(20, 40)))
    assert whole.id == later.id
    assert whole.label.values == (("address", "203.0.113.20"), ("name", f"support@{OURS}"))
    assert f"support+3@{OURS}" in whole.header_from


def test_a_service_is_one_sender_before_and_after_its_results_are_known() -> None:
    def sent(numbers: range, **given: object) -> list[Flow]:
        known = {
            "client_ip": "203.0.113.20",
            "mail_from_domain": "desk.example",
            "connector": "",
            "direction": "incoming",
        }
        return [
            flow(1, 1, **{**known, "header_from": f"support+{number}@{OURS}", **given}) for number in numbers
        ]

    (service,) = found(*sent(range(10)), *sent(range(10, 20), dmarc={"pass": 1}, dkim={"pass": 1}))
    assert service.mails == 20


def test_a_label_for_several_devices_says_how_many() -> None:
    def said(number: int) -> object:
        (sender,) = found(*(behind_one_address(f"mfp{n}", 3, 1) for n in range(number)))
        return dict(sender.label.values).get("number")

    assert [said(number) for number in (1, 2, 4)] == [None, 2, 4]


def test_behaviour_does_not_vouch_for_a_second_sender_of_a_proven_name() -> None:
    proven = scanner(dmarc={"pass": 60}, spf={"pass": 60})
    copy = scanner(client_ip="192.0.2.70")
    (alone,) = found(copy)
    assert alone.judgement is Judgement.LEGITIMATE
    judged = {each.client_networks[0]: each for each in found(proven, copy)}
    assert judged["198.51.100.10/32"].judgement is Judgement.LEGITIMATE
    assert judged["192.0.2.70/32"].judgement is Judgement.UNDECIDED
    assert "second-original" in {each.code for each in judged["192.0.2.70/32"].because}
    # Without proof for either, neither is the copy.
    assert "second-original" not in {
        reason.code for each in found(scanner(), copy) for reason in each.because
    }


def mailing(**given: Any) -> Flow:
    """One mailing of an hour to fifty people that fails authentication."""
    known = {
        "client_ip": "192.0.2.80",
        "header_from": f"people@{OURS}",
        "ehlo": "out.vendor.example",
        "shapes": {"your opinion counts": 50},
        "distinct_shapes": people(1),
        "recipients": people(50),
        "busiest": 50,
        "dmarc": {"fail": 50},
        "spf": {"fail": 50},
    }
    return flow(50, 1, **{**known, **given})


def test_one_mailing_to_all_is_asked_about_and_not_accused() -> None:
    judged = {sender.mails: sender.judgement for sender in found(scanner(), mailing())}
    assert judged[50] is Judgement.UNDECIDED


def test_whom_an_administrator_lets_past_the_filter_is_asked_about_and_not_accused() -> None:
    lure = mailing(shapes={"new voicemail message": 50}, self_addressed=50)
    context = Context(SETTINGS, window_of((scanner(), lure)))
    allowed = replace(context, settings=replace(SETTINGS, allowed_addresses=("192.0.2.64/26",)))

    def judged(held: Context) -> Judgement:
        return next(
            each.judgement
            for each in find_senders((scanner(), lure), (), held, Configuration())
            if each.mails == 50
        )

    assert (judged(context), judged(allowed)) == (Judgement.ABUSE, Judgement.UNDECIDED)


def test_a_traveller_who_signs_in_from_the_address_is_legitimate() -> None:
    places = [f"198.51.{n}.7" for n in range(100, 106)]
    mails = [
        flow(5, 4, client_ip=place, sender=f"ann@{OURS}", shapes={"re: matter": 5}, recipients=people(4))
        for place in places
    ]
    mailboxes = frozenset({f"ann@{OURS}"})
    without = Context(SETTINGS, window_of(mails), mailboxes=mailboxes)
    known = replace(
        without,
        settings=replace(SETTINGS, smtp_auth_clients={f"ann@{OURS}": dict.fromkeys(places, "basic")}),
    )
    judged = [
        {each.judgement for each in find_senders(mails, (), held, Configuration())}
        for held in (without, known)
    ]
    assert judged[0] != {Judgement.LEGITIMATE}
    assert judged[1] == {Judgement.LEGITIMATE}


def test_a_campaign_from_many_addresses_is_seen_without_its_words() -> None:
    def lure(n: int) -> Flow:
        return flow(
            1,
            1,
            client_ip=f"{20 + n}.{n}.7.9",
            header_from=f"person{n}@{OURS}",
            ehlo=f"host{n}",
            shapes={"vous avez un appel manqué": 1},
            recipients=people(1),
            self_addressed=1,
        )

    mailboxes = frozenset(f"person{n}@{OURS}" for n in range(9))
    many = found(scanner(), *(lure(n) for n in range(9)), mailboxes=mailboxes)
    assert {each.judgement for each in many if each.mails == 1} == {Judgement.ABUSE}
    few = found(scanner(), *(lure(n) for n in range(3)), mailboxes=mailboxes)
    assert Judgement.ABUSE not in {each.judgement for each in few}


def test_a_patient_forger_under_a_colleagues_name_is_not_vouched_for_by_one_reader() -> None:
    forger = scanner(
        client_ip="192.0.2.81", header_from=f"boss@{OURS}", recipients=people(1), dmarc={"fail": 60}
    )
    (sender,) = found(forger, mailboxes=frozenset({f"boss@{OURS}"}))
    assert sender.judgement is not Judgement.LEGITIMATE


def test_what_passes_only_by_a_record_that_serves_many_is_a_service_and_no_proof() -> None:
    def judged(lender: str | None, *flows: Flow) -> list[Sender]:
        context = Context(
            SETTINGS,
            window_of(flows),
            lender=lambda _address, _domain: lender,
            mailboxes=frozenset({f"ann@{OURS}"}),
        )
        return list(find_senders(flows, (), context, Configuration()))

    shop = scanner(spf={"pass": 60}, dkim={"none": 60}, dmarc={"pass": 60})
    fraud = flow(
        5, 3, client_ip="192.0.2.70", connector="", direction="incoming", mail_from_domain=OURS,
        header_from=f"ann@{OURS}", spf={"pass": 5}, dkim={"none": 5}, dmarc={"pass": 5},
    )  # fmt: skip

    vendor, stranger = judged("many.example", shop, fraud)
    own, _ = judged(None, shop, fraud)

    assert (vendor.judgement, vendor.kind) == (Judgement.LEGITIMATE, Kind.SERVICE)
    assert stranger.judgement is Judgement.UNDECIDED
    assert "spf-shared" in {reason.code for reason in stranger.because}
    assert own.kind is Kind.DEVICE
    signed = replace(shop, facts=replace(shop.facts, dkim={"pass": 60}))
    assert "dmarc-pass" in {reason.code for reason in judged("many.example", signed)[0].because}


def test_a_burst_around_a_sunday_is_no_activity_of_weeks() -> None:
    friday = START + timedelta(days=(4 - START.weekday()) % 7)
    burst = campaign(self_addressed=0)
    spread = replace(
        burst,
        facts=replace(burst.facts, days={(friday + timedelta(days=n)).date(): 10 for n in range(4)}),
    )
    (sender,) = (each for each in found(scanner(), spread) if each.mails == 40)
    assert not {reason.code for reason in sender.because} & {"weeks-2", "same-subjects", "device-words"}


def test_what_shows_neither_address_nor_direction_is_not_said_to_come_from_elsewhere() -> None:
    mailboxes = frozenset({f"ann@{OURS}"})

    def reasons(**given: Any) -> set[str]:
        mail = flow(9, 9, sender=f"ann@{OURS}", **given)
        return {reason.code for each in found(mail, mailboxes=mailboxes) for reason in each.because}

    (unseen,) = found(flow(9, 9, sender=f"ann@{OURS}", shapes={"minutes": 9}))
    assert unseen.kind is Kind.UNKNOWN
    assert "as-mailbox" in reasons(client_ip="192.0.2.7")
    assert "as-mailbox" not in reasons(client_ip=None)
    # One of Exchange Online's own servers.
    assert "as-mailbox" not in reasons(client_ip="40.107.22.10")


def test_a_campaign_in_a_devices_pool_does_not_join_it() -> None:
    (lure,) = roaming(range(40, 41), shapes={"your mailbox will be suspended": 2})
    spread = [
        replace(
            lure,
            key=replace(lure.key, client_ip=f"198.18.{100 + n}.9"),
            facts=replace(
                lure.facts,
                first_seen=lure.facts.first_seen + timedelta(minutes=n),
                last_seen=lure.facts.first_seen + timedelta(minutes=n),
            ),
        )
        for n in range(10)
    ]
    assert places(found(*roaming(range(20)), *spread)) == [1] * 10 + [20]


def burst_within(lures: int, day: int) -> Flow:
    """Give a scanner of sixty days, with a burst of lures in its own name on one day."""
    known = scanner(shapes={"scanned from mfp": 60, "action required: verify your account": lures})
    days = {**known.facts.days}
    on = sorted(days)[day]
    facts = replace(known.facts, mails=60 + lures, days={**days, on: days[on] + lures}, busiest=lures)
    return replace(known, facts=facts)


def test_a_burst_of_lures_within_a_printers_mail_is_said_and_asked_about_and_accuses_nobody() -> None:
    (sender,) = found(burst_within(40, 20))

    [note] = [reason for reason in sender.because if reason.code == "unlike-itself"]
    assert sender.judgement is Judgement.LEGITIMATE
    assert sender.unlike_itself
    assert note.weight == 0
    assert "40 of its mails have subjects of known lures" in str(note.text)


def test_a_few_words_of_lures_or_a_busy_day_without_them_are_not_remarked_on() -> None:
    busy = scanner(busiest=40)
    for mail in (
        burst_within(3, 20),
        busy,
        replace(busy, facts=replace(busy.facts, days={START.date(): 60})),
    ):
        assert not any(each.unlike_itself for each in found(mail))


def test_the_names_that_a_relay_passes_on_are_not_its_own_so_that_a_list_with_one_of_them_is_no_copy() -> (
    None
):
    relay = [
        scanner(client_ip="203.0.113.77", ehlo="relay", header_from=f"person{n}@{OURS}", dmarc={"pass": 60},
                recipients=Distinct(tuple(range(n * 100, n * 100 + 60))), shapes={f"subject {n}": 60})
        for n in range(6)
    ]  # fmt: skip
    posts = scanner(
        client_ip="192.0.2.70",
        ehlo="list",
        header_from=f"person3@{OURS}",
        dmarc={"fail": 60},
        shapes={"re": 60},
    )

    listed = next(each for each in found(*relay, posts) if "192.0.2.70/32" in each.client_networks)

    assert not {"copies", "copies-failing"} & {reason.code for reason in listed.because}
    assert listed.judgement is not Judgement.ABUSE
    alone = scanner(client_ip="203.0.113.77", header_from=f"person3@{OURS}", dmarc={"pass": 60})
    copied = next(each for each in found(alone, posts) if "192.0.2.70/32" in each.client_networks)
    assert "copies-failing" in {reason.code for reason in copied.because}


def test_peoples_mail_that_a_trace_shows_from_exchanges_own_servers_is_one_row_and_no_devices() -> None:
    def sent(person: int, server: int, **given: object) -> Flow:
        return flow(
            2,
            2,
            sender=f"p{person}@{OURS}",
            client_ip=f"2603:10a6:20b:{server}::{person}",
            **{"inside": 0, **given},
        )

    (outward,) = found(*(sent(person, server, outside=2) for person in range(5) for server in range(1, 4)))

    assert (outward.kind, outward.path, outward.mails) == (Kind.MAILBOX, "internal", 30)
    # Inside, such an address names nobody: what cannot be told apart is one row for each name, and undetermined.
    inward = found(*(sent(person, server, inside=2) for person in range(5) for server in range(1, 4)))
    assert [(each.path, each.judgement) for each in inward] == [("undetermined", Judgement.UNDECIDED)] * 5


def test_a_lures_words_under_a_colleagues_name_accuse_nobody_where_no_address_is_recorded() -> None:
    mailboxes = frozenset({f"ann@{OURS}"})
    mail = flow(
        2,
        2,
        every=8,
        sender=f"ann@{OURS}",
        direction="incoming",
        connector="",
        shapes={"new fax received #": 2},
    )

    (unplaced, *_) = found(scanner(), mail, mailboxes=mailboxes)[1:]

    assert {"lure", "as-mailbox", "no-address"} <= {reason.code for reason in unplaced.because}
    assert unplaced.judgement is Judgement.UNDECIDED


def test_no_name_alone_is_vouched_for_by_behaviour_for_its_copy_would_be_counted_with_it() -> None:
    def scans(address: str | None) -> Sender:
        device = flow(
            40,
            40,
            sender=f"mfp@{OURS}",
            direction="incoming",
            connector="",
            client_ip=address,
            shapes={"scan from mfp": 40},
            recipients=people(8),
        )
        (sender,) = found(device)
        return sender

    assert scans("203.0.113.7").judgement is Judgement.LEGITIMATE

    unplaced = scans(None)
    assert unplaced.judgement is Judgement.UNDECIDED
    assert unplaced.because[-1].code == "name-alone"
    assert unplaced.to_decide


def test_people_behind_a_server_of_theirs_are_not_accused_where_no_connector_was_exported() -> None:
    names = [f"{name}@{OURS}" for name in ("ana", "bea", "cai", "dora")]
    mail = [
        flow(
            20,
            20,
            client_ip="203.0.113.60",
            direction="incoming",
            mail_from_domain=OURS,
            sender=name,
            ehlo="mail.contoso.example",
            recipients=Distinct(tuple(range(40 * number, 40 * number + 40))),
            shapes={"minutes of the meeting": 20},
            spf={"fail": 20},
            dmarc={"fail": 20},
        )
        for number, name in enumerate(names)
    ]

    def judged(connectors: tuple[InboundConnector, ...] | None) -> Sender:
        settings = replace(SETTINGS, inbound_connectors=connectors)
        context = Context(settings, window_of(mail), mailboxes=frozenset(names))
        (sender,) = find_senders(mail, (), context, Configuration())
        return sender

    assert judged(()).judgement is Judgement.ABUSE
    own = judged(None)
    assert (own.path, own.judgement) == (Path.UNDETERMINED, Judgement.UNDECIDED)
    assert "no-campaign" in {each.code for each in own.because}
