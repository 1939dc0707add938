"""A mail's bytes as header fields and parts, opened within bounds; nothing raises, whatever the bytes are."""

from __future__ import annotations

import binascii
import html
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from urllib.parse import unquote_to_bytes

# Parts beyond these are named as not opened. Real mail stays far below; hostile mail nests a thousand.
MAX_PARTS = 400
MAX_DEPTH = 12
# Fields beyond these are not read, and of a field no more than this is kept.
MAX_FIELDS = 2000
MAX_VALUE = 65536
MAX_HEADER = 1 << 20

_NAME = re.compile(rb"[!-9;-~]{1,200}[ \t]*:")
_BREAK = re.compile(rb"\r\n|\n|\r")
_WORD = re.compile(r"=\?([\w.:+-]{1,40})(?:\*[\w-]*)?\?([bqBQ])\?([^?]{0,4096})\?=", re.ASCII)
_BETWEEN = re.compile(r"(=\?[\w.:+*-]{1,60}\?[bqBQ]\?[^?]{0,4096}\?=)\s+(?==\?)", re.ASCII)
_PARAMETER = re.compile(
    r";\s*([!#$%&'*+.^_`{|}~\w-]{1,64})\s*=\s*(\"(?:[^\"\\]|\\.){0,2048}\"?|[^;\s]{0,2048})", re.ASCII
)
_TYPE = re.compile(r"\s*([a-z0-9.+_-]{1,64}/[a-z0-9.+_-]{1,127})", re.IGNORECASE)
_SPACE = re.compile(r"[\r\n\t ]+")
_BASE64 = re.compile(rb"[^A-Za-z0-9+/]+")
_ANGLE = re.compile(r"<\s*([^<>]*?)\s*>")
_BARE = re.compile(r"[^\s<>()\[\],;:\"]+@[^\s<>()\[\],;:\"]+")


@dataclass(frozen=True, slots=True)
class Part:
    """
    A leaf of a mail's tree, decoded.

    place:         1-based numbers of its ancestors and itself, ``2.1``; ``1`` for a mail that is one part.
    content_type:  lower case, ``text/plain`` where the mail names none.
    name:          file name, decoded; ``""`` for none.
    attached:      whether Content-Disposition says attachment.
    octets:        content with its transfer encoding undone as far as it is sound.
    """

    place: str
    content_type: str
    octets: bytes
    charset: str = ""
    name: str = ""
    attached: bool = False
    content_id: str = ""

    @property
    def text(self) -> str:
        """Give the content as text by its charset, what cannot be decoded replaced."""
        return decoded(self.octets, self.charset)


@dataclass(frozen=True, slots=True)
class Mailbox:
    """One address of an address field: the words beside it, decoded, and ``local@domain`` or ``""``."""

    name: str
    address: str


@dataclass(frozen=True, slots=True)
class Mail:
    """
    A mail that was opened.

    fields:     header fields in their order, (name, value); values unfolded and not decoded.
    parts:      the leaves, also those inside multiparts; an attached mail is one leaf of type ``message/rfc822``.
    cut:        whether some parts were not opened because there are too many or they lie too deep.
    fields_cut: whether fields beyond the bound were not read.
    has_body:   False for header text alone.
    """

    fields: tuple[tuple[str, str], ...]
    parts: tuple[Part, ...] = ()
    cut: bool = False
    has_body: bool = True
    fields_cut: bool = False
    _index: dict[str, list[str]] = field(default_factory=dict, repr=False, compare=False)

    def all(self, name: str) -> list[str]:
        """Give the values of all fields of a name, newest first, undecoded."""
        if not self._index:
            for held, value in self.fields:
                self._index.setdefault(held.lower(), []).append(value)
        return self._index.get(name.lower(), [])

    def first(self, name: str) -> str | None:
        """Give the first value of a field, undecoded; None where the field is not there."""
        return next(iter(self.all(name)), None)

    def text(self, name: str) -> str:
        """Give the first value of a field with encoded words decoded, ``""`` where it is not there."""
        return decode_words(self.first(name) or "")

    def mailboxes(self, name: str) -> tuple[Mailbox, ...]:
        """Give the mailboxes of all address fields of a name."""
        return tuple(box for value in self.all(name) for box in mailboxes(value))


