"""Office documents, old and new: links, templates from elsewhere, macros seen, words and pictures. Nothing is run."""

from __future__ import annotations

import html
import io
import re
import zipfile
import zlib

import olefile

from portero.core.message.content import Link
from portero.core.text import Text
from portero.opening.budget import MOST_LINKS, MOST_PICTURES, Budget
from portero.opening.found import Found
from portero.opening.links import web_addresses

BROKEN = (
    OSError,
    EOFError,
    zlib.error,
    zipfile.BadZipFile,
    NotImplementedError,
    RuntimeError,
    ValueError,
    KeyError,
    IndexError,
)
_MOST_PART = 4 << 20
_RELATION = re.compile(r"<Relationship\b([^>]{0,6000})>", re.IGNORECASE)
_FIELD = re.compile(r"HYPERLINK\s+(?:&quot;|\")([^\"&]{4,2000})", re.IGNORECASE)
_WORDS = re.compile(r"<(?:w:t|a:t|t|text:p|text:span)(?:\s[^>]{0,200})?>([^<]{1,4000})<")
_ATTRIBUTE = re.compile(r"([A-Za-z:]{1,30})\s*=\s*\"([^\"]{0,4096})\"")
_PICTURE = re.compile(r"\.(?:png|jpe?g|gif|bmp|tiff?|webp)\Z", re.IGNORECASE)
_TEXTS = re.compile(
    r"(?:word/(?:document|header\d*|footer\d*)|xl/sharedStrings|ppt/slides/slide\d{1,3}|content)\.xml\Z"
)


def is_office(names: list[str]) -> bool:
    """Tell whether a zip's members make it a document of Office or OpenDocument."""
    return "[Content_Types].xml" in names or ("content.xml" in names and "mimetype" in names)


def open_ooxml(archive: zipfile.ZipFile, place: Text, budget: Budget) -> Found:
    """Open a document that is a zip. XML is searched, not parsed, so no entity can grow."""
    found = Found("ooxml")
    words: list[str] = []
    for member in archive.infolist()[:2000]:
        name = member.filename
        lower = name.lower()
        if budget.spent:
            break
        if lower.endswith("vbaproject.bin") or lower.startswith(("basic/", "macros/")):
            found.traits.add("macro")
        if "/embeddings/" in lower or lower.endswith((".bin", ".ole")):
            found.traits.add("embedded-file") if "/embeddings/" in lower else None
            continue
        picture = bool(_PICTURE.search(lower))
        if not (picture or lower.endswith(".rels") or _TEXTS.search(name)):
            continue
        octets = _member(archive, member, budget)
        if octets is None:
            continue
        if picture:
            found.pictures.append((octets, Text("picture, {place}", place=place)))
            continue
        text = octets.decode("utf-8", "replace")
        if lower.endswith(".rels"):
            _relations(text, found, place)
            continue
        words += [html.unescape(each) for each in _WORDS.findall(text)[:20_000]]
        for url in _FIELD.findall(text)[:200]:
            found.links.append(Link(html.unescape(url), place, "", "document"))
    found.text = " ".join(words)[:50_000]
    found.links += [Link(url, place, url, "document") for url in web_addresses(found.text, 100)]
    return found


def _member(archive: zipfile.ZipFile, member: zipfile.ZipInfo, budget: Budget) -> bytes | None:
    if member.flag_bits & 1 or not budget.take_octets(min(member.file_size, _MOST_PART)):
        return None
    try:
        with archive.open(member) as stream:
            return stream.read(_MOST_PART)
    except BROKEN:
        return None


def _relations(text: str, found: Found, place: Text) -> None:
    for each in _RELATION.findall(text)[:MOST_LINKS]:
        held = {name.lower(): html.unescape(value) for name, value in _ATTRIBUTE.findall(each)}
        if held.get("targetmode", "").lower() != "external":
            continue
        target, kind = held.get("target", ""), held.get("type", "").rpartition("/")[2].lower()
        if kind in {"attachedtemplate", "oleobject", "frame", "subdocument"} and target.lower().startswith(
            ("http", "\\\\", "ftp", "mhtml")
        ):
            found.traits.add("external-template")
        if target:
            found.links.append(Link(target[:4096], place, "", "image" if kind == "image" else "document"))


def open_ole(octets: bytes, place: Text, budget: Budget) -> Found:
    """Open a document of old Office: a compound file. Source: MS-CFB; MS-OVBA 2.2."""
    found = Found("ole")
    try:
        with olefile.OleFileIO(io.BytesIO(octets)) as held:
            names = ["/".join(each).lower() for each in held.listdir()[:2000]]
            if any("encryptedpackage" in name for name in names):
                found.traits.add("encrypted")
            if any("vba" in name.split("/") or "_vba_project" in name for name in names):
                found.traits.add("macro")
            if any("ole10native" in name for name in names):
                found.traits.add("embedded-file")
            _carve(held, found, place, budget)
    except (*BROKEN, AttributeError, TypeError, RecursionError, MemoryError):
        found.traits.add("damaged")
    text = octets[:_MOST_PART].decode("latin-1")
    wide = octets[:_MOST_PART].decode("utf-16-le", "ignore")
    for source in (text, wide):
        if not budget.spent:
            found.links += [
                Link(url, place, "", "document") for url in web_addresses(source, 100) if _plausible(url)
            ]
    return found


def _carve(held: olefile.OleFileIO, found: Found, place: Text, budget: Budget) -> None:
    """
    Find the pictures in the streams where Word, Excel and PowerPoint keep them as they were.

    Source: MS-ODRAW 2.2.27 and 2.2.28: a record's head, one or two digests, a tag, and the file as it was.
    """
    for entry in held.listdir()[:2000]:
        if entry[-1] not in {"Data", "Pictures", "Workbook", "WordDocument"}:
            continue
        if budget.spent or not budget.take_octets(held.get_size(entry)):
            return
        octets = held.openstream(entry).read()
        for record in _BLIP.finditer(octets):
            length = int.from_bytes(record[1], "little")
            start = _FRONT.search(octets, record.end(), record.end() + 48)
            if start is None or length > _MOST_PART:
                continue
            if len(found.pictures) >= MOST_PICTURES or not budget.take_octets(length):
                return
            picture = octets[start.start() : record.end() + length]
            found.pictures.append((picture, Text("picture, {place}", place=place)))


# recType of OfficeArtBlipJPEG, OfficeArtBlipPNG and the second of JPEG, then recLen.
_BLIP = re.compile(rb"[\x1d\x1e\x2a]\xf0(.{4})", re.DOTALL)
_FRONT = re.compile(rb"\x89PNG\r\n\x1a\n|\xff\xd8\xff")


def _plausible(url: str) -> bool:
    return url.isascii() and "schemas." not in url and "w3.org" not in url and "purl.org" not in url
