"""Opens one mail whole: its text, its attachments, what lies inside them, and the codes in all their pictures."""

from __future__ import annotations

import bz2
import hashlib
import io
import lzma
import re
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from portero.core.mail.mime import Mail, Part, decoded, looks_like_mail, read_mail
from portero.core.message.content import Attachment, Content, Link, unique
from portero.core.text import Text
from portero.opening.budget import DEPTH, MOST_LINKS, Budget
from portero.opening.codes import codes_in
from portero.opening.drawn import drawn_in_text
from portero.opening.found import Found
from portero.opening.links import web_addresses
from portero.opening.markup import open_markup
from portero.opening.office import BROKEN, is_office, open_ole, open_ooxml
from portero.opening.outlook import SIGNATURE, is_msg, read_msg
from portero.opening.pdf import open_pdf
from portero.opening.plain_formats import open_calendar, open_svg

_MEMBER = 32 << 20
_PICTURES = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"BM", b"II*\x00", b"MM\x00*")
_PROGRAMS = frozenset(
    [
        "exe",
        "scr",
        "com",
        "pif",
        "bat",
        "cmd",
        "ps1",
        "vbs",
        "vbe",
        "js",
        "jse",
        "wsf",
        "wsh",
        "hta",
        "lnk",
        "msi",
        "jar",
        "cpl",
        "iso",
        "img",
        "vhd",
        "vhdx",
        "dll",
        "reg",
        "url",
        "xll",
        "appref-ms",
        "application",
        "msc",
        "scf",
        "one",
        "chm",
    ]
)
_ENDINGS = {
    "pdf": {"pdf"}, "docx": {"ooxml", "ole"}, "xlsx": {"ooxml", "ole"}, "pptx": {"ooxml", "ole"}, "doc": {"ole", "ooxml", "text", "html"},
    "xls": {"ole", "ooxml", "text", "html"}, "png": {"image"}, "jpg": {"image"}, "jpeg": {"image"}, "gif": {"image"},
    "txt": {"text", "other"}, "csv": {"text", "other"}, "wav": {"other"}, "mp3": {"other"},
}  # fmt: skip
_DOUBLE = re.compile(
    r"\.(?:pdf|docx?|xlsx?|pptx?|jpe?g|png|txt|wav|mp3|mp4|html?)\s*\.(?P<end>\w{1,8})\Z", re.IGNORECASE
)
REPORTED = re.compile(r"\s*(?:[123]\s*\||(?:junk|not junk|phishing)\s*:)", re.IGNORECASE)


@dataclass
class _Opening:
    """What is gathered while a mail is opened."""

    budget: Budget
    texts: list[str] = field(default_factory=list)
    hidden: list[str] = field(default_factory=list)
    inside: list[str] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    attachments: list[Attachment] = field(default_factory=list)
    traits: set[str] = field(default_factory=set)
    seen: set[str] = field(default_factory=set)
    shown: int = 0
    remote: int = 0
    calendar: bool = False


def read_letter(octets: bytes) -> Mail | None:
    """Read a message file: .msg, or mail as bytes or header text; None where it is neither."""
    if octets.startswith(SIGNATURE):
        return read_msg(octets)
    mail = read_mail(octets)
    return mail if mail.fields else None


def reported(mail: Mail) -> tuple[Mail, bytes] | None:
    """
    Give the original that a user's report carries, opened and as octets, or None where a mail is no such report.

    Of a report that is a .msg the original was written anew, so that its signatures no longer hold.

    Source: reference data-formats 10.3.
    """
    if not REPORTED.match(mail.text("subject")):
        return None
    for part in mail.parts:
        if part.content_type == "message/rfc822" or is_msg(part.octets):
            original = read_letter(part.octets)
            return None if original is None else (original, part.octets)
    return None


