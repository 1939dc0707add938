"""DMARC by the RFC's own text: discovery, alignment, policy, reports, and silence that is never a verdict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portero.core.dns import Dns, DnsAnswer, DnsStatus
from portero.core.evidence import Origin
from portero.core.mail.conversation import Question, converse
from portero.core.mail.dmarc import DmarcResult, Identifier, effective_policy, evaluate
from portero.core.mail.dmarc_discovery import MAX_WALK, Site, Standard, discover, may_share_organization, tree
from portero.core.mail.dmarc_record import Policy, parse_record
from portero.core.mail.dmarc_reports import report_targets
from support.suite_dns import SuiteDns

Zone = Mapping[tuple[str, str], Sequence[str]]


def zone(**records: str) -> SuiteDns:
    """Policy records by domain, ``_`` for a dot."""
    return SuiteDns({(f"_dmarc.{name.replace('_', '.')}", "TXT"): [text] for name, text in records.items()})


def recorded(answers: Mapping[str, DnsStatus | str]) -> Dns:
    """Only these names under ``_dmarc`` were ever asked."""
    return Dns(
        DnsAnswer(f"_dmarc.{name}", "TXT", found, (), Origin("dns.jsonl"))
        if isinstance(found, DnsStatus)
        else DnsAnswer(f"_dmarc.{name}", "TXT", DnsStatus.NOERROR, (found,), Origin("dns.jsonl"))
        for name, found in answers.items()
    )


NX = DnsStatus.NXDOMAIN


@pytest.mark.parametrize(
    "text", ["v=DMARC1", "v=DMARC1;", "v=DMARC1; p=none", "v = DMARC1 ;p=none", "V=DMARC1"]
)
def test_a_record_begins_with_its_exact_version(text: str) -> None:
    assert parse_record(text) is not None


@pytest.mark.parametrize(
    "text", ["", "v=dmarc1; p=none", "p=none; v=DMARC1", "v=DMARC12", " v=DMARC1", "v=DMARC1 p=x"]
)
def test_anything_else_is_no_record(text: str) -> None:
    assert parse_record(text) is None


def test_a_policy_is_compared_whole() -> None:
    record = parse_record("v=DMARC1; p=none; sp=reject")

    assert record is not None
    assert (record.p, record.sp) == (Policy.NONE, Policy.REJECT)


@pytest.mark.parametrize("bad", ["p=rejects", "p=reject; sp=no", "p=reject; np="])
def test_an_invalid_policy_makes_it_none_with_a_report_address_and_nothing_without(bad: str) -> None:
    without, with_ = (
        parse_record(f"v=DMARC1; {bad}"),
        parse_record(f"v=DMARC1; {bad}; rua=mailto:d@example.com"),
    )

    assert without is not None
    assert with_ is not None
    assert not without.usable
    assert with_.usable
    assert with_.policy(inherited=False, exists=True) is Policy.NONE


def test_faults_are_named_and_defaults_stand() -> None:
    record = parse_record("v=DMARC1; p=reject; adkim=x; pct=200; t=maybe; oops; p=none; rua=nobody")

    assert record is not None
    assert (record.p, record.adkim_strict, record.percent, record.testing, record.rua) == (
        Policy.REJECT, False, 100, False, (),
    )  # fmt: skip
    assert len(record.faults) == 6


@given(st.text(alphabet="vVpst=;DMARC1 rejctnoq!a@:,.\t", max_size=60))
def test_printing_settles_and_nothing_raises(text: str) -> None:
    record = parse_record("v=DMARC1;" + text)

    assert record is not None
    again = parse_record(str(record))
    assert again is not None
    assert str(again) == str(record)


@given(st.lists(st.text("ab", min_size=1, max_size=3), min_size=1, max_size=30))
def test_a_walk_never_asks_more_than_eight(labels: list[str]) -> None:
    assert len(tree(".".join(labels))) <= MAX_WALK


def test_the_walk_of_the_rfcs_example() -> None:
    assert tree("a.b.c.d.e.f.g.h.i.j.mail.example.com") == (
        "a.b.c.d.e.f.g.h.i.j.mail.example.com", "g.h.i.j.mail.example.com", "h.i.j.mail.example.com",
        "i.j.mail.example.com", "j.mail.example.com", "mail.example.com", "example.com", "com",
    )  # fmt: skip


def test_records_below_the_organisation_do_not_pass_on_their_policy() -> None:
    dns = zone(b_example_com="v=DMARC1; p=none", example_com="v=DMARC1; p=reject")

    assert evaluate(dns, "a.b.example.com").policy is Policy.REJECT


def test_several_records_end_the_older_discovery_and_not_the_newer() -> None:
    dns = SuiteDns(
        {
            ("_dmarc.mail.example.com", "TXT"): ["v=DMARC1; p=reject", "v=DMARC1; p=reject"],
            ("_dmarc.example.com", "TXT"): ["v=DMARC1; p=quarantine"],
        }
    )

    assert converse(dns, discover("mail.example.com", Standard.RFC7489)).site is Site.SEVERAL
    assert converse(dns, discover("mail.example.com")).found_at == "example.com"


def test_the_two_standards_find_different_organisations() -> None:
    dns = zone(mail_example_com="v=DMARC1; p=reject")
    signed = [Identifier("example.com")]

    assert evaluate(dns, "mail.example.com", dkim=signed).result is DmarcResult.FAIL
    assert (
        evaluate(dns, "mail.example.com", dkim=signed, standard=Standard.RFC7489).result is DmarcResult.PASS
    )


@pytest.mark.parametrize(
    ("mode", "identifier", "expected"),
    [("r", "bounce.example.com", "pass"), ("s", "bounce.example.com", "fail"), ("s", "example.com", "pass"), ("r", "example.net", "fail")],
)  # fmt: skip
def test_alignment(mode: str, identifier: str, expected: str) -> None:
    dns = zone(example_com=f"v=DMARC1; p=reject; aspf={mode}; adkim={mode}")

    assert evaluate(dns, "example.com", spf=[Identifier(identifier)]).result == expected
    assert evaluate(dns, "example.com", dkim=[Identifier(identifier)]).result == expected


def test_a_failed_identifier_aligns_nothing() -> None:
    assert evaluate(zone(example_com="v=DMARC1; p=reject"), "example.com", [Identifier("example.com", "softfail")]).result is DmarcResult.FAIL  # fmt: skip


def test_the_older_standard_ignores_np_and_testing() -> None:
    dns = zone(example_com="v=DMARC1; p=reject; np=none; t=y")

    assert evaluate(dns, "gone.example.com").policy is Policy.NONE
    assert evaluate(dns, "gone.example.com", standard=Standard.RFC7489).policy is Policy.REJECT


def test_what_was_never_asked_is_unknown() -> None:
    found = evaluate(recorded({"other.example": "v=DMARC1; p=none"}), "example.com")

    assert found.result is DmarcResult.UNKNOWN
    assert found.unknown == (Question("_dmarc.example.com", "TXT"),)


def test_a_registry_nobody_asked_does_not_hide_the_domains_own_record() -> None:
    dns = recorded({"example.com": "v=DMARC1; p=reject"})
    found = evaluate(dns, "example.com", dkim=[Identifier("example.net")])

    assert (found.result, found.policy) == (DmarcResult.FAIL, Policy.REJECT)
    assert found.discovery.presumed == ("com",)


def test_a_registry_that_could_move_the_organisation_leaves_alignment_open() -> None:
    dns = recorded({"mail.example.com": "v=DMARC1; p=reject", "example.com": NX})

    assert evaluate(dns, "mail.example.com", dkim=[Identifier("example.com")]).result is DmarcResult.UNKNOWN
    assert evaluate(dns, "mail.example.com", dkim=[Identifier("mail.example.com")]).result is DmarcResult.PASS


def test_an_organisation_nobody_asked_leaves_an_inherited_policy_open() -> None:
    found = evaluate(recorded({"mail.example.com": NX}), "mail.example.com")

    assert found.result is DmarcResult.UNKNOWN


def test_an_unknown_spf_result_leaves_the_message_open_unless_dkim_settles_it() -> None:
    dns, unknown = zone(example_com="v=DMARC1; p=reject"), [Identifier("example.com", "unknown")]

    assert evaluate(dns, "example.com", unknown).result is DmarcResult.UNKNOWN
    assert evaluate(dns, "example.com", unknown, [Identifier("example.com")]).result is DmarcResult.PASS


def test_a_failure_of_dns_is_temperror() -> None:
    assert (
        evaluate(recorded({"example.com": DnsStatus.SERVFAIL}), "example.com").result is DmarcResult.TEMPERROR
    )


def test_a_policy_that_depends_on_the_names_existence_is_open_without_it() -> None:
    dns = recorded({"gone.example.com": NX, "example.com": "v=DMARC1; p=reject; np=none"})
    found = evaluate(dns, "gone.example.com")

    assert (found.result, found.policy) == (DmarcResult.FAIL, None)
    assert Question("gone.example.com", "MX") in found.unknown


def test_the_effective_policy_of_each_kind_of_name() -> None:
    found = effective_policy(zone(example_com="v=DMARC1; p=reject; sp=quarantine; np=none"), "example.com")

    assert (found.exact, found.subdomain, found.nonexistent) == (
        Policy.REJECT,
        Policy.QUARANTINE,
        Policy.NONE,
    )


def test_names_below_a_sub_domain_inherit_from_the_organisation() -> None:
    dns = zone(mail_example_com="v=DMARC1; p=reject; sp=reject", example_com="v=DMARC1; p=none")
    found = effective_policy(dns, "mail.example.com")

    assert (found.exact, found.subdomain) == (Policy.REJECT, Policy.NONE)


def test_domains_that_share_only_a_public_suffix_are_strangers() -> None:
    assert may_share_organization("a.example.com", "b.example.com")
    assert not may_share_organization("contoso.co.uk", "fabrikam.co.uk")
    assert not may_share_organization("contoso.com", "contoso.net")


@pytest.mark.parametrize(
    ("consent", "expected"), [("v=DMARC1", True), ("v=spf1 -all", False), (DnsStatus.NXDOMAIN, False), (None, None), (DnsStatus.TIMEOUT, None)]
)  # fmt: skip
def test_a_report_address_elsewhere_needs_consent(
    consent: DnsStatus | str | None, expected: bool | None
) -> None:
    answers = [DnsAnswer("_dmarc.example.com", "TXT", DnsStatus.NOERROR, ("v=DMARC1; p=none",))]
    name = "example.com._report._dmarc.vendor.example"
    if isinstance(consent, str) and not isinstance(consent, DnsStatus):
        answers.append(DnsAnswer(name, "TXT", DnsStatus.NOERROR, (consent,)))
    elif consent is not None:
        answers.append(DnsAnswer(name, "TXT", DnsStatus(consent)))
    [own, other] = converse(
        Dns(answers), report_targets("example.com", ["mailto:d@example.com", "mailto:x@vendor.example"])
    )

    assert (own.external, own.authorised) == (False, True)
    assert (other.external, other.authorised) == (True, expected)
