"""SMTP AUTH clients report: mailboxes and their authentication, as settings hold them."""

from portero.core.exchange.settings import Tenant, read_settings
from portero.sources.smtp_auth_report import SOURCE
from support.reading import reading, table

ROW = {
    "Sender address": "Scan@Contoso.com",
    "Domain": "contoso.com",
    "TLS 1.0 %": "0",
    "TLS 1.1 %": "0",
    "TLS 1.2 %": "100",
    "Messages sent": "1,204",
    "Authentication protocol": "Basic",
}


def test_a_mailbox_and_its_authentication_reach_the_settings():
    found = reading(
        SOURCE, table([ROW, ROW | {"Sender address": "app@contoso.com", "Authentication protocol": "OAuth"}])
    )
    assert found.counted.rows == 2
    settings = read_settings(Tenant(found.others))
    assert settings.smtp_auth_protocols == {"scan@contoso.com": "basic", "app@contoso.com": "oauth"}
    assert found.others[0].properties["Uses"] == 1204
    assert (found.gaps, found.notes) == ([], [])


def test_an_older_report_says_use_and_not_how():
    old = {name: value for name, value in ROW.items() if name != "Authentication protocol"}
    found = reading(SOURCE, table([old]))
    settings = read_settings(Tenant(found.others))
    assert (settings.smtp_auth_protocols, settings.smtp_auth_clients) == ({}, {"scan@contoso.com": {}})
    assert len(found.notes) == 1


def test_both_ways_of_one_mailbox_settle_nothing():
    found = reading(SOURCE, table([ROW, ROW | {"Authentication protocol": "OAuth"}]))
    assert read_settings(Tenant(found.others)).smtp_auth_protocols == {}


def test_a_row_without_a_sender_is_a_gap():
    found = reading(SOURCE, table([ROW | {"Sender address": "total"}, ROW]))
    assert (len(found.gaps), found.counted.rows) == (1, 1)
