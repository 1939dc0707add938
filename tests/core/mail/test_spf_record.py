"""The grammar of SPF records: what is wrong is named, all of it, and printing settles."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portero.core.mail.spf_record import is_spf, parse_record


@pytest.mark.parametrize(
    "term",
    [
        "moo", "ip4:1.2.3", "ip4:1.2.3.4/33", "ip4:1.2.3.4/08", "ip4", "ip6:1.2.3.4", "ip6:2001:db8::1%eth0",
        "ip6:2001:db8::/129", "a/33", "a//129", "a/24/64", "a:museum", "a:abc.123", "a:", "all:example.com",
        "include", "include:", "include:example.com/24", "exists", "ptr/0", "redirect=", "exp=-all", "1up=x",
        "=x", "x=%abc", "a:%{a}.example.com", "a:%{d0}.example.com", "a:foo%.example.com", "exp=%{r}.example.com",
    ],
)  # fmt: skip
def test_a_term_against_the_grammar_is_a_fault(term: str) -> None:
    record = parse_record(f"v=spf1 {term} ~all")

    assert [fault.term for fault in record.faults] == [term]
    assert str(record.faults[0].reason)


@pytest.mark.parametrize(
    "term",
    [
        "IP4:192.0.2.0/24", "-Include:example.com", "a/24//64", "mx//0", "a:foo:bar/baz.example.com", "exists:%{i}",
        "a:example.com.", "x-y.z_1=%{d}", "moo=", "exists:%{l1r+-}._spf.%{d}", "a:x.xn--zckzah", "ptr:example.com",
    ],
)  # fmt: skip
def test_a_term_of_the_grammar_is_none(term: str) -> None:
    assert parse_record(f"v=spf1 {term} ~all").faults == ()


def test_every_fault_is_named_at_once() -> None:
    assert [fault.term for fault in parse_record("v=spf1 ip4:x a: redirect=a.b redirect=a.b").faults] == [
        "ip4:x",
        "a:",
        "redirect=a.b",
    ]


@pytest.mark.parametrize(
    ("record", "term"),
    [
        ("v=spf1 ptr -all", "ptr"),
        ("v=spf1 +all", "+all"),
        ("v=spf1 -all ip4:192.0.2.1", "ip4:192.0.2.1"),
        ("v=spf1 a a -all", "a"),
        ("v=spf1 ip4:192.0.2.1/24 -all", "ip4:192.0.2.1/24"),
        ("v=spf1 -all redirect=example.com", "redirect=example.com"),
    ],
)
def test_what_is_allowed_and_still_a_mistake_is_a_caution(record: str, term: str) -> None:
    parsed = parse_record(record)

    assert parsed.faults == ()
    assert [caution.term for caution in parsed.cautions] == [term]


@pytest.mark.parametrize(
    ("text", "expected"),
    [("v=spf1", True), ("V=SPF1 a", True), ("v=spf10", False), ("v=spf1\ta", False), (" v=spf1", False), ("", False)],
)  # fmt: skip
def test_the_version_ends_at_a_space_or_the_end(text: str, expected: bool) -> None:
    assert is_spf(text) is expected


@given(
    st.lists(
        st.sampled_from(["a", "mx/24", "ip4:192.0.2.0/24", "?include:x.y", "x=1", "redirect=x.y", "~all"])
    )
)
def test_printing_settles(terms: list[str]) -> None:
    once = str(parse_record(" ".join(["v=spf1", *terms])))

    assert str(parse_record(once)) == once


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=200))
def test_no_text_makes_it_raise(text: str) -> None:
    assert parse_record("v=spf1 " + text).text == "v=spf1 " + text
