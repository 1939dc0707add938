"""Mail is opened within bounds whatever its bytes are."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portero.core.mail.mime import (
    MAX_PARTS,
    Mailbox,
    content_type,
    decode_words,
    looks_like_mail,
    mailboxes,
    read_mail,
)

PLAIN = b"From: Ana <ana@contoso.com>\nSubject: Hola\n\nTexto\n"


@pytest.mark.parametrize("ends", [b"\n", b"\r\n", b"\r"], ids=["LF", "CRLF", "CR"])
@pytest.mark.parametrize("before", [b"", b"\xef\xbb\xbf", b"From ana@contoso.com Mon Nov 24\n", b"\n\n"])
def test_every_form_of_file_gives_the_same_mail(ends: bytes, before: bytes) -> None:
    mail = read_mail((before + PLAIN).replace(b"\n", ends))

    assert mail.mailboxes("from") == (Mailbox("Ana", "ana@contoso.com"),)
    assert mail.text("subject") == "Hola"
    assert mail.parts[0].text.strip() == "Texto"


def test_folded_fields_are_unfolded_even_when_pasting_lost_their_blanks() -> None:
    pasted = b"Received: from a (192.0.2.1)\nby b.example; Mon, 23 Nov 2026 10:00:00 +0000\n \nSubject: x\n"

    mail = read_mail(pasted)

    assert mail.first("Received") == "from a (192.0.2.1) by b.example; Mon, 23 Nov 2026 10:00:00 +0000"
    assert not mail.has_body


def test_parts_are_found_named_and_decoded() -> None:
    raw = (
        b'Content-Type: multipart/mixed; boundary="a"\n\npreamble\n--a\nContent-Type: multipart/alternative; boundary=ab\n'
        b"\n--ab\nContent-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: quoted-printable\n\ncaf=E9\n"
        b"--ab\nContent-Type: text/html\n\n<p>x</p>\n--ab--\n--a\nContent-Type: application/pdf;\n name*=utf-8''n%C3%B3mina.pdf\n"
        b"Content-Disposition: attachment\nContent-Transfer-Encoding: base64\n\nJVBERg\n--a--\nepilogue\n"
    )

    text, markup, pdf = read_mail(raw).parts

    assert (text.place, text.text.strip()) == ("1.1", "café")
    assert (markup.place, markup.content_type) == ("1.2", "text/html")
    assert (pdf.place, pdf.name, pdf.attached, pdf.octets) == ("2", "nómina.pdf", True, b"%PDF")


def test_encoded_words_that_cut_a_sign_are_joined() -> None:
    assert decode_words("=?utf-8?B?w6E=?= =?utf-8?Q?_b?= c") == "á b c"
    assert decode_words("=?utf-8?B?8J8=?= =?utf-8?B?kqk=?=") == "💩"
    assert decode_words("=?nonsense?Q?=E1?= and =?broken") == "á and =?broken"


def test_address_fields_survive_commas_groups_and_comments() -> None:
    held = mailboxes(
        '"Pérez, Ana" <ana@contoso.com>, staff: b@contoso.com, (Bea) c@contoso.com; "d@bank.example" <e@f.example>'
    )

    assert list(held) == [
        Mailbox("Pérez, Ana", "ana@contoso.com"),
        Mailbox("", "b@contoso.com"),
        Mailbox("Bea", "c@contoso.com"),
        Mailbox("d@bank.example", "e@f.example"),
    ]


def test_parameters_in_pieces_are_joined() -> None:
    kind, held = content_type("Application/PDF; name*0*=utf-8''a%C3%A1; name*1=\"b.pdf\"")
    assert (kind, held["name"]) == ("application/pdf", "aáb.pdf")


def test_what_is_mail_is_seen_from_its_fields() -> None:
    assert looks_like_mail(PLAIN)
    assert looks_like_mail(PLAIN.replace(b"\n", b"\r"))
    assert not looks_like_mail(b"from,to,subject\na,b,c\n")
    assert not looks_like_mail(b'{"From": "a", "To": "b"}')
    assert not looks_like_mail(b"<?xml version='1.0'?>\n<From: x>")


@pytest.mark.parametrize(
    "raw",
    [
        b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(1000)),
        b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\nx\n" * 50_000,
        b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--bb\n" * 400_000,
        b"Subject: " + b"=?utf-8?Q?" * 200_000 + b"\n\n",
        b"To: " + b"(" * 1_000_000,
        b"X: y\n" * 200_000,
        b"Content-Type: a/b" + b"; x*0*=" * 100_000 + b"\n\nx",
    ],
    ids=["nested", "many parts", "near boundaries", "words", "comments", "fields", "parameters"],
)
def test_hostile_mail_is_bounded(raw: bytes) -> None:
    start = time.process_time()

    mail = read_mail(raw)
    mail.text("subject"), mail.mailboxes("to")

    assert time.process_time() - start < 5
    assert len(mail.parts) <= MAX_PARTS


@given(
    st.binary(max_size=400),
    st.sampled_from([b"", b"Content-Type: multipart/mixed; boundary=x\n\n--x\n", b"From: "]),
)
def test_nothing_raises(raw: bytes, before: bytes) -> None:
    mail = read_mail(before + raw)
    mail.text("from"), mail.mailboxes("from"), [part.text for part in mail.parts]
    looks_like_mail(raw)
