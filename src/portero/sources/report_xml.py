"""Streams the XML of a report as events: document types refused, damage survived by reading known names only."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from xml.parsers import expat

from portero.core.evidence import Gap, Origin
from portero.core.text import Text
from portero.sources.document import Document
from portero.sources.text import utf8_blocks

# The longest single tag or comment that is waited for; expat holds an unfinished one in memory.
TOKEN_OCTETS = 4 << 20
_BARE = re.compile(rb"&(?!(?:amp|lt|gt|quot|apos|#[0-9]{1,7}|#x[0-9a-fA-F]{1,6});)")
_REFERENCE_OCTETS = 12


class Refused(Exception):  # noqa: N818  (it stops the parser and never leaves the readers)
    """Content that is not read on purpose; carries why."""

    def __init__(self, reason: Text) -> None:
        super().__init__(str(reason))
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Handlers:
    """
    What a reader does with the events.

    start, end:              with an element's name as written.
    loose_start, loose_end:  after damage, with a known name without prefix; they need not nest.
    text:                    with character data, in one or more pieces.
    damaged:                 the XML broke here: text since the last event is lost.
    names:                   the element names that still count after damage, lower case.
    """

    start: Callable[[str, object], None]
    end: Callable[[str], None]
    loose_start: Callable[[str], None]
    loose_end: Callable[[str], None]
    text: Callable[[str], None]
    damaged: Callable[[], None]
    names: frozenset[str]


def stream(document: Document, handlers: Handlers) -> Iterator[Gap | None]:
    """
    Give events block by block; yields None after each block, so a reader can hand over what it has, and Gaps.

    Bare ampersands are read as such; a document type declaration stops the reading.
    Source: RFC 9990 section 7 on hostile XML; reference data-formats 11.1.
    """
    blocks = _escaped(utf8_blocks(document.open(), document.head.encoding))
    try:
        parser = _parser(handlers)
        fed, held, base = 0, b"", 0
        for block in blocks:
            base, held = fed - len(held[-TOKEN_OCTETS:]), held[-TOKEN_OCTETS:] + block
            fed += len(block)
            try:
                parser.Parse(block, False)
            except expat.ExpatError as error:
                yield _damage(document, error)
                yield from _known_names(
                    chain([held[max(parser.ErrorByteIndex - base, 0) :]], blocks), handlers
                )
                return
            if fed - parser.CurrentByteIndex > TOKEN_OCTETS:
                raise Refused(
                    Text("One XML tag is larger than 4 MiB; the file was not read. Look at it first.")
                )
            held = block
            yield None
        try:
            parser.Parse(b"", True)
        except expat.ExpatError as error:
            handlers.damaged()
            reason = Text(
                "The XML ends at line {line} before its last element does: records may be missing. "
                "Fetch the report again.",
                line=error.lineno,
            )
            yield Gap(Origin(document.name), reason)
    except Refused as refusal:
        handlers.damaged()
        yield Gap(Origin(document.name), refusal.reason)


def _damage(document: Document, error: expat.ExpatError) -> Gap:
    reason = Text(
        "The XML is damaged at line {line}; from there only elements known by name were read. "
        "Fetch the report again.",
        line=error.lineno,
    )
    return Gap(Origin(document.name), reason)


def _parser(handlers: Handlers) -> expat.XMLParserType:
    # The stream is UTF-8 by now, whatever the declaration says.
    parser = expat.ParserCreate("utf-8")
    parser.buffer_text = True
    parser.StartElementHandler = handlers.start
    parser.EndElementHandler = handlers.end
    parser.CharacterDataHandler = handlers.text

    def refuse(*_: object) -> None:
        raise Refused(
            Text(
                "The XML declares a document type or entities, which no report needs; it was refused unread."
            )
        )

    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    return parser


def _escaped(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """Escape ampersands that begin no reference, across block borders."""
    kept = b""
    for block in blocks:
        block = kept + block
        kept = b""
        if b"&" in block:
            at = block.rfind(b"&", -_REFERENCE_OCTETS)
            if at >= 0 and b";" not in block[at:]:
                block, kept = block[:at], block[at:]
            block = _BARE.sub(b"&amp;", block)
        yield block
    if kept:
        yield _BARE.sub(b"&amp;", kept)


def _known_names(blocks: Iterator[bytes], handlers: Handlers) -> Iterator[None]:
    """Read on after damage: every tag with a known name counts, and everything else is text."""
    handlers.damaged()
    names = "|".join(sorted(map(re.escape, handlers.names), key=len, reverse=True))
    tag = re.compile(rf"<(/?)(?:[\w.-]{{1,40}}:)?({names})(?:\s[^<>]*)?(/?)>", re.IGNORECASE)
    kept = ""
    for block in blocks:
        text = kept + block.decode("utf-8", "replace")
        end = text.rfind("<", -1024)
        cut = end if end >= 0 and ">" not in text[end:] else len(text)
        text, kept = text[:cut], text[cut:]
        position = 0
        for found in tag.finditer(text):
            if found.start() > position:
                handlers.text(html.unescape(text[position : found.start()]))
            position = found.end()
            if not found[1]:
                handlers.loose_start(found[2])
            if found[1] or found[3]:
                handlers.loose_end(found[2])
        if position < len(text):
            handlers.text(html.unescape(text[position:]))
        yield None
