"""Sending services behind third parties: named by what only they can use, and never trusted for the name."""

from dataclasses import replace

import pytest

from portero.core.flow import Facts, merge_facts
from portero.core.sender import DecidedBy, Judgement, Kind, Path, Sender
from portero.core.services import name_services, named_service, service_of
from portero.core.text import Text
from support.flows import flow

CATALOGUE = {
    "mcsv.net": "Mailchimp",
    "sendgrid.net": "SendGrid",
    "amazonses.com": "Amazon SES",
    "spf.example": "Example",
}


def sender(**facts: object) -> Sender:
    known = flow(10, 10, client_ip="198.51.100.4", header_from="news@contoso.com")
    merged = replace(merge_facts([known.facts]), **facts)  # type: ignore[arg-type]  # a test names real fields
    return Sender(
        id="s-1", label=Text("news@contoso.com from 198.51.100.4"), kind=Kind.SERVICE, judgement=Judgement.UNDECIDED,
        confidence=0.5, decided_by=DecidedBy.EVIDENCE, path=Path.FOREIGN_ENVELOPE, connector=None,
        client_networks=("198.51.100.4/32",), mail_from_domains=("mail22.suw1.mcsv.net",),
        header_from_domains=("contoso.com",), header_from=("news@contoso.com",), ehlo=(), mails=10, outside=0,
        witnesses={}, recipients=1, first_seen=None, last_seen=None, because=(), flows=(known,), facts=merged,
    )  # fmt: skip


def name(held: Sender, includes: object = None, reverse: object = None) -> str | None:
    found = named_service(held, CATALOGUE, lambda *_: includes or (), lambda _: reverse or ())
    return found.service if found else None


@pytest.mark.parametrize(
    ("domain", "service"),
    [
        ("mcsv.net", "Mailchimp"),
        ("a.b.MCSV.net.", "Mailchimp"),
        ("mcsv.net.evil.example", None),
        ("notmcsv.net", None),
        ("net", None),
        ("", None),
    ],
)
def test_a_domain_belongs_to_a_service_at_or_below_its_own(domain: str, service: str | None) -> None:
    assert service_of(domain, CATALOGUE) == service


def test_a_return_path_counts_only_where_spf_passes() -> None:
    assert name(sender(spf={"pass": 10})) == "Mailchimp"
    assert name(sender(spf={"fail": 10})) is None
    assert name(sender(spf={"pass": 5, "fail": 5})) is None
    assert name(sender()) is None


def test_a_signature_counts_only_where_dkim_passes() -> None:
    assert name(sender(dkim={"pass": 10}, dkim_domains={"sendgrid.net": 10})) == "SendGrid"
    assert name(sender(dkim={"fail": 10}, dkim_domains={"sendgrid.net": 10})) is None


def test_the_include_that_covers_the_address_and_its_reverse_name_speak_where_nothing_better_does() -> None:
    assert name(sender(), includes=["spf.example"]) == "Example"
    assert name(sender(), reverse=["a1-2.smtp-out.amazonses.com."]) == "Amazon SES"
    assert name(sender(ptr={"o1.sendgrid.net": 4})) == "SendGrid"
    assert name(sender(spf={"pass": 10}), reverse=["a.amazonses.com"]) == "Mailchimp"


def test_a_name_changes_the_label_and_never_the_judgement() -> None:
    held = sender(spf={"pass": 10})
    (named,) = name_services([held], CATALOGUE, lambda *_: (), lambda _: ())
    assert (str(named.label), named.service) == ("Mailchimp, writing as news@contoso.com", "Mailchimp")
    assert (named.judgement, named.confidence) == (held.judgement, held.confidence)
    assert [(each.code, each.weight) for each in named.because] == [("service-named", 0.0)]


def test_the_include_of_an_envelope_that_reports_know_names_the_service() -> None:
    (seen,) = sender().flows
    told = replace(seen, facts=replace(seen.facts, envelopes={"em1.contoso.com": 9}))
    held = replace(sender(), mail_from_domains=("contoso.com",), flows=(told,))
    includes = {"em1.contoso.com": ["sendgrid.net"]}
    found = named_service(held, CATALOGUE, lambda _, domain: includes.get(domain, ()), lambda _: ())
    assert found is not None
    assert found.service == "SendGrid"


def test_customers_of_one_service_who_write_under_one_name_are_told_apart_by_address() -> None:
    one = sender(spf={"pass": 10})
    (elsewhere,) = one.flows
    two = replace(
        one, id="s-2", flows=(replace(elsewhere, key=replace(elsewhere.key, client_ip="198.51.100.9")),)
    )
    found = name_services([one, two], CATALOGUE, lambda *_: (), lambda _: ())
    assert [str(each.label) for each in found] == [
        "Mailchimp at 198.51.100.4, writing as news@contoso.com",
        "Mailchimp at 198.51.100.9, writing as news@contoso.com",
    ]


def test_only_third_parties_are_named_and_a_persons_label_stays() -> None:
    held = sender(spf={"pass": 10})
    device = replace(held, kind=Kind.SPOOFER)
    known = replace(held, decided_by=DecidedBy.REGISTER)
    found = name_services([device, known], CATALOGUE, lambda *_: (), lambda _: ())
    assert found[0] == device
    assert (found[1].label, found[1].service) == (held.label, "Mailchimp")


def test_unknown_stays_unknown() -> None:
    held = replace(
        sender(spf={"pass": 10}), mail_from_domains=("bounce.unheard.example",), facts=Facts(spf={"pass": 3})
    )
    assert name_services([held], CATALOGUE, lambda *_: (), lambda _: ()) == (held,)
