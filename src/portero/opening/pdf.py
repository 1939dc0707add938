"""PDF: links, actions, forms, attached files, words, and its pages as pictures; a library decodes, limits bound it."""

from __future__ import annotations

import ctypes
import re
import zlib
from collections.abc import Iterator

import pypdfium2
import pypdfium2.raw as pdfium
from PIL import Image

from portero.core.message.content import Link
from portero.core.text import Text
from portero.opening.budget import MOST_LINKS, Budget
from portero.opening.codes import codes_of
from portero.opening.found import Found
from portero.opening.links import web_addresses

_SIDE = 1100
_URI = re.compile(rb"/URI\s*\(([^()\x00-\x20]{4,2000})\)")
_STREAM = re.compile(rb"stream\r?\n")
_INFLATED = 4 << 20


def open_pdf(octets: bytes, place: Text, budget: Budget) -> Found:
    """Open a PDF; what is encrypted or damaged is said so in its traits."""
    found = Found("pdf")
    for piece in (octets, *_inflated(octets)):
        found.traits |= _actions(piece)
        for number, url in enumerate(_URI.findall(piece)):
            if number < 200:
                found.links.append(Link(url.decode("utf-8", "replace"), place, "", "document"))
    if _swells(octets):
        found.traits.add("not-opened")
        budget.gap(Text("It unpacks to more than is opened."))
        return found
    try:
        document = pypdfium2.PdfDocument(octets)
    except pypdfium2.PdfiumError as error:
        found.traits.add("encrypted" if "password" in str(error).lower() else "damaged")
        return found
    try:
        _pages(document, found, place, budget)
    except (pypdfium2.PdfiumError, OSError, ValueError, RuntimeError, ctypes.ArgumentError):
        found.traits.add("damaged")
    finally:
        document.close()
    return found


def _actions(piece: bytes) -> set[str]:
    traits = set()
    if b"/JavaScript" in piece or re.search(rb"/JS\s*[(<\d]", piece):
        traits.add("javascript")
    if b"/Launch" in piece:
        traits.add("launch")
    if b"/EmbeddedFile" in piece:
        traits.add("embedded-file")
    if b"/SubmitForm" in piece:
        traits.add("form")
    return traits


def _swells(octets: bytes) -> bool:
    """Tell whether a stream that is no picture unpacks to more than any page needs: its drawing would not end."""
    left = _INFLATED * 2
    for number, found in enumerate(_STREAM.finditer(octets)):
        if number > 2000:
            return False
        before = octets[max(0, found.start() - 300) : found.start()]
        before = before[before.rfind(b"obj") :]
        if (
            b"FlateDecode" not in before
            or b"/Image" in before
            or b"/FontFile" in before
            or b"/Length1" in before
        ):
            continue
        try:
            left -= len(zlib.decompressobj().decompress(memoryview(octets)[found.end() :], left + 1))
        except zlib.error:
            continue
        if left <= 0:
            return True
    return False


def _inflated(octets: bytes) -> Iterator[bytes]:
    """Give the object streams inflated: there modern writers keep actions. Bounded in number and size."""
    if b"/ObjStm" not in octets:
        return
    left = _INFLATED
    for number, found in enumerate(_STREAM.finditer(octets)):
        if number > 300 or left <= 0:
            return
        before = octets[max(0, found.start() - 300) : found.start()]
        if b"/ObjStm" not in before:
            continue
        try:
            piece = zlib.decompressobj().decompress(memoryview(octets)[found.end() :], left)
        except zlib.error:
            continue
        left -= len(piece)
        yield piece


def _pages(document: pypdfium2.PdfDocument, found: Found, place: Text, budget: Budget) -> None:
    if pdfium.FPDFDoc_GetJavaScriptActionCount(document.raw) > 0:
        found.traits.add("javascript")
    words: list[str] = []
    total = len(document)
    for number in range(total):
        if budget.pages <= 0 or budget.spent:
            budget.gap(Text("It has more pages than are looked at."))
            break
        budget.pages -= 1
        page = document[number]
        where = Text("{place}, page {page}", place=place, page=number + 1)
        try:
            for url in _links(document, page):
                if len(found.links) < MOST_LINKS:
                    found.links.append(Link(url, where, "", "document"))
            text = page.get_textpage()
            said = text.get_text_range()[:20_000] if text.count_chars() else ""
            text.close()
            words.append(said)
            found.links += [Link(url, where, url, "document") for url in web_addresses(said, 50)]
            for code in _codes(page, budget):
                found.links.append(Link(code, Text("QR code, {place}", place=where), "", "code"))
        finally:
            page.close()
    found.text = "\n".join(words)


def _links(document: pypdfium2.PdfDocument, page: pypdfium2.PdfPage) -> Iterator[str]:
    at = ctypes.c_int(0)
    link = pdfium.FPDF_LINK()
    for _ in range(300):
        if not pdfium.FPDFLink_Enumerate(page.raw, at, link):
            return
        action = pdfium.FPDFLink_GetAction(link)
        if not action or pdfium.FPDFAction_GetType(action) != pdfium.PDFACTION_URI:
            continue
        length = pdfium.FPDFAction_GetURIPath(document.raw, action, None, 0)
        if 0 < length <= 8192:
            held = ctypes.create_string_buffer(length)
            pdfium.FPDFAction_GetURIPath(document.raw, action, held, length)
            yield held.value.decode("utf-8", "replace")[:4096]


def _codes(page: pypdfium2.PdfPage, budget: Budget) -> list[str]:
    width, height = page.get_size()
    side = max(width, height)
    if not 0 < side < 1e5 or budget.spent:
        return []
    scale = _SIDE / side
    if not budget.take_picture(int(width * scale) + 1, int(height * scale) + 1):
        return []
    bitmap = page.render(scale=scale, grayscale=True, may_draw_forms=False)
    image: Image.Image = bitmap.to_pil()
    codes = codes_of(image)
    bitmap.close()
    return codes
