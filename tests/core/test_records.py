"""Changed records replayed on recorded mail: who passes before, who after, and where the evidence does not say."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portero.core.controls import apply_controls, parse_control
from portero.core.dns import Dns, DnsAnswer, DnsStatus
from portero.core.exchange.attribution import Seen
from portero.core.exchange.settings import AcceptedDomain, InboundConnector, Settings
from portero.core.flow import Flow, OutsideFlow
from portero.core.mail.spf_record import without_terms
from portero.core.records import Records, Replayed
from portero.core.simulate import decide, simulate
from portero.core.simulation import Effect
from support.flows import START, flow

OURS = "contoso.com"
SPF = "v=spf1 ip4:198.51.100.7 include:_spf.vendor.example -all"
VENDOR = "192.0.2.10"
OFFICE = "198.51.100.7"


def dns(policy: str = "p=reject", **texts: str) -> Dns:
    records = {
        OURS: SPF,
        "_spf.vendor.example": "v=spf1 ip4:192.0.2.0/24 -all",
        f"_dmarc.{OURS}": f"v=DMARC1; {policy}",
        **texts,
    }
    answers = [DnsAnswer(name, "TXT", DnsStatus.NOERROR, (text,)) for name, text in records.items()]
    return Dns([DnsAnswer(f"_dmarc.scan.{OURS}", "TXT", DnsStatus.NXDOMAIN), *answers])


def settings(*controls: str, held: Dns | None = None, **given: object) -> Settings:
    start = Settings(
        accepted_domains=(AcceptedDomain(OURS, match_subdomains=False),),
        inbound_connectors=(),
        dns=dns() if held is None else held,
        **given,  # type: ignore[arg-type]
    )
    return apply_controls(start, tuple(map(parse_control, controls)))


def mail(address: str = VENDOR, **given: object) -> Flow:
    known: dict[str, object] = {
        "client_ip": address, "mail_from_domain": OURS, "header_from": f"news@{OURS}", "connector": "",
        "direction": "incoming", "spf": {"pass": 4}, "dkim": {"none": 4}, "dmarc": {"pass": 4},
    }  # fmt: skip
    return flow(4, **{**known, **given})


def replay(control: str, what: Flow, **given: object) -> Replayed:
    return Records(settings(control, **given)).replay(what)  # type: ignore[arg-type]


def effect(control: str, what: Flow, **given: object) -> Effect:
    return decide(what, settings(control, **given), Seen()).effect  # type: ignore[arg-type]


def test_a_record_that_forgets_a_vendor_turns_its_mail() -> None:
    found = replay(f"spf={OURS}:v=spf1 ip4:198.51.100.7 -all", mail())

    assert (dict(found.spf), found.spf_after, found.dmarc, found.dmarc_after) == (
        {"pass": 4},
        "fail",
        "pass",
        "fail",
    )


def test_a_record_that_keeps_a_sender_turns_nothing() -> None:
    assert not replay(f"spf={OURS}:v=spf1 ip4:198.51.100.7 -all", mail(OFFICE)).changed


def test_the_published_policy_decides_what_becomes_of_mail_that_turns() -> None:
    record = f"spf={OURS}:v=spf1 -all"

    assert effect(record, mail()) is Effect.REFUSED
    assert effect(record, mail(), held=dns("p=none")) is Effect.KEPT
    assert effect(record, mail(), held=Dns()) is Effect.UNDETERMINED
    assert effect(record, mail(dkim={"pass": 4}, dkim_domains={OURS: 4})) is Effect.KEPT


def test_mail_that_the_change_does_not_touch_is_kept_though_it_fails_already() -> None:
    failing = mail("203.0.113.5", spf={"fail": 4}, dmarc={"fail": 4})

    assert effect(f"spf={OURS}:v=spf1 -all", failing) is Effect.KEPT
    assert effect(f"spf={OURS}:v=spf1 -all", mail(mail_from_domain="other.example", dmarc={})) is Effect.KEPT


def test_an_include_removed_is_the_record_without_it() -> None:
    assert replay(f"spf-without={OURS}:include:_spf.vendor.example", mail()).dmarc_after == "fail"
    assert replay(f"spf-without={OURS}:include:_spf.vendor.example", mail(OFFICE)).dmarc_after == "pass"
    assert (
        replay(f"spf-without={OURS}:INCLUDE:_spf.vendor.example", mail(), held=Dns()).spf_after == "unknown"
    )
    assert without_terms("v=spf1 +a mx  -all", ("A",)) == "v=spf1 mx -all"


def test_a_term_that_the_record_does_not_hold_is_named() -> None:
    held = settings(f"spf-without={OURS}:include:elsewhere.example", f"spf-without={OURS}:-all")

    assert Records(held).absent_terms() == ((OURS, "include:elsewhere.example"),)


def test_a_change_inside_an_include_concerns_who_includes_it() -> None:
    assert replay("spf=_spf.vendor.example:v=spf1 -all", mail()).spf_after == "fail"
    assert replay("spf=unrelated.example:v=spf1 -all", mail()).spf_after is None


@pytest.mark.parametrize(
    "given",
    [
        {"client_ip": None},
        {"mail_from_domain": None, "header_from": None, "sender": f"news@{OURS}"},
        {"mail_from_domain": None},
        {"mail_from_domain": ""},
    ],
    ids=["no address", "summary alone", "no envelope", "null envelope without EHLO"],
)
def test_where_the_evidence_lacks_what_spf_needs_the_result_is_unknown(given: dict[str, object]) -> None:
    assert replay(f"spf={OURS}:v=spf1 -all", mail(**given)).spf_after == "unknown"


def test_a_record_that_asks_for_the_mailbox_cannot_be_replayed() -> None:
    assert replay(f"spf={OURS}:v=spf1 exists:%{{l}}.{OURS} -all", mail()).spf_after == "unknown"


def test_the_null_envelope_is_judged_by_the_ehlo_name() -> None:
    held = dns(**{"mx.contoso.com": "v=spf1 ip4:192.0.2.10 -all"})
    bounce = mail(mail_from_domain="", ehlo="mx.contoso.com", spf={"pass": 4})

    assert replay("spf=mx.contoso.com:v=spf1 -all", bounce, held=held).spf_after == "fail"


def test_without_a_dkim_domain_it_is_unknown_whether_a_signature_still_carries_the_mail() -> None:
    what = mail(dkim={"pass": 4})

    assert replay(f"spf={OURS}:v=spf1 -all", what).dmarc_after == "unknown"
    assert effect(f"spf={OURS}:v=spf1 -all", what) is Effect.UNDETERMINED


def test_a_pass_that_spf_cannot_have_given_was_the_signatures() -> None:
    foreign = mail(mail_from_domain="vendor.example", dkim={"pass": 4}, dkim_domains={})

    assert replay(f"spf={OURS}:v=spf1 -all", foreign).dmarc_after == "pass"


def test_keys_withdrawn_take_what_only_the_signature_carried() -> None:
    foreign = mail(mail_from_domain="vendor.example", dkim={"pass": 4}, dkim_domains={OURS: 4})

    assert replay(f"dkim={OURS}:off", foreign).dmarc_after == "fail"
    assert replay(f"dkim={OURS}:off", mail(dkim={"pass": 4}, dkim_domains={OURS: 4})).dmarc_after == "pass"
    assert (
        replay(f"dkim={OURS}:off", mail(mail_from_domain="vendor.example", dkim={"pass": 4})).dmarc_after
        == "unknown"
    )
    assert not replay("dkim=unrelated.example:off", foreign).changed


def test_keys_published_help_who_signs_and_nobody_else() -> None:
    failing: dict[str, object] = {
        "mail_from_domain": "vendor.example",
        "spf": {"pass": 4},
        "dmarc": {"fail": 4},
    }
    signed = mail(**{**failing, "dkim": {"fail": 4}, "dkim_domains": {OURS: 4}})
    unsigned = mail(**{**failing, "dkim": {"none": 4}})

    assert replay(f"dkim={OURS}:on", signed).dmarc_after == "pass"
    assert replay(f"dkim={OURS}:on", unsigned).dmarc_after == "fail"
    changed = Records(settings(f"dkim={OURS}:on"))
    assert changed.replay(unsigned, signed_by_exchange=True).dmarc_after == "pass"


def test_a_sender_moved_is_judged_from_where_it_would_come() -> None:
    assert replay(f"move={OFFICE},192.0.2.99", mail(OFFICE)).spf_after == "pass"
    assert replay(f"move={OFFICE},203.0.113.9", mail(OFFICE)).dmarc_after == "fail"
    assert not replay(f"move={OFFICE},203.0.113.9", mail()).changed


def test_a_sender_moved_leaves_the_connector_that_knew_its_address() -> None:
    relay = InboundConnector("Relay", "OnPremises", sender_domains=("*",), addresses=(f"{OFFICE}/32",))
    held = settings(f"move={OFFICE},203.0.113.9", "reject-direct-send")
    held = replace(held, inbound_connectors=(relay,))
    through = mail(OFFICE, connector="Relay", direction="originating")

    assert decide(through, held, Seen()).effect is Effect.REFUSED
    assert decide(through, replace(held, moves=()), Seen()).effect is Effect.KEPT


def test_strict_alignment_of_the_published_record_outlives_a_simulated_policy() -> None:
    below = mail(mail_from_domain=f"scan.{OURS}", dmarc={})
    strict = dns("p=none; aspf=s")

    assert effect(f"dmarc={OURS}:reject", below, held=dns("p=none")) is Effect.KEPT
    assert effect(f"dmarc={OURS}:reject", below, held=strict) is Effect.REFUSED


def test_a_name_with_a_record_of_its_own_does_not_inherit_a_simulated_policy() -> None:
    held = dns(**{f"_dmarc.scan.{OURS}": "v=DMARC1; p=none"})
    failing = mail(
        header_from=f"a@scan.{OURS}", mail_from_domain="x.example", spf={"fail": 4}, dmarc={"fail": 4}
    )

    assert effect(f"dmarc={OURS}:reject", failing) is Effect.REFUSED
    assert effect(f"dmarc={OURS}:reject", failing, held=held) is Effect.KEPT


def test_a_partial_share_of_aligned_signatures_settles_nothing() -> None:
    mixed = mail(
        mail_from_domain="x.example", dmarc={}, dkim={"pass": 4}, dkim_domains={OURS: 2, "x.example": 2}
    )

    assert Records(settings()).passed(mixed) is None


def test_mail_whose_envelope_only_a_summary_shows_is_undetermined_and_not_kept() -> None:
    summary = mail(
        mail_from_domain=None, header_from=None, sender=f"news@{OURS}", spf={}, dkim={}, dmarc={}
    )  # fmt: skip

    assert effect(f"spf={OURS}:v=spf1 -all", summary) is Effect.UNDETERMINED
    assert effect("spf=unrelated.example:v=spf1 -all", summary) is Effect.KEPT


def row(**given: object) -> OutsideFlow:
    known: dict[str, object] = {
        "source_ip": VENDOR, "header_from": OURS, "envelope_from": OURS, "reporter": "google.com", "to_us": False,
        "mails": 10, "aligned_spf": 10, "aligned_dkim": 0, "dkim_domain": None, "spf_domain": OURS,
        "first_seen": START, "last_seen": START,
    }  # fmt: skip
    return OutsideFlow(**{**known, **given})  # type: ignore[arg-type]


FORGETS = f"spf={OURS}:v=spf1 ip4:198.51.100.7 -all"


@pytest.mark.parametrize(
    ("control", "given", "turned"),
    [
        (FORGETS, {}, {("spf", "pass", "fail"): 10, ("dmarc", "pass", "fail"): 10}),
        (FORGETS, {"aligned_dkim": 10, "dkim_domain": OURS}, {("spf", "pass", "fail"): 10}),
        (FORGETS, {"aligned_dkim": 4, "dkim_domain": OURS}, {("spf", "pass", "fail"): 10, ("dmarc", "pass", "fail"): 6}),
        (FORGETS, {"source_ip": OFFICE}, {}),
        (FORGETS, {"envelope_from": "other.example", "aligned_spf": 0, "spf_domain": "other.example"}, {}),
        (FORGETS, {"envelope_from": None, "spf_domain": None}, {("spf", "pass", "unknown"): 10, ("dmarc", "pass", "unknown"): 10}),
        (f"spf={OURS}:v=spf1 ip4:203.0.113.9 -all", {"source_ip": "203.0.113.9", "aligned_spf": 0}, {("spf", "fail", "pass"): 10, ("dmarc", "fail", "pass"): 10}),
        (f"dkim={OURS}:off", {"aligned_spf": 0, "aligned_dkim": 10, "dkim_domain": OURS}, {("dmarc", "pass", "fail"): 10}),
        (f"dkim={OURS}:off", {"aligned_dkim": 10, "dkim_domain": OURS}, {}),
        (f"dkim={OURS}:off", {"aligned_spf": 0, "aligned_dkim": 10}, {("dmarc", "pass", "unknown"): 10}),
        (f"move={VENDOR},203.0.113.9", {}, {("spf", "pass", "fail"): 10, ("dmarc", "pass", "fail"): 10}),
    ],
)  # fmt: skip
def test_what_other_receivers_reported_is_replayed_too(
    control: str, given: dict[str, object], turned: dict[tuple[str, str, str], int]
) -> None:
    found = Records(settings(control)).replay_reported(row(**given))

    assert {turn: mails for turn, mails in found.items() if turn[1] != turn[2] and mails} == turned
    assert all(mails >= 0 for mails in found.values())
    assert {
        check: sum(mails for turn, mails in found.items() if turn[0] == check) for check in ("spf", "dmarc")
    } == {
        "spf": 10,
        "dmarc": 10,
    }


@given(
    st.integers(1, 20), st.integers(0, 20), st.integers(0, 20), st.sampled_from([None, OURS, "x.example"]),
    st.sampled_from([OURS, "x.example", None]), st.sampled_from([FORGETS, f"dkim={OURS}:off", f"move={VENDOR},203.0.113.9"]),
)  # fmt: skip
def test_no_report_loses_or_gains_a_message(
    mails: int, spf: int, signed: int, signer: str | None, envelope: str | None, control: str
) -> None:
    reported = row(
        mails=mails, aligned_spf=min(spf, mails), aligned_dkim=min(signed, mails), dkim_domain=signer,
        envelope_from=envelope, spf_domain=envelope,
    )  # fmt: skip
    found = Records(settings(control)).replay_reported(reported)

    assert min(found.values()) >= 0
    assert sum(found.values()) == 2 * mails


def test_reported_mail_is_shown_by_the_sender_of_its_address() -> None:
    simulation = simulate([], settings(FORGETS), (), [row(), row(to_us=True)])

    [(sender, turns)] = simulation.elsewhere
    assert sender == ""
    assert {(turn.check, turn.after, turn.mails) for turn in turns} == {
        ("spf", "fail", 10),
        ("dmarc", "fail", 10),
    }
    assert simulate([], settings("reject-direct-send"), (), [row()]).elsewhere == ()