def read_mail(
    raw: bytes, *, most_parts: int = MAX_PARTS, deepest: int = MAX_DEPTH, most_fields: int = MAX_FIELDS
) -> Mail:
    """
    Open a mail from its bytes: CRLF, LF or bare CR, a byte-order mark, an mbox ``From `` line and blank lines before it.

    Header text whose folded lines lost their blanks, as it is pasted, is read too: a line that opens no field continues
    the one above. Source: RFC 5322 section 2; RFC 2045 to 2047; reference data-formats 10.1.
    """
    raw = _utf8(raw).lstrip(b"\r\n\t ")
    if b"\n" not in raw[:MAX_HEADER]:
        raw = raw.replace(b"\r", b"\n")
    if raw.startswith((b"From ", b">From ")) and not raw.startswith(b"From :"):
        raw = raw.partition(b"\n")[2]
    fields, at = read_fields(raw, most_fields + 1)
    fields, fields_cut = fields[:most_fields], len(fields) > most_fields
    body = raw[at:]
    if not body.strip():
        return Mail(fields, has_body=False, fields_cut=fields_cut)
    opened = _Opened(most_parts, deepest)
    _open(fields, body, "", 0, opened)
    return Mail(fields, tuple(opened.parts), opened.cut, fields_cut=fields_cut)


def looks_like_mail(head: bytes) -> bool:
    """
    Tell whether bytes begin as a mail does: some well-formed fields, and among them one that only mail has.

    head:  the first 64 KiB.
    """
    text = _utf8(head[:65536]).lstrip(b"\r\n\t ")
    if not text or text[:1] in b"{[<\x00" or b"\x00" in text[:512]:
        return False
    if text.startswith((b"From ", b">From ")):
        text = _BREAK.split(text, maxsplit=1)[-1]
    fields, _ = read_fields(text if b"\n" in text else text.replace(b"\r", b"\n"))
    names = {name.lower() for name, _ in fields}
    first = _BREAK.split(text, maxsplit=1)[0]
    if not _NAME.match(first):
        return False
    return len(names & _OF_MAIL) >= 2 or bool(
        names & {"received", "authentication-results"} and len(names) > 1
    )


_OF_MAIL = frozenset(
    [
        "from",
        "to",
        "subject",
        "date",
        "message-id",
        "received",
        "return-path",
        "mime-version",
        "content-type",
        "delivered-to",
        "reply-to",
        "sender",
        "authentication-results",
        "dkim-signature",
        "arc-seal",
        "received-spf",
        "x-ms-exchange-organization-authas",
    ]
)


def read_fields(raw: bytes, most: int = MAX_FIELDS) -> tuple[tuple[tuple[str, str], ...], int]:
    """Read header fields from the front of bytes; gives them and where the body begins. Source: RFC 5322 section 2.2."""
    fields: list[tuple[str, list[bytes]]] = []
    at, end = 0, min(len(raw), MAX_HEADER)
    while at < end:
        stop = raw.find(b"\n", at, end)
        stop = end if stop < 0 else stop
        line = raw[at:stop].rstrip(b"\r")
        following = stop + 1
        if not line.strip():
            # Pasted headers have blank lines between them; a body does not go on with fields.
            if line and fields and _NAME.match(raw[following : following + 256].lstrip(b"\r\n")):
                at = following
                continue
            return _joined(fields), min(following, len(raw))
        found = _NAME.match(line)
        if line[:1] in b" \t" and fields:
            _more(fields, line)
        elif found and len(fields) < most:
            fields.append((found.group()[:-1].strip().decode("ascii"), [line[found.end() :]]))
        elif fields and not found:
            if _foreign(fields, line):
                return _joined(fields), at
            _more(fields, line)
        elif not fields:
            return (), 0
        at = following
    return _joined(fields), min(at, len(raw))


def _more(fields: list[tuple[str, list[bytes]]], line: bytes) -> None:
    pieces = fields[-1][1]
    if len(pieces) < 2000:
        pieces.append(line)


def _foreign(fields: list[tuple[str, list[bytes]]], line: bytes) -> bool:
    """Tell whether a line that neither opens nor folds a field is a body whose blank line was lost: a MIME boundary."""
    return line.startswith(b"--") and any(name.lower() == "content-type" for name, _ in fields)


def _joined(fields: list[tuple[str, list[bytes]]]) -> tuple[tuple[str, str], ...]:
    return tuple((name, _value(b" ".join(each.strip() for each in pieces))) for name, pieces in fields)


def _value(raw: bytes) -> str:
    raw = raw[:MAX_VALUE].strip()
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
    return html.unescape(text) if text.startswith(("&lt;", "&quot;")) else text


