"""What an SPF record stands for once everything it includes is followed."""

from __future__ import annotations

from portero.core.dns import Dns, DnsAnswer, DnsStatus
from portero.core.mail.conversation import Question
from portero.core.mail.spf_expansion import MAX_QUESTIONS, expansion
from portero.core.mail.spf_record import Qualifier
from support.suite_dns import SuiteDns

ZONE = {
    ("contoso.com", "TXT"): ["other text", "v=spf1 ip4:203.0.113.8/29 include:_spf.vendor.example mx -all"],
    ("contoso.com", "MX"): ["10 mx.contoso.com."],
    ("mx.contoso.com", "A"): ["198.51.100.7"],
    ("_spf.vendor.example", "TXT"): [
        "v=spf1 ip6:2001:db8::/32 -ip4:192.0.2.1 exists:%{i}.vendor.example ~all"
    ],
}


def test_networks_lookups_and_tree() -> None:
    found = expansion(SuiteDns(ZONE), "contoso.com")

    assert found.networks == ("203.0.113.8/29", "2001:db8::/32", "198.51.100.7/32")
    assert (found.lookups, found.voids) == (3, 0)
    assert found.macros == ("_spf.vendor.example: exists:%{i}.vendor.example",)
    assert [child.domain for child in found.root.children] == ["_spf.vendor.example"]
    assert (found.terminal, found.terminal_known) == (Qualifier.FAIL, True)
    assert found.within_limits


def test_the_terminal_term_is_that_of_the_redirect() -> None:
    zone = {("a.example", "TXT"): ["v=spf1 redirect=b.example"], ("b.example", "TXT"): ["v=spf1 ?all"]}

    assert expansion(SuiteDns(zone), "a.example").terminal is Qualifier.NEUTRAL


def test_what_was_never_recorded_is_named() -> None:
    dns = Dns(
        [DnsAnswer("a.example", "TXT", DnsStatus.NOERROR, ("v=spf1 include:b.example redirect=c.example",))]
    )
    found = expansion(dns, "a.example")

    assert found.unknown == (Question("b.example", "TXT"), Question("c.example", "TXT"))
    assert (found.terminal, found.terminal_known) == (None, False)


def test_everyone_authorised_inside_an_include_is_seen() -> None:
    zone = {("a.example", "TXT"): ["v=spf1 include:b.example -all"], ("b.example", "TXT"): ["v=spf1 +all"]}

    assert expansion(SuiteDns(zone), "a.example").open == ("b.example: +all",)


def test_void_names_and_missing_records_are_named() -> None:
    zone = {("a.example", "TXT"): ["v=spf1 a:gone.example mx:gone.example include:gone.example -all"]}
    found = expansion(SuiteDns(zone), "a.example")

    assert found.void_names == ("gone.example", "gone.example MX")
    assert found.missing == ("gone.example",)
    assert [fault.term for fault in found.faults] == ["include:gone.example"]


def test_a_loop_is_over_the_limit() -> None:
    zone = {("a.example", "TXT"): ["v=spf1 include:a.example -all"]}
    found = expansion(SuiteDns(zone), "a.example")

    assert not found.within_limits
    assert "back to itself" in str(found.faults[0].reason)


def test_a_hostile_tree_is_cut() -> None:
    names = [f"n{number}.example" for number in range(60)]
    record = "v=spf1 " + " ".join(f"include:{name}" for name in names)
    dns = SuiteDns({(name, "TXT"): [record] for name in names})
    found = expansion(dns, names[0])

    assert found.cut
    assert not found.within_limits
    assert len(dns.asked) <= MAX_QUESTIONS
