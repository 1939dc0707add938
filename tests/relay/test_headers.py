"""Header sections as bytes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portero.relay.headers import author, mend, read_head, split_head


def test_what_is_read() -> None:
    head = (
        b"Received: from a\r\n\tby relay.example (portero) with SMTP id 1;\r\n\tdate\r\nreceived: by other\r\n"
        b"FROM : =?utf-8?q?Esc=C3=A1ner?=\r\n <scan@contoso.com>\r\nSubject: =?utf-8?b?w6k=?=\r\nMessage-ID: <1@x>\r\n"
    )
    seen = read_head(head, "relay.example")
    assert (seen.header_from, seen.subject, seen.message_id) == ("scan@contoso.com", "é", "<1@x>")
    assert (seen.received, seen.ours, seen.has_date) == (2, 1, False)


@pytest.mark.parametrize(
    ("value", "mailbox"),
    [
        (b" scan@contoso.com", "scan@contoso.com"),
        (b' "boss@contoso.com" <evil@example.org>', "evil@example.org"),
        (b" a@contoso.com, b@contoso.com", None),
        (b" nobody", None),
        (b"", None),
        (b" <a@b@c> ", None),
    ],
)
def test_authors(value: bytes, mailbox: str | None) -> None:
    assert author(value) == mailbox


def test_two_from_fields_name_nobody() -> None:
    assert read_head(b"From: a@b.example\r\nFrom: c@d.example\r\n", "x").header_from is None


@pytest.mark.parametrize(
    ("content", "head", "rest"),
    [
        (b"A: 1\r\n\r\nbody\r\n", b"A: 1\r\n", b"\r\nbody\r\n"),
        (b"just text\r\n", b"", b"\r\njust text\r\n"),
        (b"just text\r\n\r\nmore\r\n", b"", b"\r\njust text\r\n\r\nmore\r\n"),
        (b"\r\nbody\r\n", b"", b"\r\nbody\r\n"),
        (b"A: 1\r\n", b"A: 1\r\n", b"\r\n"),
        (b"", b"", b"\r\n"),
    ],
)
def test_where_the_body_begins(content: bytes, head: bytes, rest: bytes) -> None:
    assert split_head(content) == (head, rest)


def test_mending_takes_all_and_puts_one() -> None:
    head = b"From: a\r\nX-Old: 1\r\n 2\r\nfrom: b\r\nTo: c\r\n"
    mended = mend(head, remove=frozenset({"x-old"}), replace={"from": b"From: d\r\n", "date": b"Date: e\r\n"})
    assert mended == b"From: d\r\nTo: c\r\nDate: e\r\n"


@given(st.binary(max_size=300))
def test_hostile_octets_do_not_raise(content: bytes) -> None:
    head, rest = split_head(content)
    read_head(head, "x")
    read_head(content, "x")
    author(content)
    assert (head + rest).endswith(content) or head + rest == content + b"\r\n"
    mend(head, remove=frozenset({"a"}), replace={"from": b"From: a\r\n"})
