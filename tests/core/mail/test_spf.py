"""SPF evaluation by the RFC's own text, and what it says where the evidence is silent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portero.core.dns import Dns, DnsAnswer, DnsStatus
from portero.core.evidence import Origin
from portero.core.mail.conversation import Question
from portero.core.mail.spf import SpfResult, SpfVerdict, check_host, evaluate
from support.suite_dns import SuiteDns

Zone = Mapping[tuple[str, str], Sequence[str]]


def judged(zone: Zone, ip: str = "192.0.2.1", sender: str = "strong-bad@email.example.com") -> SpfVerdict:
    return evaluate(SuiteDns(zone), ip, sender.rpartition("@")[2], sender, "mx.example.org")


def recorded(zone: Zone) -> Dns:
    """Only these answers were ever recorded; everything else is unknown."""
    return Dns(
        DnsAnswer(name, kind, DnsStatus.NOERROR, tuple(found), Origin("dns.jsonl"))
        for (name, kind), found in zone.items()
    )


def known(zone: Zone, ip: str) -> SpfVerdict:
    return evaluate(recorded(zone), ip, "example.com", "a@example.com", "mx.example.org")


# RFC 7208 appendix A.
EXAMPLE: Zone = {
    ("example.com", "A"): ["192.0.2.10", "192.0.2.11"],
    ("example.com", "MX"): ["10 mail-a.example.com.", "20 mail-b.example.com."],
    ("mail-a.example.com", "A"): ["192.0.2.129"],
    ("mail-b.example.com", "A"): ["192.0.2.130"],
    ("amy.example.com", "A"): ["192.0.2.65"],
    ("bob.example.com", "A"): ["192.0.2.66"],
    ("example.org", "MX"): ["10 mail-c.example.org."],
    ("mail-c.example.org", "A"): ["192.0.2.140"],
    ("10.2.0.192.in-addr.arpa", "PTR"): ["example.com."],
    ("65.2.0.192.in-addr.arpa", "PTR"): ["amy.example.com."],
    ("140.2.0.192.in-addr.arpa", "PTR"): ["mail-c.example.org."],
}


@pytest.mark.parametrize(
    ("record", "ip", "expected"),
    [
        ("v=spf1 +all", "198.51.100.1", "pass"),
        ("v=spf1 a -all", "192.0.2.11", "pass"),
        ("v=spf1 a:example.org -all", "192.0.2.10", "fail"),
        ("v=spf1 mx -all", "192.0.2.130", "pass"),
        ("v=spf1 mx:example.org -all", "192.0.2.140", "pass"),
        ("v=spf1 mx mx:example.org -all", "192.0.2.131", "fail"),
        ("v=spf1 mx/30 mx:example.org/30 -all", "192.0.2.131", "pass"),
        ("v=spf1 mx/30 mx:example.org/30 -all", "192.0.2.143", "pass"),
        ("v=spf1 ptr -all", "192.0.2.65", "pass"),
        ("v=spf1 ptr -all", "192.0.2.140", "fail"),
        ("v=spf1 ip4:192.0.2.128/28 -all", "192.0.2.129", "pass"),
        ("v=spf1 ip4:192.0.2.128/28 -all", "192.0.2.65", "fail"),
        ("v=spf1 ?ip4:192.0.2.65 ~all", "192.0.2.65", "neutral"),
        ("v=spf1", "192.0.2.65", "neutral"),
        ("v=spf1 ip4:192.0.2.65 ip4:300.1.1.1 -all", "192.0.2.65", "permerror"),
    ],
)
def test_the_examples_of_appendix_a(record: str, ip: str, expected: str) -> None:
    assert judged({**EXAMPLE, ("example.com", "TXT"): [record]}, ip, "a@example.com").result == expected


@pytest.mark.parametrize(
    ("macro", "expanded"),
    [
        ("%{s}", "strong-bad@email.example.com"),
        ("%{o}", "email.example.com"),
        ("%{d2}", "example.com"),
        ("%{dr}", "com.example.email"),
        ("%{d2r}", "example.email"),
        ("%{lr-}", "bad.strong"),
        ("%{l1r-}", "strong"),
        ("%{ir}.%{v}._spf.%{d2}", "3.2.0.192.in-addr._spf.example.com"),
        ("%{lr-}.lp.%{ir}.%{v}._spf.%{d2}", "bad.strong.lp.3.2.0.192.in-addr._spf.example.com"),
        ("%{d2}.trusted-domains.example.net", "example.com.trusted-domains.example.net"),
    ],
)
def test_the_macro_examples_of_section_7(macro: str, expanded: str) -> None:
    zone = {
        ("email.example.com", "TXT"): ["v=spf1 -all exp=e.example.net"],
        ("e.example.net", "TXT"): [macro],
    }

    assert judged(zone, "192.0.2.3").explanation == expanded


def test_the_ipv6_macro_example_of_section_7() -> None:
    zone = {
        ("email.example.com", "TXT"): ["v=spf1 exists:%{ir}.%{v}._spf.%{d2} -all"],
        (
            "1.0.b.c.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6._spf.example.com",
            "A",
        ): ["127.0.0.2"],
    }

    assert judged(zone, "2001:db8::cb01").result is SpfResult.PASS


def test_the_null_reverse_path_is_judged_by_the_ehlo_name() -> None:
    zone = {("mx.example.org", "TXT"): ["v=spf1 exists:%{l}.%{o} -all"], ("postmaster.mx.example.org", "A"): ["127.0.0.2"]}  # fmt: skip
    found = evaluate(SuiteDns(zone), "192.0.2.1", "mx.example.org", "", "mx.example.org")

    assert found.result is SpfResult.PASS


@pytest.mark.parametrize("ip", ["not an address", "", "255.255.255.255"])
def test_without_a_client_address_nothing_is_known(ip: str) -> None:
    assert judged({("email.example.com", "TXT"): ["v=spf1 -all"]}, ip).result is SpfResult.UNKNOWN


def test_the_trace_names_every_term_with_its_target_and_outcome() -> None:
    zone = {
        ("email.example.com", "TXT"): ["v=spf1 a include:_spf.example.net -all"],
        ("email.example.com", "A"): ["192.0.2.9"],
        ("_spf.example.net", "TXT"): ["v=spf1 ip4:192.0.2.0/28 ~all"],
    }
    found = judged(zone)

    assert [(step.depth, step.term, step.target, step.outcome) for step in found.trace] == [
        (0, "a", "email.example.com", "no match"),
        (1, "ip4:192.0.2.0/28", "", "match"),
        (0, "include:_spf.example.net", "_spf.example.net", "match"),
    ]
    assert (found.lookups, found.voids) == (2, 0)


def test_a_record_never_recorded_is_unknown_and_names_the_question() -> None:
    found = known({("other.example", "TXT"): ["v=spf1 -all"]}, "192.0.2.1")

    assert found.result is SpfResult.UNKNOWN
    assert found.unknown == (Question("example.com", "TXT"),)


def test_an_include_never_recorded_leaves_open_what_follows() -> None:
    found = known({("example.com", "TXT"): ["v=spf1 include:vendor.example -all"]}, "192.0.2.1")

    assert found.result is SpfResult.UNKNOWN
    assert found.possible == {SpfResult.PASS, SpfResult.FAIL, SpfResult.PERMERROR}


def test_what_a_match_before_the_unknown_term_settles_is_known() -> None:
    zone = {("example.com", "TXT"): ["v=spf1 ip4:192.0.2.1 include:vendor.example -all"]}

    assert known(zone, "192.0.2.1").result is SpfResult.PASS


def test_an_unknown_host_before_a_match_of_the_same_qualifier_changes_nothing() -> None:
    zone = {("example.com", "TXT"): ["v=spf1 a ip4:192.0.2.1 -all"]}
    found = known(zone, "192.0.2.1")

    assert found.result is SpfResult.PASS
    assert found.unknown == (Question("example.com", "A"),)
    assert known(zone, "192.0.2.2").result is SpfResult.UNKNOWN


def test_too_many_unknown_hosts_may_be_too_many_void_ones() -> None:
    zone = {("example.com", "TXT"): ["v=spf1 a:a.example.com a:b.example.com a:c.example.com +all"]}

    assert known(zone, "192.0.2.1").possible == {SpfResult.PASS, SpfResult.PERMERROR}


def test_an_unknown_explanation_does_not_touch_the_verdict() -> None:
    found = known({("example.com", "TXT"): ["v=spf1 -all exp=why.example.com"]}, "192.0.2.1")

    assert (found.result, found.explanation) == (SpfResult.FAIL, None)


@pytest.mark.parametrize("status", [DnsStatus.SERVFAIL, DnsStatus.TIMEOUT])
def test_a_failure_of_dns_is_temperror(status: DnsStatus) -> None:
    dns = Dns([DnsAnswer("example.com", "TXT", status)])
    found = evaluate(dns, "192.0.2.1", "example.com", "a@example.com", "h")

    assert found.result is SpfResult.TEMPERROR


def test_a_proposed_record_takes_the_place_of_the_recorded_one() -> None:
    dns = recorded({("example.com", "TXT"): ["v=spf1 -all"]})
    found = evaluate(
        dns, "192.0.2.1", "example.com", "a@example.com", "h",
        published={"example.com": "v=spf1 ip4:192.0.2.1 -all"},
    )  # fmt: skip

    assert found.result is SpfResult.PASS


def test_the_origins_of_the_answers_are_kept() -> None:
    assert known({("example.com", "TXT"): ["v=spf1 -all"]}, "192.0.2.1").origins == (Origin("dns.jsonl"),)


TERMS = st.sampled_from(
    ["a", "mx", "ptr", "include:%{d}", "include:x.%{d}", "include:a.example", "a:%{p}.%{d}", "exists:%{i}.%{d}",
     "mx:b.example", "redirect=%{d}", "redirect=b.example", "-ptr:b.example", "ip4:192.0.2.7", "exp=%{p}.a.example"]
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_no_zone_makes_it_ask_without_bound(data: st.DataObject) -> None:
    conversation = check_host("192.0.2.1", "a.example", "x@a.example", "h.example")
    asked, answer = 0, None
    while True:
        try:
            question = next(conversation) if answer is None else conversation.send(answer)
        except StopIteration as end:
            verdict = end.value
            break
        asked += 1
        if question.type == "TXT":
            found = ("v=spf1 " + " ".join(data.draw(st.lists(TERMS, max_size=14))),)
        elif question.type in {"MX", "PTR"}:
            found = tuple(
                f"{'1 ' * (question.type == 'MX')}h{n}.a.example"
                for n in range(data.draw(st.integers(0, 12)))
            )
        else:
            found = tuple(data.draw(st.lists(st.sampled_from(["192.0.2.1", "192.0.2.9"]), max_size=2)))
        status = data.draw(st.sampled_from([DnsStatus.NOERROR, DnsStatus.NOERROR, DnsStatus.UNKNOWN]))
        answer = DnsAnswer(question.name, question.type, status, found if status is DnsStatus.NOERROR else ())

    # Ten terms of at most eleven questions each, the names of the client once, a record at each step, an explanation.
    assert asked <= 1 + 10 * 11 + 11 + 1
    assert verdict.lookups <= 11  # the eleventh is the one that ends it
    assert verdict.voids <= 3


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=80), st.text(max_size=20), st.text(max_size=20))
def test_no_text_makes_it_raise(record: str, sender: str, ehlo: str) -> None:
    zone = {("example.com", "TXT"): ["v=spf1 " + record]}

    assert evaluate(SuiteDns(zone), "192.0.2.1", "example.com", sender, ehlo).result in SpfResult
