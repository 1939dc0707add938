"""Where DMARC reports are the only evidence, they tell whose domain it is, who sends in its name, and what nobody knows."""

from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest
from typer.testing import CliRunner

from portero import wiring
from portero.core.finding import Profile
from portero.faces.cli import build
from portero.faces.render import Renderer
from portero.faces.report.summary import summarise

DAY = 86400
ENGLISH = Renderer("en")


def report(folder, number, domain="talheim.example", policy=None, records=(("203.0.113.7", 12),)):
    """Write one report of one day: its policy's domain, and records of address and mails in a domain's name."""
    begin = 1794009600 + number * DAY
    rows = "".join(
        f"<record><row><source_ip>{address}</source_ip><count>{mails}</count><policy_evaluated><dkim>fail</dkim>"
        f"<spf>fail</spf></policy_evaluated></row><identifiers><envelope_to>gmail.com</envelope_to>"
        f"<header_from>{domain}</header_from></identifiers><auth_results/></record>"
        for address, mails in records
    )
    (folder / f"{domain}-{number}.xml").write_text(
        f"<feedback><report_metadata><org_name>google.com</org_name><report_id>{domain}{number}</report_id>"
        f"<date_range><begin>{begin}</begin><end>{begin + DAY - 1}</end></date_range></report_metadata>"
        f"<policy_published><domain>{policy or domain}</domain><p>none</p></policy_published>{rows}</feedback>"
    )


@pytest.fixture
def evidence(tmp_path):
    folder = tmp_path / "evidence"
    folder.mkdir()
    return folder


def audited(folder: Path, store=None):
    return wiring.audit([folder], config=None, profile=Profile.STANDARD, progress=lambda _: None, store=store)


def said(held):
    return "\n".join(ENGLISH.text(each) for each in held.assumptions)


def test_the_domain_that_all_reports_are_about_is_taken_and_said(evidence, tmp_path):
    for number in range(3):
        report(evidence, number)
    held = audited(evidence)
    assert held.accepted_domains == ("talheim.example",)
    assert "talheim.example was taken, for all DMARC reports are about it" in said(held)
    assert [(each.mails, each.outside) for each in held.senders] == [(0, 36)]
    stored = audited(evidence, tmp_path / "lake")
    assert (stored.accepted_domains, said(stored)) == (held.accepted_domains, said(held))
    assert [each.outside for each in stored.senders] == [36]


def test_a_report_about_a_subdomain_is_about_the_domain(evidence):
    report(evidence, 0)
    report(evidence, 1, domain="news.talheim.example")
    assert audited(evidence).accepted_domains == ("talheim.example",)


def test_of_several_domains_none_is_taken_for_a_report_may_be_forged(evidence, tmp_path):
    report(evidence, 0)
    report(evidence, 1, domain="victim.example")
    for held in (audited(evidence), audited(evidence, tmp_path / "lake")):
        assert (held.accepted_domains, held.senders) == ((), ())
        assert "about talheim.example and victim.example: name those that are yours" in said(held)


def test_a_trace_tells_the_domain_before_reports_do(evidence):
    report(evidence, 0, domain="other.example")
    (evidence / "trace.csv").write_text(
        "Received,SenderAddress,RecipientAddress,Subject,Status,FromIP,ToIP,Size,MessageId,MessageTraceId\n"
        "2026-11-20T10:00:00.0000000Z,a@talheim.example,b@talheim.example,Hello,Delivered,203.0.113.7,,4000,<1@x>,"
        "a5e6dc0f-23df-4b20-d240-08dab38944a1\n"
    )
    held = audited(evidence)
    assert held.accepted_domains == ("talheim.example",)
    assert "were taken from the mail itself" in said(held)


def test_mail_that_never_came_here_is_no_mail_that_closing_would_keep(evidence):
    report(evidence, 0)
    summary = summarise(audited(evidence))
    assert not summary.mail_seen
    assert ENGLISH.text(summary.headline).startswith("No mail was seen")


def crowd(folder, number, more=()):
    """Write a report of so many addresses with one failing mail each, and of more records."""
    single = [(f"198.51.{n // 200}.{n % 200 + 1}", 1) for n in range(number)]
    report(folder, 0, records=(*single, *more))
    return [address for address, _ in single]


