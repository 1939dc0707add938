"""Hosts inside and the ways of sending that they are: what proves it, what leaves it open, what says nothing."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portero.core.evidence import Origin
from portero.core.hosts import (
    Host,
    Inside,
    Lease,
    Meeting,
    by_chance,
    describe,
    is_inside,
    tie_flows,
    unregistered,
)
from support.flows import flow

EGRESS, OTHER = "203.0.113.9", "192.0.2.66"
AUTHOR = "scan@contoso.com"
DAY = datetime(2026, 11, 2, tzinfo=UTC)


def host(address="10.2.3.14", **known):
    return Host(address, first_seen=DAY, last_seen=DAY + timedelta(days=10), **known)


def met(address="10.2.3.14", mails=30, near=30, **known):
    given = {"alone": near, "moments": mails, "near_moments": near, "same_mail": 0, "chance": 0.05, **known}
    return Meeting(EGRESS, AUTHOR, address, mails, near, **given)


def tie(hosts, meetings=(), leased=(), own=(), client_ip=EGRESS, ehlo=None):
    inside = Inside(tuple(hosts), meetings=tuple(meetings), leased=tuple(leased))
    flows = [flow(client_ip=client_ip, header_from=AUTHOR, ehlo=ehlo)]
    return tie_flows(flows, inside, own.__contains__).get((client_ip, AUTHOR))


def test_the_one_host_that_was_connected_whenever_mail_came_is_it():
    found = tie([host()], [met()])
    assert found.settled
    assert found.hosts[0].address == "10.2.3.14"


@pytest.mark.parametrize(
    "meetings",
    [
        [met(near=20)],
        [met(mails=2, near=2)],
        [met(chance=0.9)],
        [met(moments=1, near_moments=1)],
        [met(), met("10.2.3.15", near=25)],
    ],
    ids=["a third unexplained", "two mails", "always connected", "one burst", "two could be"],
)
def test_what_could_be_otherwise_stays_open(meetings):
    found = tie([host(), host("10.2.3.15")], meetings)
    assert found is None or not found.settled


def test_hosts_that_share_a_name_are_several():
    found = tie([host(), host("10.2.3.15")], [met(near=15), met("10.2.3.15", near=15)])
    assert (len(found.hosts), found.settled) == (2, False)


def test_the_more_hosts_there_are_the_more_it_takes():
    few = tie([host()], [met(mails=4, near=4, chance=0.15)])
    many = tie([host(), *(host(f"10.9.{n}.1") for n in range(200))], [met(mails=4, near=4, chance=0.15)])
    assert (few.settled, many.settled) == (True, False)


def test_a_log_that_names_the_mail_outweighs_the_time():
    found = tie([host(), host("10.2.3.15")], [met(), met("10.2.3.15", near=0, same_mail=3)])
    assert ([each.address for each in found.hosts], found.settled) == (["10.2.3.15"], True)


def test_a_name_counts_only_where_the_address_is_ours():
    named = host(names=("PRN-3F-KM",))
    assert tie([named], ehlo="prn-3f-km.contoso.com", own=[EGRESS]).settled
    assert tie([named], ehlo="prn-3f-km", client_ip=OTHER) is None
    assert tie([host(egress=(EGRESS,), names=("prn",))], ehlo="prn").settled
    assert tie([host(egress=(OTHER,), names=("prn",))], ehlo="prn", own=[EGRESS]) is None


def test_an_address_as_name_and_a_lease_without_connections_do_too():
    assert tie([host()], ehlo="[10.2.3.14]", own=[EGRESS]).settled
    assert tie([], leased=[Host("10.2.3.20", names=("ups-1",))], ehlo="UPS-1", own=[EGRESS]).settled


def test_two_hosts_of_one_name_are_not_told_apart():
    found = tie([host(names=("prn",)), host("10.2.3.15", names=("prn",))], ehlo="prn", own=[EGRESS])
    assert (len(found.hosts), found.settled) == (2, False)


def test_a_host_without_translation_is_its_own_address():
    assert tie([host("198.51.100.4")], client_ip="198.51.100.4").settled


def leased(*leases, seen=None):
    inside = Inside((seen or host(),), leases)
    return describe(
        inside, {"00:20:6b:aa:bb:cc": "Konica Minolta"}.get, lambda address: address == "10.2.3.25"
    ).hosts[0]


def lease(mac="00:20:6b:aa:bb:cc", name="PRN-3F-KM", since=None, until=None, **known):
    at = None if since is None else DAY + timedelta(days=since)
    end = None if until is None else DAY + timedelta(days=until)
    return Lease("10.2.3.14", mac, name, since=at, until=end, origin=Origin("dhcp", 1), **known)


def test_a_lease_gives_name_maker_and_owner():
    found = leased(lease(owner="hq", remark="third floor"))
    assert str(found.label) == "PRN-3F-KM (10.2.3.14, Konica Minolta)"
    assert (found.owner, found.remark, found.origins) == ("hq", "third floor", (Origin("dhcp", 1),))


@pytest.mark.parametrize(
    ("known", "label"),
    [
        ({}, "10.2.3.14"),
        ({"names": ("a.b.c", "A")}, "a (10.2.3.14)"),
        ({"mac": "00:20:6b:aa:bb:cc"}, "Konica Minolta (10.2.3.14)"),
        ({"mac": "00:00:00:00:00:01"}, "10.2.3.14"),
    ],
)
def test_what_is_not_known_is_not_said(known, label):
    assert str(leased(seen=host(**known)).label) == label


def test_a_lease_of_another_time_names_nobody():
    assert leased(lease(since=-30, until=-29)).names == ()
    assert leased(lease(since=20)).names == ()


def test_a_renewed_lease_goes_on_and_the_next_device_ends_it():
    other = "00:20:6b:00:00:01"
    assert leased(lease(since=-30, until=-29), lease(since=-29, until=-1), lease(since=5)).names == (
        "PRN-3F-KM",
    )
    taken = leased(lease(since=-30), lease(other, "CAM", since=-20))
    assert (taken.names, taken.shared) == (("CAM",), False)
    both = leased(lease(since=-30), lease(other, "CAM", since=3))
    assert (both.shared, str(both.label)) == (True, "10.2.3.14")


def test_relays_are_those_that_the_configuration_names():
    open_, relay, closed = host(port_25=3), host("10.2.3.25", port_25=9), host("10.2.3.16")
    found = describe(Inside((open_, relay, closed)), lambda _: None, lambda address: address == "10.2.3.25")
    assert [each.address for each in unregistered(found.hosts)] == ["10.2.3.14"]


@pytest.mark.parametrize(
    ("address", "inside"),
    [
        ("10.0.0.1", True),
        ("172.31.0.1", True),
        ("172.32.0.1", False),
        ("100.64.0.1", True),
        ("fd00::1", True),
        ("2001:db8::1", False),
        ("x", False),
    ],
)
def test_private_ranges(address, inside):
    assert is_inside(address) is inside


@given(st.integers(0, 60), st.floats(0, 1))
def test_the_chance_of_at_least_nothing_is_one_and_it_falls(moments, share):
    odds = [by_chance(moments, near, share) for near in range(moments + 1)]
    assert odds[0] == pytest.approx(1)
    assert all(0 <= later <= earlier + 1e-9 for earlier, later in pairwise(odds))


def test_the_chance_is_the_binomial_tail():
    assert by_chance(3, 2, 0.5) == pytest.approx(0.5)
    assert by_chance(10, 10, 0.1) == pytest.approx(1e-10)
