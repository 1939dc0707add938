"""Postfix: a mail's lines lie apart and are joined by queue id, which is used again."""

from hypothesis import given
from hypothesis import strategies as st

from portero.sources.postfix_log import SOURCE
from support.log_reading import reader, survives

read = reader(SOURCE)


def mail(
    queue_id="7EE668039",
    client="prn-3f-km.contoso.com[10.2.3.14]",
    message_id="m1@prn",
    status="sent (250 2.6.0 Queued mail for delivery)",
    stamp="2026-11-20T10:00:0{}+01:00 relay ",
):
    lines = (
        f"postfix/smtpd[1]: {queue_id}: client={client}",
        f"postfix/cleanup[2]: {queue_id}: message-id=<{message_id}>",
        f"postfix/qmgr[3]: {queue_id}: from=<scan@contoso.com>, size=48213, nrcpt=1 (queue active)",
        f"postfix/smtp[4]: {queue_id}: to=<a@contoso.com>, orig_to=<a>, relay=contoso-com.mail.protection.outlook.com[52.101.73.1]:25, delay=3.6, delays=0.2/0.02/0.04/3.3, dsn=2.6.0, status={status}",
        f"postfix/qmgr[3]: {queue_id}: removed",
    )
    return "".join(stamp.format(number) + line + "\n" for number, line in enumerate(lines))


def test_a_delivery_knows_the_device_behind_the_relay():
    (row,) = read(mail()).rows
    assert (row["client_ip"], row["client_name"], row["message_id"]) == (
        "10.2.3.14",
        "prn-3f-km.contoso.com",
        "m1@prn",
    )
    assert (row["mail_from"], row["recipients"], row["octets"]) == (
        "scan@contoso.com",
        "a@contoso.com",
        48213,
    )
    assert (row["server_name"], row["server_ip"], row["server_port"]) == (
        "contoso-com.mail.protection.outlook.com",
        "52.101.73.1",
        25,
    )
    assert (row["verdict"], str(row["observed_at"]), row["line"]) == ("opened", "2026-11-20 09:00:03", 4)


def test_mails_under_way_at_once_are_kept_apart_and_ids_are_used_again():
    one, two = mail(), mail("8FF668039", "unknown[10.2.3.15]", "m2@prn")
    mixed = "".join(
        line + "\n" for pair in zip(one.splitlines(), two.splitlines(), strict=True) for line in pair
    )
    rows = read(mixed + mail(client="unknown[10.2.3.16]", message_id="m3@prn")).rows
    assert [(row["client_ip"], row["message_id"]) for row in rows] == [
        ("10.2.3.14", "m1@prn"),
        ("10.2.3.15", "m2@prn"),
        ("10.2.3.16", "m3@prn"),
    ]
    assert "client_name" not in rows[1]


def test_a_lost_beginning_leaves_the_device_unknown():
    (row,) = read("".join(mail().splitlines(keepends=True)[2:])).rows
    assert ("client_ip" in row, row["mail_from"]) == (False, "scan@contoso.com")


def test_a_refusal_of_the_other_side_is_no_silence():
    refused = "bounced (host contoso-com.mail.protection.outlook.com[52.101.73.1] said: 550 5.7.68 TenantInboundAttribution; Direct Send not allowed (in reply to RCPT TO command))"
    (row,) = read(mail(status=refused)).rows
    assert row["verdict"] == "denied"
    assert "5.7.68" in row["reply"]
    (row,) = read(mail(status="deferred (connect to 52.101.73.1:25: Connection timed out)")).rows
    assert row["verdict"] == "unanswered"


def test_a_client_the_relay_refused_is_a_witness_too():
    line = "May  8 08:26:55 mail postfix/smtpd[1]: NOQUEUE: reject: RCPT from unknown[10.2.3.99]: 554 5.7.1 <x@example.com>: Relay access denied; from=<> to=<x@example.com> proto=ESMTP helo=<WIN-9QL4SDRB93L>\n"
    (row,) = read(line).rows
    assert (row["client_ip"], row["verdict"], row["ehlo"], row["mail_from"]) == (
        "10.2.3.99",
        "denied",
        "WIN-9QL4SDRB93L",
        "",
    )
    assert row["server_name"] == "mail"


def test_several_instances_and_services_and_a_filter_in_between():
    text = mail(stamp="Nov 20 10:00:0{} relay ").replace("postfix/smtpd", "postfix-in/submission/smtpd")
    filtered = text.replace(
        "contoso-com.mail.protection.outlook.com[52.101.73.1]:25", "127.0.0.1[127.0.0.1]:10024"
    )
    assert read(text).rows[0]["client_ip"] == "10.2.3.14"
    assert read(filtered).rows[0]["server_port"] == 10024


@given(st.binary(max_size=300))
def test_nothing_raises(tail):
    survives(SOURCE, mail() + "2026-11-20T10:00:00Z r postfix/smtp[4]: 7EE668039: to=<", tail)
