"""Protocol logs: sessions that interleave become one row a mail."""

from portero.sources.exchange_protocol import SOURCE
from support.reading import reading

START = (
    "#Software: Microsoft Exchange Server\n#Version: 15.0.0.0\n#Log-type: SMTP {0} Protocol Log\n"
    "#Date: 2026-01-05T10:00:00.000Z\n"
    "#Fields: date-time,connector-id,session-id,sequence-number,local-endpoint,remote-endpoint,event,data,context\n"
)


def line(second, session, number, event, data, context=""):
    return (
        f"2026-01-05T10:00:{second:02}.000Z,EX1\\Relay,08DC00000000000{session},{number},10.0.0.9:25,10.2.3.1{session}:5023{session},"
        f'{event},"{data}",{context}\n'
    )


def test_two_sessions_at_once_and_two_mails_in_one():
    log = START.format("Receive")
    log += line(0, 1, 0, "+", "") + line(0, 2, 0, "+", "") + line(0, 1, 1, ">", "220 EX1 Microsoft ESMTP")
    log += line(1, 1, 2, "<", "EHLO PRN-1") + line(1, 2, 2, "<", "HELO [10.2.3.12]")
    log += line(2, 1, 3, "<", "MAIL FROM:<scan@contoso.com> SIZE=1") + line(2, 2, 3, "<", "MAIL FROM:<>")
    log += line(3, 1, 4, "<", "RCPT TO:<U@contoso.com>") + line(3, 1, 5, "<", "RCPT TO:<v@contoso.com>")
    log += line(3, 2, 4, "<", "RCPT TO:<x@other.example>") + line(
        3, 2, 5, ">", "550 5.7.54 SMTP; Unable to relay"
    )
    log += line(4, 1, 6, ">", "250 2.6.0 <a@prn> [InternalId=1, Hostname=ex1] Queued mail for delivery")
    log += (
        line(5, 1, 7, "<", "MAIL FROM:<other@contoso.com>") + line(6, 1, 8, "-", "") + line(6, 2, 6, "-", "")
    )
    found = reading(SOURCE, log)
    first, second, refused = found.rows
    assert (first["client_ip"], first["ehlo"], first["mail_from"]) == (
        "10.2.3.11",
        "PRN-1",
        "scan@contoso.com",
    )
    assert (first["recipients"], first["message_id"]) == ("u@contoso.com;v@contoso.com", "a@prn")
    assert (first["verdict"], first["server_ip"], first["server_port"]) == ("opened", "10.0.0.9", 25)
    assert (second["mail_from"], second["message_id"], second["ehlo"]) == ("other@contoso.com", None, "PRN-1")
    assert (refused["mail_from"], refused["verdict"]) == ("", "denied")
    assert refused["reply"].startswith("550 5.7.54")
    assert found.gaps == []


def test_a_send_connector_speaks_itself():
    log = START.format("Send")
    steps = [
        ("+", ""),
        ("<", "220 contoso-com.mail.protection.outlook.com"),
        (">", "EHLO ex1.contoso.com"),
        (">", "MAIL FROM:<scan@contoso.com> SIZE=1"),
        ("<", "550 5.7.68 TenantInboundAttribution; Direct Send not allowed"),
        ("-", ""),
    ]
    for number, (event, data) in enumerate(steps):
        log += f"2026-01-05T10:00:00.000Z,Outbound,08DC000000000001,{number},10.0.0.9:50231,52.101.1.1:25,{event},{data},\n"
    (row,) = reading(SOURCE, log).rows
    assert (row["client_ip"], row["server_ip"], row["server_port"]) == ("10.0.0.9", "52.101.1.1", 25)
    assert (row["verdict"], row["ehlo"]) == ("denied", "ex1.contoso.com")
    assert "5.7.68" in row["reply"]


def test_lines_that_are_no_dialogue_are_passed_over():
    found = reading(
        SOURCE,
        START.format("Receive") + line(0, 1, 0, "*", "Proxy destination") + "2026-01-05T10:00:00.000Z,x\n",
    )
    assert found.rows == []
