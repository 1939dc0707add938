"""What others reported once each: who is in the crowd, who keeps a place of their own, and what is said of all."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

from portero.core.crowd import find_crowds
from portero.core.evidence import Origin
from portero.core.exchange.attribution import attribute, path_of, seen_connectors
from portero.core.exchange.settings import AcceptedDomain, Settings
from portero.core.flow import Facts, Flow, FlowKey, OutsideFlow
from portero.core.grouping import Placed

DAY = datetime(2026, 11, 1, tzinfo=UTC)
DOMAINS = ("contoso.com", "n0.fabrikam.com", "n1.fabrikam.com", "other.example")
SETTINGS = Settings(accepted_domains=tuple(map(AcceptedDomain, DOMAINS)))


def place(flow: Flow) -> Placed:
    attribution = attribute(flow, SETTINGS, seen_connectors(()))
    return Placed(flow, attribution, path_of(flow, SETTINGS, attribution))


def row(number: int, **changed: object) -> OutsideFlow:
    made = OutsideFlow(
        source_ip=f"198.51.{number // 250}.{number % 250}",
        header_from="contoso.com",
        envelope_from="contoso.com",
        reporter="receiver",
        to_us=False,
        mails=1,
        aligned_spf=0,
        aligned_dkim=0,
        dkim_domain=None,
        spf_domain=None,
        first_seen=DAY,
        last_seen=DAY,
        origins=(Origin("report.xml", number + 1),),
        days={DAY.date(): 1},
    )
    return replace(made, **changed)  # type: ignore[arg-type]  # a test names the fields


CROWD = [row(number) for number in range(101)]


def split(rows: list[OutsideFlow], flows: tuple[Flow, ...] = (), known: tuple[str, ...] = ()):  # type: ignore[no-untyped-def]
    return find_crowds(rows, flows, place, lambda item: item.flow.key.client_ip in known)


def test_a_hundred_are_looked_at_one_by_one_and_one_more_are_a_crowd() -> None:
    assert split(CROWD[:100]) == (tuple(CROWD[:100]), ())
    rest, (crowd,) = split(CROWD)
    assert rest == ()
    assert crowd.addresses == tuple(sorted(each.source_ip for each in CROWD))
    assert {origin for each in crowd.rows for origin in each.origins} == {
        Origin("report.xml", n + 1) for n in range(101)
    }
    assert (crowd.facts.mails, crowd.facts.witnessed, crowd.facts.dmarc) == (
        0,
        {"dmarc-aggregate": 101},
        {"fail": 101},
    )
    assert crowd.facts.days == {date(2026, 11, 1): 101}


def test_who_passes_came_here_writes_again_is_traced_or_known_keeps_a_place() -> None:
    apart = [
        row(300, aligned_spf=1),
        row(301, aligned_dkim=1, dkim_domain="contoso.com"),
        row(302, to_us=True),
        row(303, mails=2, days={DAY.date(): 2}),
        row(304),
        row(304, header_from="x.contoso.com"),
        row(305),
        row(306),
        row(307, source_ip="40.107.22.1"),
        row(308, source_ip=""),
        row(309, source_ip="2001:db8::1"),
        row(310, source_ip="2001:db8::2"),
    ]
    traced = Flow(FlowKey(client_ip=apart[6].source_ip), Facts(mails=1))
    rest, (crowd,) = split([*CROWD, *apart], (traced,), (apart[7].source_ip,))
    assert rest == tuple(apart)
    assert len(crowd.addresses) == 101


def test_mail_that_may_be_in_a_trace_without_its_address_did_not_come_here_for_sure() -> None:
    hidden = Flow(FlowKey(), Facts(mails=9, first_seen=DAY, last_seen=DAY))
    here = [replace(each, to_us=True) for each in CROWD]
    assert split(here) == (tuple(here), ())
    _, (crowd,) = split(here, (hidden,))
    assert len(crowd.rows) == 101


def test_crowds_are_told_apart_by_whose_envelope_they_bear_and_show_one_of_each_pair_of_domains() -> None:
    second = [row(400 + number, envelope_from=f"n{number % 2}.fabrikam.com") for number in range(102)]
    # A sender with its own envelope is somebody, whom that names.
    few = [row(1000 + number, envelope_from="sender.example") for number in range(101)]
    few += [row(600 + number, envelope_from="other.example") for number in range(9)]
    rest, crowds = split([*CROWD, *few, *second])
    assert rest == tuple(few)
    assert [len(crowd.rows) for crowd in crowds] == [101, 102]
    assert [len(crowd.examples) for crowd in crowds] == [1, 2]
    assert {item.flow.key.mail_from_domain for item in crowds[1].examples} == {
        "n0.fabrikam.com",
        "n1.fabrikam.com",
    }
    assert all(item.once for crowd in crowds for item in crowd.examples)
    assert all(sum(item.flow.facts.witnessed.values()) == 1 for crowd in crowds for item in crowd.examples)
