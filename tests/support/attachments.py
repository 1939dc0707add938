"""One small, sound file of every kind that is opened, each leading to the same address."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile

from PIL import Image

from support.compound import compound, outlook, outlook_report
from support.letters import body, file_part, pdf, qr, text_part

TARGET = "https://login.example/qr?u=1"


def zipped(**members: bytes) -> bytes:
    """Give a zip; two underscores in a name stand for a slash."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, octets in members.items():
            archive.writestr(name.replace("__", "/"), octets)
    return out.getvalue()


def tarred(name: str, octets: bytes) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        held = tarfile.TarInfo(name)
        held.size = len(octets)
        archive.addfile(held, io.BytesIO(octets))
    return out.getvalue()


def picture(kind: str) -> bytes:
    """Give the code as a picture file of a kind that Pillow writes."""
    out = io.BytesIO()
    Image.open(io.BytesIO(qr(TARGET))).convert("L").save(out, kind)
    return out.getvalue()


def old_word(octets: bytes) -> bytes:
    """Give a Word document of 1997 with macros and a PNG. Source: MS-ODRAW 2.2.28."""
    blip = b"\xa0\x46\x1e\xf0" + (17 + len(octets)).to_bytes(4, "little") + bytes(16) + b"\xff" + octets
    return compound(
        {"WordDocument": b"\xec\xa5", "Data": b"\0" * 100 + blip, "Macros/VBA/ThisDocument": b"Attribute"}
    )


def letter(*parts: str) -> bytes:
    return b"From: c@d.example\r\nSubject: Inner\r\n" + body(text_part("Look."), *parts).encode()


HEAD = "From: c@d.example\r\nTo: ana@contoso.com\r\nSubject: Original\r\n\r\n"
# By the file's name; all but the last few hold the code of TARGET, the others a link to it.
CODES = {
    "a.png": picture("PNG"),
    "a.jpg": picture("JPEG"),
    "a.gif": picture("GIF"),
    "a.bmp": picture("BMP"),
    "a.tiff": picture("TIFF"),
    "a.webp": picture("WEBP"),
    "a.pdf": pdf(qr(TARGET)),
    "a.docx": zipped(**{"[Content_Types].xml": b"<x/>", "word__media__image1.png": qr(TARGET)}),
    "a.doc": old_word(qr(TARGET)),
    "a.zip": zipped(inner__a=qr(TARGET)),
    "a.tar.gz": tarred("a.png", qr(TARGET)),
    "a.eml": letter(file_part("a.png", "image/png", qr(TARGET))),
    "a.msg": outlook(HEAD, "Look.", **{"a.pdf": pdf(qr(TARGET))}),
    "b.msg": outlook_report(HEAD, "Look.", **{"a.png": qr(TARGET)}),
}
_PAGE = (
    f'<html><body style="color:#000"><a href="{TARGET}">Open</a><script>atob("eA==")</script></body></html>'
)
LINKS = {
    "a.svg": f'<svg xmlns="http://www.w3.org/2000/svg"><a href="{TARGET}"><text>Open</text></a></svg>'.encode(),
    "a.html": _PAGE.encode(),
    "a.ics": f"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nSUMMARY:Call\r\nDESCRIPTION:Join {TARGET}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n".encode(),
    "a.rtf": f"{{\\rtf1 Open {TARGET} }}".encode(),
    "a.xlsx": zipped(
        **{
            "[Content_Types].xml": b"<x/>",
            "xl__worksheets___rels__sheet1.xml.rels": f'<Relationship Type="http://x/hyperlink" Target="{TARGET}" TargetMode="External"/>'.encode(),
        }
    ),
    "a.gz": gzip.compress(_PAGE.encode()),
    "a.bz2": bz2.compress(_PAGE.encode()),
    "a.xz": lzma.compress(_PAGE.encode()),
}
FILES = CODES | LINKS
