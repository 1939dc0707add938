"""Exim: arrivals, deliveries and refusals, with or without a syslog header."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portero.sources.exim_log import SOURCE
from support.log_reading import reader, survives

read = reader(SOURCE)


def mail(
    stamp="2026-11-20 10:00:0{} ",
    mark="1pgobK-001mwq-ED",
    end='=> a@contoso.com R=smarthost T=remote_smtp H=contoso-com.mail.protection.outlook.com [52.101.73.1]:25 X=TLS1.3 CV=yes C="250 2.6.0 <m1@prn> Queued"',
):
    lines = (
        f'{mark} <= scan@contoso.com H=prn-3f-km.contoso.com (PRN-3F-KM) [10.2.3.14]:50000 P=esmtp S=48213 id=m1@prn T="Scan" for a@contoso.com',
        f"{mark} {end}",
        f"{mark} Completed",
    )
    return "".join(stamp.format(number) + line + "\n" for number, line in enumerate(lines))


def test_a_delivery_knows_the_device_behind_the_relay():
    (row,) = read(mail()).rows
    assert (row["client_ip"], row["client_name"], row["ehlo"]) == (
        "10.2.3.14",
        "prn-3f-km.contoso.com",
        "PRN-3F-KM",
    )
    assert (row["message_id"], row["mail_from"], row["recipients"], row["octets"]) == (
        "m1@prn",
        "scan@contoso.com",
        "a@contoso.com",
        48213,
    )
    assert (row["server_ip"], row["server_port"], row["verdict"]) == ("52.101.73.1", 25, "opened")
    assert str(row["local_at"]) == "2026-11-20 10:00:01"


@pytest.mark.parametrize(
    ("stamp", "key"),
    [
        ("2026-11-20 10:00:0{} +0100 [77] ", "observed_at"),
        ("Nov 20 10:00:0{} server exim[1234]: ", "local_at"),
    ],
)
def test_zones_process_ids_and_syslog_headers(stamp, key):
    (row,) = read(mail(stamp, "1pgobK-00000001mwq-EDaa")).rows
    assert row["client_ip"] == "10.2.3.14"
    assert key in row


@pytest.mark.parametrize(
    ("end", "verdict"),
    [
        (
            "** a@contoso.com R=smarthost T=remote_smtp H=x.mail.protection.outlook.com [52.101.73.1]: SMTP error from remote mail server after RCPT TO: 550 5.7.68 TenantInboundAttribution",
            "denied",
        ),
        (
            "== a@contoso.com R=smarthost T=remote_smtp defer (-53): retry time not reached H=x.mail.protection.outlook.com [52.101.73.1]",
            "unanswered",
        ),
    ],
)
def test_failures(end, verdict):
    assert read(mail(end=end)).rows[0]["verdict"] == verdict


def test_what_stays_on_the_relay_is_no_session():
    assert read(mail(end="=> a <a@contoso.com> R=local T=maildir")).rows == []


def test_refused_clients():
    line = "2026-11-20 10:00:00 H=imfo.test.com (x) [192.0.2.4]:35328 X=TLS1.2 CV=no F=<i@test.com> rejected RCPT <s@contoso.com>: No Such User Here\n"
    (row,) = read(line).rows
    assert (row["client_ip"], row["mail_from"], row["recipients"], row["verdict"]) == (
        "192.0.2.4",
        "i@test.com",
        "s@contoso.com",
        "denied",
    )


@given(st.binary(max_size=300))
def test_nothing_raises(tail):
    survives(SOURCE, mail() + "2026-11-20 10:00:00 1pgobK-001mwq-ED <= ", tail)
