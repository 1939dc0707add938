"""The sample organisation is one believable story, the same every time, on reserved names and addresses."""

import ipaddress
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

from portero.proving import truth
from portero.proving.demo import DOMAIN, sample, write_sample

END = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
RESERVED = [
    ipaddress.ip_network(text)
    for text in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32")
]


def test_it_is_always_the_same(tmp_path: Path) -> None:
    write_sample(tmp_path / "one", END)
    write_sample(tmp_path / "two", END + timedelta(hours=9))
    one, two = (
        {
            path.relative_to(tmp_path / folder): path.read_bytes()
            for path in sorted((tmp_path / folder).rglob("*.*"))
        }
        for folder in ("one", "two")
    )
    assert one == two
    assert {str(path.parent) for path in one} >= {"trace", "tenant", "dns", "dmarc", "defender"}


TOLD = sample(END)


def test_nobody_s_name_or_address_is_used() -> None:
    organisation = TOLD
    for mail in organisation.mails:
        if mail.client_ip is not None:
            assert any(ipaddress.ip_address(mail.client_ip) in network for network in RESERVED)
        for address in (mail.mail_from, mail.header_from, *mail.recipients):
            assert not address or address.rpartition("@")[2].endswith(".example")


def test_the_story_holds_what_an_administrator_recognises() -> None:
    organisation = TOLD
    paths = {
        sender.id: Counter(
            truth.path(organisation, mail) for mail in organisation.mails if mail.sender == sender.id
        )
        for sender in organisation.senders
    }
    words = {identity: set(counted) for identity, counted in paths.items()}
    assert words["mfp-1"] == words["payroll"] == words["forwarder"] == words["warehouse"] == {"direct-send"}
    assert words["erp"] == {"connector"}
    assert words["newsletter"] == words["attack-director"] == {"foreign-envelope"}
    assert words["mailboxes"] == {"internal"}
    assert words["attack-voicemail"] == words["attack-salary"] == words["attack-scanner"] == {"direct-send"}


def test_the_campaigns_fall_in_autumn_and_to_strangers_addresses() -> None:
    organisation = TOLD
    abuse = {sender.id for sender in organisation.senders if sender.judgement == "abuse"}
    hits = [mail for mail in organisation.mails if mail.sender in abuse]
    assert {mail.sent_at.month for mail in hits} == {9, 10, 11}
    assert all(str(mail.client_ip).startswith("192.0.2.") for mail in hits)
    assert all(mail.header_from.endswith(f"@{DOMAIN}") for mail in hits)
