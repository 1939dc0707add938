"""Mails as witnesses."""

from portero.sources.mail_message import SOURCE
from support.reading import reading

MAIL = b"From: a@contoso.com\nTo: b@contoso.com\nDate: Mon, 05 Jan 2026 10:00:00 +0100\nSubject: x\n\nbody\n"


def test_mails_that_no_exchange_took_are_counted_only():
    found = reading(SOURCE, MAIL)
    assert (found.rows, found.counted.rows, found.gaps) == ([], 1, [])
    assert found.counted.first.isoformat() == "2026-01-05T09:00:00+00:00"


def test_an_mbox_counts_each_mail():
    found = reading(SOURCE, (b"From a@b Mon Jan  5 10:00:00 2026\n" + MAIL + b"\n") * 3)
    assert found.counted.rows == 3


def test_a_users_report_is_named_and_what_is_no_evidence_is_counted():
    outer = (
        b"From: user@contoso.com\nSubject: 3|Invoice\nContent-Type: multipart/mixed; boundary=b\n\n--b\n"
        b"Content-Type: message/rfc822\n\n" + MAIL + b"\n--b\nContent-Type: image/png\n"
        b"Content-Disposition: attachment; filename=x.png\n\nPNG\n--b--\n"
    )
    found = reading(SOURCE, outer)
    assert (len(found.notes), found.counted.rows) == (3, 1)
