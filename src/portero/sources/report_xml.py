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


@dataclass(frozen=True, slots=True)
class Repeated:
    """
    An element that fills the document, and a way past the parser for those whose markup is known.

    end:    its end tag.
    front:  the end tag of what may stand before the first one.
    ended:  counts those elements, and what may stand before the first one, whose end the handlers have seen.
    take:   given one from behind the one before up to its end tag, takes it and tells so, or leaves it to the parser.
    learn:  given one in the same way that the parser has read.
    """

    end: bytes
    front: bytes
    ended: Callable[[], int]
    take: Callable[[bytes], bool]
    learn: Callable[[bytes], None]


class _Feed:
    """
    A parser that is given blocks, and what it is spared.

    An element is spared it where it stands just behind the end of another one, or of what comes before them: there the parser is in no tag, comment
    or section, and leaving one whole element out changes nothing for what follows.
    """

    def __init__(self, handlers: Handlers, repeated: Repeated) -> None:
        self._parser = parser_of(handlers)
        self._repeated = repeated
        self._between = False
        self._spared_lines = 0
        self._fed = 0
        self._held = b""  # what the parser was given last, since it stood between two elements
        self._block, self._at = b"", 0

    def give(self, block: bytes) -> None:
        """Parse a block. Raises ExpatError, and what the handlers raise."""
        self._block, self._at = block, 0
        end, take, looked = self._repeated.end, self._repeated.take, False
        while (until := block.find(end, self._at)) >= 0:
            known, piece = self._between, block[self._at : until]
            if known and take(piece):
                self._spared_lines += piece.count(b"\n")
                self._at = until + len(end)
                continue
            if not known and looked:
                break
            if not known and (before := block.find(self._repeated.front, self._at, until)) >= 0:
                self._parse_element(before, self._repeated.front)
                if self._between:
                    continue
            looked = looked or not known
            self._parse_element(until, end)
            if known and self._between:
                self._repeated.learn(piece)
        if self._at < len(block):
            self._between = False
            self._parse(len(block))
        if self._fed - self._parser.CurrentByteIndex > TOKEN_OCTETS:
            raise Refused(Text("One XML tag is larger than 4 MiB; the file was not read. Look at it first."))

    def _parse_element(self, until: int, tag: bytes) -> None:
        """Parse up to an end tag, and it; see whether that was the end of an element and nothing else."""
        self._parse(until)
        ended = self._repeated.ended()
        nothing_waits = self._parser.CurrentByteIndex == self._fed
        self._parse(until + len(tag))
        self._between = nothing_waits and self._repeated.ended() == ended + 1
        if self._between:
            self._held = b""

    def _parse(self, until: int) -> None:
        octets = self._block[self._at : until]
        self._parser.Parse(octets, False)
        self._fed += len(octets)
        self._held = self._held[-TOKEN_OCTETS:] + octets
        self._at = until

    def end(self) -> None:
        """End the document. Raises ExpatError where its last element has not ended."""
        self._parser.Parse(b"", True)

    def line(self, error: expat.ExpatError) -> int:
        """Give the line of an error."""
        return error.lineno + self._spared_lines

    def unread(self) -> bytes:
        """Give what stands from an error to the end of the block."""
        back = self._fed - self._parser.ErrorByteIndex
        if back > 0:
            return self._held[-back:] + self._block[self._at :]
        return self._block[self._at - back :]


def stream(document: Document, handlers: Handlers, repeated: Repeated) -> Iterator[Gap | None]:
    """
    Give events block by block; yields None after each block, so a reader can hand over what it has, and Gaps.

    Bare ampersands are read as such; a document type declaration stops the reading.
    Source: RFC 9990 section 7 on hostile XML; reference data-formats 11.1.
    """
    blocks = _escaped(utf8_blocks(document.open(), document.head.encoding))
    feed = _Feed(handlers, repeated)
    try:
        for block in blocks:
            try:
                feed.give(block)
            except expat.ExpatError as error:
                yield _damage(document, feed.line(error))
                yield from _known_names(chain([feed.unread()], blocks), handlers)
                return
            yield None
        try:
            feed.end()
        except expat.ExpatError as error:
            handlers.damaged()
            reason = Text(
                "The XML ends at line {line} before its last element does: records may be missing. "
                "Fetch the report again.",
                line=feed.line(error),
            )
            yield Gap(Origin(document.name), reason)
    except Refused as refusal:
        handlers.damaged()
        yield Gap(Origin(document.name), refusal.reason)


def _damage(document: Document, line: int) -> Gap:
    reason = Text(
        "The XML is damaged at line {line}; from there only elements known by name were read. "
        "Fetch the report again.",
        line=line,
    )
    return Gap(Origin(document.name), reason)


def parser_of(handlers: Handlers) -> expat.XMLParserType:
    """Make a parser of UTF-8 that gives events to the handlers; it raises Refused at a document type or entity."""
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
