"""Sendmail: from= and to= lines joined by queue id."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portero.sources.sendmail_log import SOURCE
from support.log_reading import reader, survives

read = reader(SOURCE)
START = "Nov 20 10:00:00 relay sendmail[77]: 5AK9x0Aa012345: "
CAME = (
    START
    + "from=<scan@contoso.com>, size=48213, class=0, nrcpts=1, msgid=<m1@prn>, proto=ESMTP, daemon=MTA, relay=prn-3f-km.contoso.com [10.2.3.14]\n"
)
WENT = (
    START
    + "to=<a@contoso.com>,<b@contoso.com>, delay=00:00:01, xdelay=00:00:01, mailer=esmtp, pri=78213, relay=contoso-com.mail.protection.outlook.com. [52.101.73.1], dsn={dsn}, stat={stat}\n"
)


def test_a_delivery_knows_the_device_behind_the_relay():
    (row,) = read(CAME + WENT.format(dsn="2.0.0", stat="Sent (<m1@prn> Queued mail for delivery)")).rows
    assert (row["client_ip"], row["client_name"], row["message_id"]) == (
        "10.2.3.14",
        "prn-3f-km.contoso.com",
        "m1@prn",
    )
    assert (row["recipients"], row["octets"], row["verdict"]) == (
        "a@contoso.com;b@contoso.com",
        48213,
        "opened",
    )
    assert (row["server_name"], row["server_ip"], row["server_port"]) == (
        "contoso-com.mail.protection.outlook.com",
        "52.101.73.1",
        25,
    )


@pytest.mark.parametrize(
    ("dsn", "stat", "verdict"),
    [("5.7.68", "Service unavailable", "denied"), ("4.0.0", "Deferred: Connection timed out", "unanswered")],
)
def test_failures(dsn, stat, verdict):
    assert read(CAME + WENT.format(dsn=dsn, stat=stat)).rows[0]["verdict"] == verdict


def test_other_program_names_and_a_refused_client():
    line = "2026-11-20T10:00:00Z relay sm-mta[77]: 5AK9x0Aa012345: ruleset=check_rcpt, arg1=<x@example.com>, relay=[10.2.3.99], reject=550 5.7.1 <x@example.com>... Relaying denied\n"
    (row,) = read(line).rows
    assert (row["client_ip"], row["recipients"], row["verdict"]) == ("10.2.3.99", "x@example.com", "denied")


@given(st.binary(max_size=300))
def test_nothing_raises(tail):
    survives(SOURCE, CAME + START + "to=", tail)