def open_content(mail: Mail, budget: Budget) -> Content:
    """Open a mail's content within a budget. Nothing raises, nothing is fetched, nothing is run or written."""
    held = _Opening(budget)
    _body(mail, held)
    number = 0
    for part in mail.parts:
        if part.content_type in {"text/plain", "text/html"} and not part.attached and not part.name:
            continue
        if len(held.attachments) >= budget.attachments or budget.spent:
            budget.gap(Text("It has more attachments than are opened."))
            break
        number += 1
        _attachment(part, number, held)
    if mail.cut:
        budget.gap(Text("It has more parts, or deeper ones, than are opened."))
    if budget.octets < 0:
        budget.gap(Text("It unpacks to more than is opened."))
    if len(held.links) >= MOST_LINKS:
        budget.gap(Text("It has more links than are looked at."))
    text = "\n".join(held.texts)
    traits = held.traits
    if held.shown and len(text.split()) < 12:
        traits.add("pictures-only")
    return Content(
        text=text[:100_000],
        hidden=" ".join(held.hidden)[:50_000],
        inside="\n".join(held.inside)[:50_000],
        links=unique(held.links, MOST_LINKS),
        attachments=tuple(held.attachments),
        traits=frozenset(traits),
        pictures=held.shown,
        remote_pictures=held.remote,
        calendar=held.calendar,
        gaps=tuple(budget.gaps),
    )


def _body(mail: Mail, held: _Opening) -> None:
    """Open the text a reader sees: HTML where there is any; the plain twin then counts as hidden where it differs."""
    place = Text("text")
    texts = [
        part
        for part in mail.parts
        if part.content_type in {"text/plain", "text/html"} and not part.attached and not part.name
    ]
    pages = [part for part in texts if part.content_type == "text/html"]
    for part in pages[:20]:
        if held.budget.spent:
            return
        held.traits.add("html")
        _take_body(open_markup(part.text, place, held.budget, attached=False), held)
    for part in [part for part in texts if part.content_type == "text/plain"][:20]:
        text = part.text
        if not pages and re.search(r"<(?:html|body|table|a\s+href)\b", text[:5000], re.IGNORECASE):
            held.traits.add("html")
            _take_body(open_markup(text, place, held.budget, attached=False), held)
            continue
        links = [Link(url, place, url) for url in web_addresses(text, MOST_LINKS)]
        if pages:
            known = {each.url for each in held.links}
            held.links += [each for each in links if each.url in known]
            continue
        held.texts.append(text)
        held.links += links
        grid = drawn_in_text(text)
        if grid is not None:
            _codes([(grid.picture(), Text("drawn with letters, {place}", place=place))], held, drawn=True)


def _take_body(found: Found, held: _Opening) -> None:
    held.texts.append(found.text)
    held.hidden.append(found.hidden)
    held.links += found.links
    held.shown += found.shown
    held.remote += found.remote
    held.traits |= found.traits & {"form", "password-field", "script"}
    if len(found.hidden) > 400:
        held.traits.add("hidden-text")
    _codes(found.pictures, held, drawn="drawn-grid" in found.traits)


def _codes(pictures: list[tuple[bytes, Text]], held: _Opening, *, drawn: bool = False) -> None:
    for octets, place in pictures:
        digest = hashlib.sha256(octets).hexdigest()
        if digest in held.seen:
            continue
        held.seen.add(digest)
        for code in codes_in(octets, held.budget):
            where = Text("QR code, {place}", place=place)
            held.links.append(Link(_dialled(code), where, "", "code"))
            held.inside.append(code)
            if drawn and place.template.startswith("drawn"):
                held.traits.add("drawn-code")


def _dialled(code: str) -> str:
    """Give a code's text as the address a telephone opens; one without a scheme that looks like a host gets one."""
    text = code.strip()
    if re.match(r"(?:[\w-]+\.)+[a-z]{2,24}(?:/|\Z)", text, re.IGNORECASE):
        return f"https://{text}"
    return text


def _attachment(part: Part, number: int, held: _Opening) -> None:
    place = Text("attachment {number}", number=number)
    _open(part.name, part.content_type, part.octets, place, number, 0, held)


