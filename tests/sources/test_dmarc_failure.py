"""Failure reports: what they say of one mail, and that they enter no sum."""

from datetime import UTC, datetime

from portero.sources.dmarc_failure import SOURCE
from support.reading import reading

REPORT = b"""From: DMARC <dmarc-noreply@linkedin.example>
Date: Tue, 30 Apr 2019 02:09:00 +0000
Subject: FW: Invoice
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary="b"

--b
Content-Type: text/plain

This is an authentication failure report.
--b
Content-Type: message/feedback-report

Feedback-Type: auth-failure
Version: 1
Source-IP: 192.0.2.7
Original-Mail-From: <bounce@other.example>
Arrival-Date: Tue, 30 Apr 2019 02:08:59 +0000
Reported-Domain: contoso.com
Auth-Failure: dmarc (p=reject), spf
Delivery-Result: reject

--b
Content-Type: message/rfc822

Received: from x (192.0.2.7) by mx.linkedin.example; Tue, 30 Apr 2019 02:08:59 +0000
From: ceo@contoso.com
Subject: Invoice

--b--
"""


def test_a_report_says_address_domain_and_failure():
    found = reading(SOURCE, REPORT)
    said = str(found.notes[0].text)
    for part in ("192.0.2.7", "contoso.com", "linkedin.example", "dmarc, spf", "reject"):
        assert part in said
    assert (found.counted.rows, found.rows, found.gaps) == (1, [], [])
    assert found.counted.first == datetime(2019, 4, 30, 2, 8, 59, tzinfo=UTC)


def test_without_an_address_the_reported_mails_own_line_tells_it():
    found = reading(SOURCE, REPORT.replace(b"Source-IP: 192.0.2.7\n", b""))
    assert "192.0.2.7" in str(found.notes[0].text)


def test_a_report_without_its_machine_readable_part_is_a_gap():
    cut = REPORT.partition(b"--b\nContent-Type: message/feedback-report")[0] + b"--b--\n"
    found = reading(SOURCE, cut)
    assert (found.counted, len(found.gaps)) == (None, 1)


def test_the_feedback_part_alone_is_enough():
    part = REPORT.partition(b"feedback-report\n\n")[2].partition(b"\n\n")[0]
    found = reading(SOURCE, part + b"\n")
    assert "192.0.2.7" in str(found.notes[0].text)
