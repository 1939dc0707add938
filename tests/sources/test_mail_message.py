"""Mails as witnesses: what Exchange Online stamped, and nothing that anybody else can write."""

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portero.core.limits import LIMITS
from portero.sources.mail_files import opened_mail
from portero.sources.mail_headers import header_row
from portero.sources.mail_message import SOURCE
from support.reading import reading

MAIL = b"From: a@contoso.com\nTo: b@contoso.com\nDate: Mon, 05 Jan 2026 10:00:00 +0100\nSubject: x\n\nbody\n"
GUID = "a5e6dc0f-23df-4b20-d240-08dab38944a1"
INSIDE = (
    "Received: from AM0PR01MB1.eurprd01.prod.outlook.com (2603:10a6:208::1) by\n DB9PR01MB2.eurprd01.prod.outlook.com with "
    "Microsoft SMTP Server; Fri, 20 Nov 2026 10:00:02 +0000\n"
)
DOOR = (
    "Authentication-Results: spf=fail (sender IP is 192.0.2.7)\n smtp.mailfrom=contoso.com; dkim=none (message not signed)\n"
    " header.d=none;dmarc=fail action=oreject header.from=contoso.com;compauth=fail\n reason=000\n"
    "Received: from MFP (192.0.2.7) by\n DB5EUR03FT047.mail.protection.outlook.com (10.152.20.1) with Microsoft SMTP Server;\n"
    " Fri, 20 Nov 2026 10:00:00 +0000\n"
)
STAMPS = (
    "Return-Path: scan@contoso.com\nX-MS-Exchange-Organization-AuthAs: Anonymous\n"
    "X-MS-Exchange-Organization-MessageDirectionality: Incoming\n"
    f"X-MS-Exchange-Organization-Network-Message-Id: {GUID.upper()}\n"
    "X-Forefront-Antispam-Report: CIP:192.0.2.7;SFV:SPM;H:MFP;PTR:host.isp.example;CAT:SPOOF;DIR:INB;\n"
    "X-Microsoft-Antispam-Mailbox-Delivery: ucf:0;jmr:0;auth:0;dest:J;OFR:SpamFilterAuthJ;\n"
)
OWN = (
    "From: =?utf-8?q?Esc=C3=A1ner?= <Scan@contoso.com>\nTo: u@other.example\nSubject: =?utf-8?q?P=C3=A1gina?=\n"
    "Message-ID: <1@mfp>\n\nbody\n"
)
DELIVERED = INSIDE + DOOR + STAMPS + OWN


def test_an_anonymous_mail_tells_client_envelope_and_what_the_filter_said():
    found = reading(SOURCE, DELIVERED)
    (row,) = found.rows
    assert (row["network_message_id"], row["message_id"], row["line"]) == (GUID, "1@mfp", 1)
    assert (row["client_ip"], row["ehlo"], row["ptr"]) == ("192.0.2.7", "MFP", "host.isp.example")
    assert (row["mail_from"], row["header_from"], row["display_name"]) == (
        "scan@contoso.com",
        "Scan@contoso.com",
        "Escáner",
    )
    assert (row["spf"], row["dkim"], row["dkim_domain"], row["dmarc"]) == ("fail", "none", None, "fail")
    assert (row["compauth"], row["compauth_reason"]) == ("fail", "000")
    assert (row["direction"], row["outcome"], row["threat"], row["subject"]) == (
        "incoming",
        "junked",
        "spoof",
        "Página",
    )
    assert row["observed_at"] == datetime(2026, 11, 20, 10)  # noqa: DTZ001
    # Whom the sender wrote to is no evidence of where the mail went, and no header names the connector.
    assert (row["recipients"], row["connector"]) == (None, None)
    assert (found.counted, len(found.notes), found.gaps) == (None, 1, [])


def test_the_stamp_of_direct_send_says_that_there_was_no_connector():
    (row,) = reading(SOURCE, "X-MS-Exchange-Organization-IsAnonymousDirectSend: true\n" + DELIVERED).rows
    assert row["connector"] == ""


def test_a_return_path_that_the_results_contradict_is_not_believed():
    (row,) = reading(
        SOURCE, DELIVERED.replace("Return-Path: scan@contoso.com", "Return-Path: <x@forged.example>")
    ).rows
    assert row["mail_from"] == "@contoso.com"


@pytest.mark.parametrize(
    "mail",
    [
        MAIL.decode(),
        # Another server took it after Exchange Online: its stamps are old, or of another organisation.
        "Received: from x by mx.google.com with ESMTPS; Fri, 20 Nov 2026 10:00:09 +0000\n" + DELIVERED,
        # Stamps without any server of Exchange Online's.
        STAMPS + OWN,
    ],
)
def test_mails_that_exchange_did_not_take_last_are_counted_only(mail):
    found = reading(SOURCE, mail)
    assert (found.rows, found.counted.rows, found.gaps) == ([], 1, [])


def test_an_mbox_gives_a_row_a_mail_with_its_number():
    found = reading(SOURCE, ("From a@b Mon Jan  5 10:00:00 2026\n" + DELIVERED + "\n") * 3)
    assert [row["line"] for row in found.rows] == [1, 2, 3]


def test_a_users_report_is_named_and_what_is_no_evidence_is_counted():
    outer = (
        b"From: user@contoso.com\nSubject: 3|Invoice\nContent-Type: multipart/mixed; boundary=b\n\n--b\n"
        b"Content-Type: message/rfc822\n\n" + MAIL + b"\n--b\nContent-Type: image/png\n"
        b"Content-Disposition: attachment; filename=x.png\n\nPNG\n--b--\n"
    )
    said = [str(note.text) for note in reading(SOURCE, outer).notes]
    assert any("user's report" in text for text in said)
    assert any("attachment" in text for text in said)


@given(
    st.text(),
    st.sampled_from(
        ["Received", "Authentication-Results", "From", "Return-Path", "X-Forefront-Antispam-Report"]
    ),
)
def test_no_header_raises(text, name):
    header_row(
        opened_mail((INSIDE + f"{name}: {text}\n" + DOOR + STAMPS + OWN).encode("utf-8", "replace"), LIMITS)
    )
