"""Exchange Server's tracking logs: what servers took and sent, with and without heading."""

import io
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portero.sources.document import Document
from portero.sources.exchange_tracking import SOURCE
from portero.sources.head import head_of
from support.reading import reading, table

FIELDS = (
    "date-time,client-ip,client-hostname,server-ip,server-hostname,source-context,connector-id,source,event-id,"
    "internal-message-id,message-id,network-message-id,recipient-address,recipient-status,total-bytes,recipient-count,"
    "related-recipient-address,reference,message-subject,sender-address,return-path,message-info,directionality,tenant-id,"
    "original-client-ip,original-server-ip,custom-data,transport-traffic-type,log-id,schema-version"
)
COMMENTS = f"#Software: Microsoft Exchange Server\n#Version: 15.02.0330.005\n#Log-type: Message Tracking Log\n#Date: 2026-01-05T10:00:00.000Z\n#Fields: {FIELDS}\n"
TOOK = (
    "2026-01-05T10:00:00.123Z,10.0.0.9,ex1.contoso.local,10.0.0.9,ex1,08DC;2026;0,ex1\\Relay,SMTP,RECEIVE,70,"
    '<a@mfp.contoso.com>,1e6eb197-c6b4-1234-1b69-56dc1db88f50,U@contoso.com;v@contoso.com,,7229,2,,,"Scan, page 1",'
    "scan@contoso.com,scan@contoso.com,0cA: ,Incoming,,10.2.3.14,10.0.0.9,S:FromEntity=Internet;S:ProxiedClientIPAddress=10.2.3.14;"
    "S:ProxiedClientHostname=PRN-3F-KM,Email,05503123-c5b9-46fe-1234-56dc1db88f8f,15.02.0330.005\n"
)
SENT = (
    "2026-01-05T10:00:02.000Z,10.0.0.9,EX1,52.101.1.1,contoso-com.mail.protection.outlook.com,"
    '";250 2.6.0 <a@mfp.contoso.com> Queued mail for delivery",Outbound to Office 365,SMTP,SENDEXTERNAL,70,'
    "<a@mfp.contoso.com>,1e6eb197-c6b4-1234-1b69-56dc1db88f50,u@contoso.com,250 2.1.5 Recipient OK,7300,1,,,Scan,scan@contoso.com,<>"
    ",,Originating,,,,S:X=1,Email,1,15.02\n"
)
OTHER = SENT.replace(",SMTP,SENDEXTERNAL,", ",STOREDRIVER,DELIVER,")


@pytest.mark.parametrize("start", [COMMENTS, ""])
def test_what_a_server_took_and_sent(start):
    found = reading(SOURCE, start + TOOK + OTHER + SENT)
    took, sent = found.rows
    assert (took["client_ip"], took["client_name"], took["ehlo"]) == ("10.2.3.14", "PRN-3F-KM", "PRN-3F-KM")
    assert (took["mail_from"], took["header_from"], took["message_id"]) == (
        "scan@contoso.com",
        "scan@contoso.com",
        "a@mfp.contoso.com",
    )
    assert (took["recipients"], took["subject"], took["octets"]) == (
        "u@contoso.com;v@contoso.com",
        "Scan, page 1",
        7229,
    )
    assert took["observed_at"] == datetime(2026, 1, 5, 10, 0, 0, 123000)  # noqa: DTZ001
    assert (sent["client_ip"], sent["server_name"], sent["mail_from"]) == (
        "10.0.0.9",
        "contoso-com.mail.protection.outlook.com",
        "",
    )
    assert [row["line"] for row in found.rows] == [start.count("\n") + 1, start.count("\n") + 3]
    assert (found.gaps, len(found.notes)) == ([], 1)


def test_comments_in_the_middle_are_no_records():
    found = reading(SOURCE, COMMENTS + TOOK + COMMENTS + SENT)
    assert ([row["line"] for row in found.rows], found.gaps) == ([6, 12], [])


def test_a_cut_record_is_a_gap_with_its_line():
    found = reading(SOURCE, COMMENTS + TOOK + "2026-01-05T10:00:02.000Z,10.0.0.9\n" + SENT)
    assert ([row["line"] for row in found.rows], [gap.origin.line for gap in found.gaps]) == ([6, 8], [7])


def test_the_cmdlets_table_with_local_times():
    names = [
        "Timestamp",
        "ClientIp",
        "ServerHostname",
        "SourceContext",
        "Source",
        "EventId",
        "InternalMessageId",
        "MessageId",
        "Recipients",
        "Sender",
        "ReturnPath",
    ]
    values = [
        "25/01/2026 10:00:00",
        "10.2.3.14",
        "ex1",
        "",
        "SMTP",
        "RECEIVE",
        "70",
        "<a@b>",
        "System.String[]",
        "s@contoso.com",
        "",
    ]
    found = reading(SOURCE, table([dict(zip(names, values, strict=True))]))
    (row,) = found.rows
    assert (row["client_ip"], row["recipients"], row["observed_at"].day) == ("10.2.3.14", None, 25)
    assert len(found.gaps) == 1  # the lost recipients


@given(st.text(), st.booleans())
def test_nothing_raises(tail, commented):
    raw = ((COMMENTS if commented else "") + TOOK + tail).encode("utf-8", "replace")
    document = Document("t", head_of(raw), lambda: io.BytesIO(raw), len(raw))
    assert list(SOURCE.read(document))