def test_single_reports_too_many_to_look_at_are_shown_together_and_judged_as_one_alone(evidence, tmp_path):
    few = tmp_path / "few"
    few.mkdir()
    crowd(few, 50)
    apart = audited(few).senders
    assert len(apart) == 50
    addresses = crowd(evidence, 150)
    (together,) = audited(evidence).senders
    assert (together.outside, together.mails, together.witnesses) == (150, 0, {"dmarc-aggregate": 150})
    assert {(each.judgement, each.confidence) for each in apart} == {
        (together.judgement, together.confidence)
    }
    assert together.judgement.value == "undecided"
    assert together.crowd == together.client_addresses == tuple(sorted(addresses))
    assert all(
        any(ip_address(each) in ip_network(net) for net in together.client_networks) for each in addresses
    )
    # The way of sending that it shows is the first one's, and what stands for all of them is counted of all.
    (example,) = together.flows
    assert example.key.client_ip == min(addresses)
    assert example.facts.witnessed == {"dmarc-aggregate": 1}
    assert [origin.line for origin in together.facts.origins["dmarc-aggregate"]] == [1, 2, 3, 4, 5]
    assert "each reported once by others" in ENGLISH.text(together.label)
    assert "does not make them one sender" in ENGLISH.text(together.because[-1].text)


def test_who_writes_again_or_is_known_keeps_a_place_of_its_own(evidence):
    (evidence / "portero.toml").write_text(
        '[organisation]\naccepted_domains = ["talheim.example"]\n'
        '[[network]]\nname = "Works"\ncidr = ["203.0.113.16/32"]\nuse = "devices"\n'
    )
    (evidence / "talheim.zone").write_text(
        "$ORIGIN talheim.example.\n$TTL 3600\n@ IN SOA ns1.talheim.example. h.talheim.example. 1 7200 3600 1209600 3600\n"
        '@ IN NS ns1.talheim.example.\n@ IN TXT "v=spf1 ip4:203.0.113.32/32 -all"\n'
    )
    alone = ["203.0.113.7", "203.0.113.8", "203.0.113.16", "203.0.113.32"]
    crowd(evidence, 120, [("203.0.113.7", 2), *((address, 1) for address in alone[1:])])
    report(evidence, 1, records=[("203.0.113.8", 1)])
    senders = audited(evidence).senders
    assert sorted(len(each.client_addresses) for each in senders) == [1, 1, 1, 1, 120]
    assert {each.flows[0].key.client_ip for each in senders if not each.crowd} == {*alone}
    assert sum(each.outside for each in senders) == 120 + 2 + 2 + 1 + 1


def shown(folder, out):
    return CliRunner().invoke(build(wiring), ["audit", str(folder), "--out", str(out)]).output


def test_the_terminal_shows_what_others_saw(evidence, tmp_path):
    report(evidence, 0, records=[("203.0.113.7", 3600)])
    text = shown(evidence, tmp_path / "out")
    assert "Seen by others" in text
    assert "3,600" in text
    assert "Others reported 3,600 messages of it." in text
    assert "settles 0" not in text + (tmp_path / "out" / "plan.md").read_text()
    assert "0 mails are" not in (tmp_path / "out" / "plan.md").read_text()


def test_the_terminal_does_not_say_that_nobody_was_found_where_nobody_was_looked_for(evidence, tmp_path):
    report(evidence, 0)
    report(evidence, 1, domain="victim.example")
    text = shown(evidence, tmp_path / "out")
    assert "No sender in the organisation's name was found" not in text
    assert "accepted_domains" in text


def test_dns_evidence_that_was_given_is_not_denied(evidence):
    report(evidence, 0)
    assert "no DNS evidence was given" in said(audited(evidence))
    (evidence / "talheim.zone").write_text(
        "$ORIGIN talheim.example.\n$TTL 3600\n@ IN SOA ns1.talheim.example. h.talheim.example. 1 7200 3600 1209600 3600\n"
        "@ IN NS ns1.talheim.example.\n"
    )
    assert "the DNS evidence does not show them" in said(audited(evidence))
    with (evidence / "talheim.zone").open("a") as zone:
        zone.write("@ IN MX 0 talheim-example.mail.protection.outlook.com.\n")
    assert "MX" not in said(audited(evidence))