def _open(
    name: str, content_type: str, octets: bytes, place: Text, number: int, depth: int, held: _Opening
) -> None:
    kind = kind_of(octets, content_type, name)
    found = Found(kind)
    opener = _OPENERS.get(kind)
    if held.budget.spent or depth > DEPTH:
        found.traits.add("not-opened")
        held.budget.gap(Text("Containers lie deeper in one another than are opened."))
    elif opener is not None:
        found = opener(octets, place, held.budget)
    elif kind == "image":
        found.pictures.append((octets, place))
    elif kind == "text":
        text = decoded(octets[: 1 << 20], "utf-8")
        found.text = text[:20_000]
        found.links += [Link(url, place, url, "document") for url in web_addresses(text, 200)]
    found.kind = kind
    if _disguised(name, kind):
        found.traits.add("misnamed")
    if name.lower().rpartition(".")[2] in _PROGRAMS or kind == "program":
        found.traits.add("program")
    held.inside.append(found.text)
    held.links += found.links
    held.calendar = held.calendar or kind == "calendar"
    _codes(found.pictures, held)
    if depth == 0 or found.traits or kind not in {"other", "text"}:
        held.attachments.append(
            Attachment(
                number,
                name,
                content_type,
                kind,
                len(octets),
                hashlib.sha256(octets).hexdigest(),
                frozenset(found.traits),
            )
        )
    for inner, inner_type, content in found.inner:
        if len(held.attachments) >= held.budget.attachments or held.budget.spent:
            break
        _open(
            inner,
            inner_type,
            content,
            Text("{name} in {place}", name=inner or "—", place=place),
            number,
            depth + 1,
            held,
        )


def _disguised(name: str, kind: str) -> bool:
    double = _DOUBLE.search(name)
    if double and double["end"].lower() in _PROGRAMS | {"html", "htm", "shtml", "svg", "zip", "xhtml", "mht"}:
        return True
    if any(sign in name for sign in "\u202e\u202d\u2066\u2067"):
        return True
    allowed = _ENDINGS.get(name.lower().rpartition(".")[2]) if "." in name else None
    return (
        allowed is not None
        and kind not in allowed
        and kind in {"html", "svg", "program", "zip", "mail", "ole"}
    )


def kind_of(octets: bytes, content_type: str, name: str) -> str:
    """Tell what content is by its first octets; what is text and says no more, by its declared type and name."""
    head = octets[:1024].lstrip(b"\xef\xbb\xbf \t\r\n")
    lower = head[:512].lower()
    ending = name.lower().rpartition(".")[2]
    if b"%PDF-" in octets[:1024]:
        return "pdf"
    if octets.startswith(b"PK\x03\x04"):
        return "zip"
    if octets.startswith(SIGNATURE):
        return "mail" if is_msg(octets) else "ole"
    if octets.startswith((b"MZ", b"\x7fELF", b"L\x00\x00\x00\x01\x14\x02\x00")):
        return "program"
    if octets.startswith(_PICTURES) or octets[8:12] == b"WEBP" or octets[4:12] == b"ftypavif":
        return "image"
    if octets.startswith(
        (b"\x1f\x8b\x08", b"Rar!", b"7z\xbc\xaf\x27\x1c", b"BZh", b"\xfd7zXZ")
    ) or ending in {"tar", "tgz"}:
        return "archive"
    if content_type == "message/rfc822" or (ending == "eml" and looks_like_mail(octets[:65536])):
        return "mail"
    if lower.startswith(b"begin:vcalendar") or content_type == "text/calendar":
        return "calendar"
    if b"<svg" in lower or (ending == "svg" and b"<" in lower):
        return "svg"
    if (
        lower.startswith((b"<!doctype html", b"<html", b"<head", b"<body", b"<script"))
        or content_type in {"text/html", "application/xhtml+xml"}
        or ending in {"html", "htm", "shtml", "xhtml", "mht", "mhtml"}
    ):
        return "html"
    if lower.startswith(b"{\\rtf"):
        return "text"
    if content_type.startswith("text/") or (
        head and b"\x00" not in head and ending in {"txt", "csv", "log", "xml", "json", "md", "rtf"}
    ):
        return "text"
    return "other"


def _markup(octets: bytes, place: Text, budget: Budget) -> Found:
    charset = re.search(rb"charset\s*=\s*[\"']?([\w-]{1,40})", octets[:2000], re.IGNORECASE)
    text = decoded(octets[: 4 << 20], charset[1].decode("ascii") if charset else "utf-8")
    return open_markup(text, place, budget, attached=True)


