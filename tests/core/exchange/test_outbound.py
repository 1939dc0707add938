"""What left by Exchange Online and is the mailboxes' own, beside what only looks like it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from portero.core.case import Context
from portero.core.exchange.outbound import left_by_exchange
from portero.core.flow import OutsideFlow
from portero.core.register import Configuration
from portero.core.sender import Kind, Path
from portero.core.senders import find_senders
from support.flows import START, flow
from support.inventory import OURS, SETTINGS

SENT = OutsideFlow(
    source_ip="40.107.22.10",
    header_from=OURS,
    envelope_from=OURS,
    reporter="google.com",
    to_us=False,
    mails=30,
    aligned_spf=30,
    aligned_dkim=30,
    dkim_domain=OURS,
    spf_domain=OURS,
    first_seen=START,
    last_seen=START + timedelta(days=1),
    days={START.date(): 30},
)


def unknown(_address: str, _domain: str) -> str | None:
    return None


CASES = {
    "signed and with an own return-path": ({}, True),
    "over IPv6": ({"source_ip": "2a01:111:f403:260f::3"}, True),
    "an automatic answer without return-path": ({"envelope_from": "", "aligned_spf": 0}, True),
    "by SPF alone, as of a tenant that signs with its initial domain": (
        {"aligned_dkim": 0, "dkim_domain": "contoso.onmicrosoft.com"},
        True,
    ),
    "from elsewhere": ({"source_ip": "203.0.113.9"}, False),
    "another tenant's: nothing passes": ({"aligned_spf": 0, "aligned_dkim": 0, "dkim_domain": None}, False),
    "forwarded by another tenant": (
        {"envelope_from": "fabrikam.example", "spf_domain": "fabrikam.example"},
        False,
    ),
    "come to us": ({"to_us": True}, False),
}


@pytest.mark.parametrize("name", CASES)
def test_own_outgoing_mail(name: str) -> None:
    changed, own = CASES[name]
    assert left_by_exchange(replace(SENT, **changed), SETTINGS, unknown) is own


def test_dns_evidence_goes_before_the_published_list() -> None:
    assert not left_by_exchange(SENT, SETTINGS, lambda _address, _domain: "fail")
    other = replace(SENT, source_ip="198.51.100.1")
    assert left_by_exchange(other, SETTINGS, lambda _address, _domain: "pass")


def test_own_outgoing_mail_is_a_witness_of_the_mailboxes_and_no_sender() -> None:
    mailboxes = flow(60, client_ip="", direction="originating", header_from=f"@{OURS}", mail_from_domain=OURS)
    rows = (SENT, replace(SENT, source_ip="40.107.22.57"))
    for flows, mails in (((mailboxes,), 60), ((), 0)):
        (sender,) = find_senders(flows, rows, Context(SETTINGS), Configuration())
        assert (sender.kind, sender.path, sender.mails, sender.outside) == (
            Kind.MAILBOX,
            Path.INTERNAL,
            mails,
            60,
        )
        assert sender.witnesses["dmarc-aggregate"] == 60
        assert sum(sender.facts.days.values()) == mails


def test_a_forger_in_exchange_onlines_addresses_stays_a_sender_of_its_own() -> None:
    forged = replace(SENT, aligned_spf=0, aligned_dkim=0, dkim_domain=None)
    kinds = {each.kind for each in find_senders((), (SENT, forged), Context(SETTINGS), Configuration())}
    assert len(kinds) == 2
