"""A domain's road to p=reject: every milestone by what was measured, and the next record only when all hold."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from portero.core.case import Context
from portero.core.dmarc_road import Road, State, road
from portero.core.dns import Dns, DnsAnswer, DnsStatus
from portero.core.exchange.settings import AcceptedDomain, Settings
from portero.core.flow import OutsideFlow
from portero.core.register import Configuration
from portero.core.sender import Judgement, Kind, Sender
from portero.core.senders import find_senders
from support.flows import START, flow

OURS = "contoso.com"


def dns(record: str | None = f"v=DMARC1; p=none; rua=mailto:d@{OURS}") -> Dns:
    status = DnsStatus.NOERROR if record else DnsStatus.NXDOMAIN
    return Dns([DnsAnswer(f"_dmarc.{OURS}", "TXT", status, (record,) if record else ())])


def settings(held: Dns) -> Settings:
    return Settings(accepted_domains=(AcceptedDomain(OURS),), dns=held)


def sender(judgement: Judgement = Judgement.LEGITIMATE, kind: Kind | None = None, **given: object) -> Sender:
    known: dict[str, object] = {
        "client_ip": "192.0.2.1", "mail_from_domain": OURS, "header_from": f"a@{OURS}", "connector": "",
        "direction": "incoming", "dmarc": {"pass": 5}, "spf": {"pass": 5}, "dkim": {"pass": 5}, "dkim_domains": {OURS: 5},
    }  # fmt: skip
    what = flow(5, **{**known, **given})
    context = Context(settings(Dns()), None, lambda _: None, lambda *_: None)
    [found] = find_senders((what,), (), context, Configuration())
    return replace(found, id="s1", judgement=judgement, flows=(what,), kind=kind or found.kind)


def rows(days: int = 31, **given: object) -> list[OutsideFlow]:
    known: dict[str, object] = {
        "source_ip": "192.0.2.1", "header_from": OURS, "envelope_from": OURS, "reporter": "google.com", "to_us": False,
        "mails": 4, "aligned_spf": 4, "aligned_dkim": 4, "dkim_domain": OURS, "spf_domain": OURS,
        "first_seen": START, "last_seen": START + timedelta(days=days - 1),
        "days": {(START + timedelta(days=number)).date(): 1 for number in range(days)},
    }  # fmt: skip
    return [OutsideFlow(**{**known, **given})]  # type: ignore[arg-type]


def walk(
    held: Dns | None = None, senders: list[Sender] | None = None, reported: list[OutsideFlow] | None = None
) -> Road:
    zone = dns() if held is None else held
    return road(
        zone,
        OURS,
        [sender()] if senders is None else senders,
        rows() if reported is None else reported,
        settings(zone),
    )


def state(found: Road, id_: str) -> State:
    return next(each.state for each in found.milestones if each.id == id_)


def test_with_everything_measured_and_good_the_next_step_is_one_level_as_a_test() -> None:
    found = walk()

    assert all(
        state(found, each) is State.DONE for each in ("record", "reports", "month", "aligned", "signed")
    )
    assert found.next == f"v=DMARC1; p=quarantine; t=y; rua=mailto:d@{OURS}"


@pytest.mark.parametrize(
    ("now", "then"),
    [
        ("p=quarantine; t=y", "p=quarantine"),
        ("p=quarantine", "p=reject; t=y"),
        ("p=reject; t=y", "p=reject"),
        ("p=reject; pct=50", "p=reject"),
        ("p=reject", None),
    ],
)
def test_the_road_has_its_steps_in_order(now: str, then: str | None) -> None:
    rua = f"rua=mailto:d@{OURS}"

    assert walk(dns(f"v=DMARC1; {now}; {rua}")).next == (None if then is None else f"v=DMARC1; {then}; {rua}")


def test_without_a_record_or_reports_the_first_step_is_to_ask_for_them() -> None:
    assert walk(dns(None)).next == f"v=DMARC1; p=none; rua=mailto:dmarc@{OURS}"
    assert walk(dns("v=DMARC1; p=none")).next == f"v=DMARC1; p=none; rua=mailto:dmarc@{OURS}"
    assert state(walk(dns(None)), "record") is State.OPEN


def test_nothing_is_advised_where_nobody_asked_dns() -> None:
    found = walk(Dns())

    assert found.next is None
    assert {state(found, each) for each in ("record", "reports", "quarantine", "reject", "below")} == {
        State.UNKNOWN
    }


def test_a_month_is_counted_in_days_with_reports() -> None:
    assert state(walk(reported=rows(29)), "month") is State.OPEN
    assert state(walk(reported=[]), "month") is State.UNKNOWN
    assert walk(reported=[]).next is None


def test_a_legitimate_sender_that_fails_is_in_the_way_and_named() -> None:
    found = walk(senders=[sender(dmarc={"fail": 5})])

    assert state(found, "aligned") is State.OPEN
    assert next(each.senders for each in found.milestones if each.id == "aligned") == {"s1": 5}
    assert found.next is None


def test_abuse_that_fails_is_what_the_policy_is_for() -> None:
    reported = [*rows(), *rows(source_ip="203.0.113.66", aligned_spf=0, aligned_dkim=0)]
    found = walk(
        senders=[sender(), replace(sender(Judgement.ABUSE, dmarc={"fail": 5}), id="s2")], reported=reported
    )

    assert state(found, "aligned") is State.DONE


def test_a_result_nobody_recorded_leaves_the_milestone_unknown() -> None:
    found = walk(senders=[sender(dmarc={}, spf={}, dkim={}, dkim_domains={})], reported=rows())

    assert state(found, "aligned") is State.UNKNOWN


def test_a_sender_that_passes_by_spf_alone_is_named() -> None:
    found = walk(senders=[sender(dkim={"none": 5}, dkim_domains={})], reported=rows(aligned_dkim=0))

    assert next(each.senders for each in found.milestones if each.id == "signed") == {"s1": 9}
    assert state(found, "signed") is State.OPEN


def test_weaker_names_below_are_a_milestone_of_their_own() -> None:
    assert state(walk(dns(f"v=DMARC1; p=reject; sp=none; rua=mailto:d@{OURS}")), "below") is State.OPEN


def test_mailing_lists_are_spoken_of_in_any_case() -> None:
    assert "mailing lists" in str(walk().exposure[-1])
    forwarded = walk(senders=[sender(kind=Kind.FORWARDER)])
    assert "5 messages" in str(forwarded.exposure[0])
    broken = walk(reported=rows(aligned_dkim=0, aligned_spf=0))
    assert any("no longer matched" in str(each) for each in broken.exposure)