def _zip(octets: bytes, place: Text, budget: Budget) -> Found:
    found = Found("zip")
    try:
        with zipfile.ZipFile(io.BytesIO(octets)) as archive:
            if is_office(archive.namelist()):
                return open_ooxml(archive, place, budget)
            for member in archive.infolist():
                if member.is_dir():
                    continue
                if budget.members <= 0:
                    budget.gap(Text("It holds more files than are opened."))
                    break
                budget.members -= 1
                if member.flag_bits & 1:
                    found.traits.add("encrypted")
                    if member.filename.lower().rpartition(".")[2] in _PROGRAMS:
                        found.traits.add("program")
                    continue
                octets_of = _unpacked(archive, member, budget)
                if octets_of is not None:
                    found.inner.append((member.filename.rpartition("/")[2], "", octets_of))
    except BROKEN:
        found.traits.add("damaged")
    return found


def _unpacked(archive: zipfile.ZipFile, member: zipfile.ZipInfo, budget: Budget) -> bytes | None:
    with archive.open(member) as stream:
        octets = stream.read(min(_MEMBER, budget.octets) + 1)
    if len(octets) > _MEMBER or not budget.take_octets(len(octets)):
        budget.gap(Text("It unpacks to more than is opened."))
        return None
    return octets


def _archive(octets: bytes, place: Text, budget: Budget) -> Found:
    found = Found("archive")
    try:
        octets = _inflated(octets, budget)
        if len(octets) > 262 and octets[257:262] == b"ustar":
            found.inner += [(name, "", content) for name, content in _tar(octets, budget)]
        elif not octets.startswith((b"Rar!", b"7z\xbc\xaf")):
            found.inner.append(("", "", octets))
        else:
            found.traits.add("not-opened")
            budget.gap(Text("An archive of a kind that is not opened: {place}.", place=place))
    except (*BROKEN, tarfile.TarError, lzma.LZMAError):
        found.traits.add("damaged")
    return found


def _inflated(octets: bytes, budget: Budget) -> bytes:
    """Undo gzip, bzip2 or xz as far as the budget goes; anything else stays as it is."""
    most = max(1, min(_MEMBER, budget.octets))
    if octets.startswith(b"\x1f\x8b\x08"):
        gunzip = zlib.decompressobj(wbits=31)
        found, whole = gunzip.decompress(octets, most), gunzip.eof
    elif octets.startswith(b"BZh"):
        bunzip = bz2.BZ2Decompressor()
        found, whole = bunzip.decompress(octets, most), bunzip.eof
    elif octets.startswith(b"\xfd7zXZ"):
        unxz = lzma.LZMADecompressor(memlimit=_MEMBER * 4)
        found, whole = unxz.decompress(octets, most), unxz.eof
    else:
        return octets
    if not whole:
        budget.gap(Text("It unpacks to more than is opened."))
    budget.octets -= len(found)
    return found


def _tar(octets: bytes, budget: Budget) -> Iterator[tuple[str, bytes]]:
    with tarfile.open(fileobj=io.BytesIO(octets), mode="r:") as archive:
        for member in archive:
            if not member.isfile():
                continue
            if budget.members <= 0:
                budget.gap(Text("It holds more files than are opened."))
                return
            if not budget.take_octets(member.size):
                return
            budget.members -= 1
            stream = archive.extractfile(member)
            if stream is not None:
                yield member.name.rpartition("/")[2], stream.read(_MEMBER)


def _mail(octets: bytes, place: Text, budget: Budget) -> Found:
    """Open an attached mail: its words and links count as the attachment's, its own attachments are opened in turn."""
    found = Found("mail")
    mail = read_letter(octets)
    if mail is None:
        found.traits.add("damaged")
        return found
    words = [mail.text("subject")]
    for part in mail.parts[:100]:
        if budget.spent:
            break
        if part.content_type == "text/html" and not part.attached:
            inner = open_markup(part.text, place, budget, attached=False)
            words.append(inner.text)
            found.links += [
                Link(each.url, place, each.words, "document" if each.kind == "link" else each.kind)
                for each in inner.links
            ]
            found.pictures += inner.pictures
        elif part.content_type == "text/plain" and not part.attached:
            words.append(part.text[:20_000])
            found.links += [Link(url, place, url, "document") for url in web_addresses(part.text, 200)]
        else:
            found.inner.append((part.name, part.content_type, part.octets))
    found.text = "\n".join(words)
    return found


_OPENERS: dict[str, Callable[[bytes, Text, Budget], Found]] = {
    "pdf": open_pdf,
    "zip": _zip,
    "archive": _archive,
    "ole": open_ole,
    "svg": open_svg,
    "calendar": open_calendar,
    "html": _markup,
    "mail": _mail,
}
