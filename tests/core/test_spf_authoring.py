"""The least SPF record that covers the decided senders, and what each term of the published one is used for."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from portero.core.case import Context
from portero.core.dns import Dns, DnsAnswer, DnsStatus
from portero.core.exchange.settings import AcceptedDomain, Settings
from portero.core.flow import OutsideFlow
from portero.core.mail.spf import SpfResult
from portero.core.register import Configuration
from portero.core.sender import Judgement, Sender
from portero.core.senders import find_senders
from portero.core.spf_authoring import EXCHANGE_ONLINE, covers, draft_spf
from support.flows import START, flow

OURS = "contoso.com"
RECORDS = {
    OURS: f"v=spf1 ip4:198.51.100.7 {EXCHANGE_ONLINE} include:used.example include:unused.example include:deep.example -all",
    "spf.protection.outlook.com": "v=spf1 ip4:40.92.0.0/15 -all",
    "used.example": "v=spf1 ip4:192.0.2.0/25 -all",
    "unused.example": "v=spf1 ip4:203.0.113.0/24 -all",
    "deep.example": "v=spf1 include:used.example ip4:192.0.2.128/25 -all",
}


def zone(**records: str) -> Dns:
    held = {**RECORDS, **records}
    return Dns(DnsAnswer(name, "TXT", DnsStatus.NOERROR, (text,)) for name, text in held.items() if text)


def sender(address: str | None, judgement: Judgement = Judgement.LEGITIMATE, **given: object) -> Sender:
    known: dict[str, object] = {
        "client_ip": address, "mail_from_domain": OURS, "header_from": f"a@{OURS}", "connector": "", "direction": "incoming",
    }  # fmt: skip
    what = flow(5, **{**known, **given})
    context = Context(
        Settings(accepted_domains=(AcceptedDomain(OURS),)), None, lambda _: None, lambda *_: None
    )
    [found] = find_senders((what,), (), context, Configuration())
    return replace(found, id=f"s-{address}", judgement=judgement, flows=(what,))


def test_each_term_says_what_it_lets_pass_what_it_costs_and_who_uses_it() -> None:
    uses = {each.term: each for each in draft_spf(zone(), OURS, [sender("192.0.2.10")]).uses}

    assert (uses["include:used.example"].addresses, uses["include:used.example"].lookups) == (128, 1)
    assert (uses["include:deep.example"].addresses, uses["include:deep.example"].lookups) == (256, 2)
    assert uses["include:used.example"].senders == {"s-192.0.2.10": 5}
    assert uses["include:unused.example"].mails == 0
    assert uses["ip4:198.51.100.7"].lookups == 0


def test_the_least_record_keeps_what_is_used_and_adds_what_is_missing() -> None:
    draft = draft_spf(zone(), OURS, [sender("192.0.2.10"), sender("198.51.100.99")])

    assert draft.record == f"v=spf1 {EXCHANGE_ONLINE} include:used.example ip4:198.51.100.99 -all"
    assert draft.dropped == ("ip4:198.51.100.7", "include:unused.example", "include:deep.example")
    assert draft.lookups == 2
    for address in ("192.0.2.10", "198.51.100.99"):
        assert covers(zone(), draft, address) is SpfResult.PASS
    assert covers(zone(), draft, "203.0.113.9") is SpfResult.FAIL


def test_abuse_is_never_covered_and_the_undecided_are_named() -> None:
    draft = draft_spf(
        zone(), OURS, [sender("203.0.113.9", Judgement.ABUSE), sender("203.0.113.10", Judgement.UNDECIDED)]
    )

    assert draft.undecided == ("s-203.0.113.10",)
    assert draft.added == ()
    assert "include:unused.example" in draft.dropped


def test_what_the_evidence_does_not_show_is_kept_and_said() -> None:
    draft = draft_spf(zone(**{"unused.example": ""}), OURS, [sender("192.0.2.10")])

    assert "include:unused.example" in draft.kept
    assert any("include:unused.example" in str(remark) for remark in draft.remarks)


def test_a_sender_without_an_address_or_a_sure_envelope_is_covered_by_nothing_for_sure() -> None:
    summary = sender("192.0.2.200", mail_from_domain=None, header_from=None, sender=f"a@{OURS}")

    assert draft_spf(zone(), OURS, [sender(None), summary]).uncovered == ("s-None", "s-192.0.2.200")


def test_without_a_published_record_the_draft_starts_from_nothing_and_says_so() -> None:
    draft = draft_spf(Dns(), OURS, [sender("192.0.2.10"), sender("2001:db8::1")])

    assert draft.record == "v=spf1 ip4:192.0.2.10 ip6:2001:db8::1 ~all"
    assert any(EXCHANGE_ONLINE in str(remark) for remark in draft.remarks)


DEAR = {f"v{number}.example": f"v=spf1 include:w{number}.example -all" for number in range(7)}
DEAR |= {f"w{number}.example": f"v=spf1 ip4:192.0.{number}.0/24 -all" for number in range(7)}


def test_beyond_ten_look_ups_nothing_is_written_out_unless_asked() -> None:
    record = "v=spf1 " + " ".join(f"include:v{number}.example" for number in range(7)) + " -all"
    dns = zone(**{OURS: record, **DEAR})
    everyone = [sender(f"192.0.{number}.5") for number in range(7)]

    plain = draft_spf(dns, OURS, everyone)
    assert (plain.record, plain.lookups, plain.flattened) == (None, 14, ())
    written = draft_spf(dns, OURS, everyone, flatten=True)
    assert written.lookups <= 10
    assert len(written.flattened) == 2
    assert all(covers(dns, written, f"192.0.{number}.5") is SpfResult.PASS for number in range(7))


def test_what_other_receivers_reported_counts_as_use() -> None:
    row = OutsideFlow("203.0.113.9", OURS, OURS, "google.com", False, 7, 7, 0, None, OURS, START, START)
    uses = {each.term: each for each in draft_spf(zone(), OURS, [], [row]).uses}

    assert uses["include:unused.example"].senders == {"": 7}


@given(st.lists(st.integers(0, 2**32 - 1), max_size=12, unique=True), st.booleans())
def test_every_decided_sender_with_an_address_passes(numbers: list[int], flatten: bool) -> None:
    import ipaddress

    addresses = [str(ipaddress.IPv4Address(number)) for number in numbers]
    addresses = [address for address in addresses if address != "255.255.255.255"]
    draft = draft_spf(zone(), OURS, [sender(address) for address in addresses], flatten=flatten)

    assert draft.record is not None
    assert all(covers(zone(), draft, address) is SpfResult.PASS for address in addresses)