def _utf8(raw: bytes) -> bytes:
    """Give bytes that may carry a byte-order mark in the form whose ASCII can be read byte by byte."""
    if raw.startswith(b"\xef\xbb\xbf"):
        return raw[3:]
    for mark, name in ((b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be")):
        if raw.startswith(mark):
            return raw[2:].decode(name, "replace").encode("utf-8")
    return raw


class _Opened:
    def __init__(self, most: int, deepest: int) -> None:
        self.most, self.deepest = most, deepest
        self.parts: list[Part] = []
        self.cut = False
        self.boundaries: list[bytes] = []


def _open(fields: Iterable[tuple[str, str]], body: bytes, place: str, depth: int, opened: _Opened) -> None:
    held: dict[str, str] = {}
    for name, value in fields:
        held.setdefault(name.lower(), value)
    kind, parameters = content_type(held.get("content-type", ""))
    boundary = parameters.get("boundary", "").encode("utf-8", "replace")
    if kind.startswith("multipart/") and boundary:
        if depth >= opened.deepest:
            opened.cut = True
            return
        for number, piece in enumerate(_pieces(body, boundary), 1):
            if len(opened.parts) >= opened.most:
                opened.cut = True
                return
            inner, at = read_fields(piece) if _NAME.match(piece) else ((), _leading(piece))
            _open(inner, piece[at:], f"{place}.{number}" if place else str(number), depth + 1, opened)
        return
    disposition, said = content_type(f"x/{held.get('content-disposition', '')}")
    name = said.get("filename") or parameters.get("name") or ""
    opened.parts.append(
        Part(
            place=place or "1",
            content_type=kind or "text/plain",
            octets=untransferred(body, held.get("content-transfer-encoding", "")),
            charset=parameters.get("charset", ""),
            name=_SPACE.sub(" ", name.replace("\x00", "")).strip()[:255],
            attached=disposition == "x/attachment",
            content_id=held.get("content-id", "").strip("<> "),
        )
    )


def _leading(piece: bytes) -> int:
    found = re.match(rb"[ \t]*\r?\n", piece)
    return found.end() if found else 0


def _pieces(body: bytes, boundary: bytes) -> Iterator[bytes]:
    """Cut a multipart's body at its boundary lines, the preamble and epilogue left out. Source: RFC 2046 section 5.1."""
    mark = b"--" + boundary
    start: int | None = None
    at = 0
    while (found := body.find(mark, at)) >= 0:
        at = found + len(mark)
        if found and body[found - 1 : found] not in (b"\n", b"\r"):
            continue
        rest = body[at : at + 2]
        closing = rest == b"--"
        if not closing and rest[:1] not in (b"\r", b"\n", b" ", b"\t", b""):
            continue  # a longer boundary that begins like this one
        if start is not None:
            yield body[start:found].removesuffix(b"\n").removesuffix(b"\r")
        if closing:
            return
        line = body.find(b"\n", at)
        if line < 0:
            return
        start = at = line + 1
    if start is not None:
        yield body[start:]
    elif body.strip():
        yield b"\n" + body  # The boundary never comes: what is there is shown as text by many programs.


def untransferred(body: bytes, encoding: str) -> bytes:
    """Undo a transfer encoding as far as it is sound. Source: RFC 2045 section 6; uuencode as old programs write it."""
    word = encoding.strip().lower().strip("\"'")
    if word == "base64":
        return base64_octets(body)
    if word == "quoted-printable":
        return binascii.a2b_qp(body)
    if word in {"x-uuencode", "uuencode", "x-uue"}:
        return _uudecoded(body)
    return body


def base64_octets(text: bytes) -> bytes:
    """Decode base64 that may hold anything between its signs and be cut anywhere."""
    clean = _BASE64.sub(b"", text)
    clean = clean[: len(clean) - 1] if len(clean) % 4 == 1 else clean
    try:
        return binascii.a2b_base64(clean + b"=" * (-len(clean) % 4))
    except (binascii.Error, ValueError):
        return b""


def _uudecoded(body: bytes) -> bytes:
    lines = body.splitlines()
    start = next((number for number, line in enumerate(lines) if line.startswith(b"begin ")), None)
    if start is None:
        return body
    found = bytearray()
    for line in lines[start + 1 :]:
        if line.strip() in (b"end", b"`"):
            break
        try:
            found += binascii.a2b_uu(line)
        except binascii.Error:
            # Some encoders write too long a last line; what its length counts is sound.
            octets = (((line[0] - 32) & 63) * 4 + 5) // 3 if line else 0
            try:
                found += binascii.a2b_uu(line[:octets])
            except binascii.Error:
                break
    return bytes(found)


def content_type(value: str) -> tuple[str, dict[str, str]]:
    """
    Read a Content-Type, or a disposition written ``x/attachment; …``: the type in lower case, and its parameters decoded.

    Source: RFC 2045 section 5.1; RFC 2231 sections 3 and 4; names in encoded words too, as many programs write them.
    """
    found = _TYPE.match(value)
    kind = found[1].lower() if found else ""
    parameters: dict[str, str] = {}
    pieces: dict[str, list[tuple[int, str, bool]]] = {}
    for name, text in _PARAMETER.findall(value[:16384]):
        name = name.lower()
        plain = re.sub(r"\\(.)", r"\1", text[1:].removesuffix('"')) if text.startswith('"') else text
        if "*" not in name:
            parameters.setdefault(name, decode_words(plain))
            continue
        base, _, rest = name.partition("*")
        number = rest.rstrip("*")
        pieces.setdefault(base, []).append(
            (
                int(number) if number.isdecimal() and len(number) < 5 else 0,
                plain,
                rest.endswith("*") or not rest,
            )
        )
    for base, held in pieces.items():
        parameters[base] = _continued(held)
    return kind, parameters


def _continued(held: list[tuple[int, str, bool]]) -> str:
    held = sorted(held, key=lambda piece: piece[0])
    charset = ""
    octets = b""
    for number, (_, text, extended) in enumerate(held):
        if extended and number == 0 and text.count("'") >= 2:
            charset, _, text = text.split("'", 2)
        octets += unquote_to_bytes(text) if extended else text.encode("utf-8", "replace")
    return decoded(octets, charset or "utf-8")


def decode_words(value: str) -> str:
    """Decode encoded words in a header value; what is broken stays as written. Source: RFC 2047; RFC 2231 section 5."""
    if "=?" not in value:
        return value
    joined = value
    for _ in range(2):  # neighbours overlap, so one pass leaves every second blank
        joined = _BETWEEN.sub(r"\1", joined)
    runs: list[tuple[str, bytes]] = []
    out: list[str] = []
    at = 0
    for found in _WORD.finditer(joined):
        between = joined[at : found.start()]
        charset = found[1].lower()
        octets = base64_octets(found[3].encode("ascii", "replace")) if found[2] in "bB" else _q(found[3])
        if not between and runs and runs[-1][0] == charset:
            # One sign may be cut between two words, against the RFC and often.
            runs[-1] = (charset, runs[-1][1] + octets)
        else:
            out += [decoded(held, name) for name, held in runs] + [between]
            runs = [(charset, octets)]
        at = found.end()
    out += [decoded(held, name) for name, held in runs]
    return "".join(out) + joined[at:]


def _q(text: str) -> bytes:
    return binascii.a2b_qp(text.encode("ascii", "replace"), header=True)


def decoded(octets: bytes, charset: str) -> str:
    """Decode octets by a charset's name; UTF-8 and then Windows-1252 stand in for an unknown or wrong one."""
    name = charset.strip("\"' ").lower()
    name = {"": "utf-8", "us-ascii": "utf-8", "ascii": "utf-8", "iso-8859-1": "cp1252", "gb2312": "gbk"}.get(
        name, name
    )
    if name in {"utf-7", "unicode-1-1-utf-7"} or not re.fullmatch(r"[\w.:+-]{1,40}", name):
        name = "utf-8"
    try:
        return octets.decode(name)
    except (LookupError, UnicodeError, ValueError, TypeError, AssertionError):
        pass
    try:
        return octets.decode("utf-8")
    except UnicodeDecodeError:
        return octets.decode("cp1252" if name != "utf-8" else "utf-8", "replace")


def mailboxes(value: str) -> Iterator[Mailbox]:
    """
    Read an address field: display names decoded, groups opened, comments taken for names. Nothing raises.

    Source: RFC 5322 section 3.4.
    """
    for piece in _cut(value[:MAX_VALUE]):
        text = piece.strip()
        if not text:
            continue
        angles = _ANGLE.findall(text)
        if angles:
            address = angles[-1]
            name = text[: text.rfind("<")]
        else:
            bare = _BARE.search(text)
            address = bare.group() if bare else ""
            name = text.replace(address, " ") if address else text
        yield Mailbox(_display(name), decode_words(address).strip("'\" "))


def _display(text: str) -> str:
    words = _SPACE.sub(" ", text).strip()
    if words.startswith('"'):
        end = words.rfind('"')
        words = re.sub(r"\\(.)", r"\1", words[1:end] if end > 0 else words[1:])
    elif words.startswith("(") and words.endswith(")"):
        words = words[1:-1]
    return decode_words(words).strip("'\" ")


def _cut(value: str) -> Iterator[str]:
    """Cut an address list at commas and semicolons outside quotes, comments and angles; a group's name is left out."""
    start, depth, quoted, angle, at = 0, 0, False, False, 0
    while at < len(value):
        sign = value[at]
        if sign == "\\":
            at += 1
        elif sign == '"' and not depth:
            quoted = not quoted
        elif quoted:
            pass
        elif sign == "(":
            depth += 1
        elif sign == ")" and depth:
            depth -= 1
        elif depth:
            pass
        elif sign == "<":
            angle = True
        elif sign == ">":
            angle = False
        elif sign in ",;" and not angle:
            yield value[start:at]
            start = at + 1
        elif sign == ":" and not angle and "@" not in value[start:at] and "=?" not in value[start:at]:
            start = at + 1
        at += 1
    yield value[start:]
