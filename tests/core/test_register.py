"""The register vouches for what its criteria name, and for nothing that no witness knew."""

from ipaddress import ip_network

import pytest

from portero.core.flow import FlowKey
from portero.core.register import Configuration, KnownNetwork, RegisterEntry, pattern

OFFICE = (ip_network("203.0.113.8/29"), ip_network("2001:db8:10::/48"))


def entry(**criteria):
    return RegisterEntry("Payroll", "legitimate", **criteria)


@pytest.mark.parametrize(
    ("criteria", "key", "expected"),
    [
        ({"header_from": ("a@x.com",)}, FlowKey(header_from="A@X.com"), True),
        ({"header_from": ("a@x.com",)}, FlowKey(header_from="b@x.com"), False),
        ({"header_from": ("a@x.com",)}, FlowKey(header_from="@x.com"), False),
        ({"header_from": ("@x.com",)}, FlowKey(header_from="@x.com"), True),
        ({"header_from": ("@x.com",)}, FlowKey(header_from="b@sub.x.com"), False),
        ({"header_from": ("a@x.com",)}, FlowKey(sender="a@x.com"), True),
        ({"header_from": ("a@x.com",)}, FlowKey(header_from="b@x.com", sender="a@x.com"), False),
        ({"mail_from": ("a@x.com",)}, FlowKey(sender="a@x.com"), True),
        ({"mail_from": ("@x.com",)}, FlowKey(mail_from_domain="x.com"), True),
        ({"mail_from": ("a@x.com",)}, FlowKey(mail_from_domain="x.com"), False),
        ({"mail_from": ("a@x.com",), "networks": OFFICE}, FlowKey("203.0.113.9", "x.com"), True),
        ({"mail_from": ("",)}, FlowKey(mail_from_domain=""), True),
        ({"mail_from": ("",)}, FlowKey(), False),
        ({"networks": OFFICE}, FlowKey(client_ip="203.0.113.9"), True),
        ({"networks": OFFICE}, FlowKey(client_ip="2001:db8:10::1"), True),
        ({"networks": OFFICE}, FlowKey(client_ip="203.0.113.16"), False),
        ({"networks": OFFICE}, FlowKey(client_ip=""), False),
        ({"networks": OFFICE}, FlowKey(client_ip="nonsense"), False),
        ({"ehlo": ("MFP-1.x.com",)}, FlowKey(ehlo="mfp-1.x.com."), True),
        ({"ehlo": ("mfp-1",)}, FlowKey(), False),
        ({}, FlowKey(client_ip="203.0.113.9"), False),
    ],
)
def test_one_criterion(criteria, key, expected):
    assert entry(**criteria).matches(key) is expected


def test_all_criteria_given_must_match():
    both = entry(header_from=("a@x.com",), networks=OFFICE)
    assert both.matches(FlowKey(client_ip="203.0.113.9", header_from="a@x.com"))
    assert not both.matches(FlowKey(client_ip="198.51.100.1", header_from="a@x.com"))
    assert not both.matches(FlowKey(header_from="a@x.com")), "an address nobody knew is not inside a network"


def test_the_two_spellings_of_a_whole_domain_are_one():
    assert pattern("*@Bücher.example") == pattern("@xn--bcher-kva.example") == "@xn--bcher-kva.example"
    assert pattern("") == ""


def test_the_first_entry_of_the_file_wins_and_networks_answer_by_address():
    first, second = entry(ehlo=("h",)), entry(header_from=("@x.com",))
    held = Configuration(register=(first, second), networks=(KnownNetwork("Madrid", OFFICE, "devices"),))
    assert held.entry_for(FlowKey(ehlo="h", header_from="a@x.com")) is first
    assert held.entry_for(FlowKey(header_from="a@y.com")) is None
    assert [place.name for place in held.network_map().covering("203.0.113.10")] == ["Madrid"]
