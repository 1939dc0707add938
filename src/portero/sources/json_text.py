"""Small JSON documents as values, one after another: JSON Lines, concatenated answers, one object or one array."""

from __future__ import annotations

import json
from collections.abc import Iterator

from portero.core.evidence import Gap, Origin
from portero.core.text import Text
from portero.sources.document import Document
from portero.sources.text import utf8_blocks

# Configuration and DNS exports are read whole; the largest known export of a large tenant is a tenth of this.
OCTETS = 128 << 20
_BAD_LINES = 20
_SPACE = " \t\r\n,\ufeff\x00\x1e"


def json_values(document: Document) -> Iterator[tuple[int, object] | Gap]:
    """
    Give each value of a document with the line it starts on; what does not parse is a Gap, and reading goes on
    at the next line that could begin a value.
    """
    blocks, size = [], 0
    for block in utf8_blocks(document.open(), document.head.encoding):
        size += len(block)
        if size > OCTETS:
            reason = Text("The file is larger than 128 MiB and was not read. Export fewer objects at a time.")
            yield Gap(Origin(document.name), reason)
            return
        blocks.append(block)
    text = b"".join(blocks).decode("utf-8", "replace")
    yield from _values(text, document.name)


def _values(text: str, name: str) -> Iterator[tuple[int, object] | Gap]:
    decoder = json.JSONDecoder(strict=False)
    position, line, counted, bad = 0, 1, 0, 0
    while (position := _skip(text, position)) < len(text):
        line += text.count("\n", counted, position)
        counted = position
        try:
            value, position = decoder.raw_decode(text, position)
        except (ValueError, RecursionError) as error:
            bad += 1
            at = (
                line + text.count("\n", position, error.pos)
                if isinstance(error, json.JSONDecodeError)
                else line
            )
            reason = Text("This is not JSON, or it is cut off. Export it again.")
            if bad > _BAD_LINES:
                reason = Text("More than 20 places are not JSON; the rest was not read. Export it again.")
            yield Gap(Origin(name, at), reason)
            if bad > _BAD_LINES:
                return
            position = _next_start(text, position)
        else:
            yield line, value


def _skip(text: str, position: int) -> int:
    while position < len(text) and text[position] in _SPACE:
        position += 1
    return position


def _next_start(text: str, position: int) -> int:
    """Find the next line that begins with a brace or bracket in its first column, as JSON Lines do."""
    found = [at for sign in ("\n{", "\n[") if (at := text.find(sign, position)) >= 0]
    return min(found) + 1 if found else len(text)
