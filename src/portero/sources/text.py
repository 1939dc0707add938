"""Encodings: which one a document uses, and its bytes as a stream of valid UTF-8 blocks."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from typing import IO

HEAD_OCTETS = 65536
BLOCK_OCTETS = 1 << 20
_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))


def _as_cp1252(error: UnicodeError) -> tuple[str, int]:
    """Read the octets that are not UTF-8 as Windows-1252; the five that it leaves undefined become U+FFFD."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return error.object[error.start : error.end].decode("cp1252", "replace"), error.end


codecs.register_error("portero-cp1252", _as_cp1252)


def mark_length(raw: bytes) -> int:
    """Give the length of the byte order mark at the start, 0 when there is none."""
    return next((len(mark) for mark, _ in _MARKS if raw.startswith(mark)), 0)


def sniff(raw: bytes) -> str:
    """
    Name the encoding of a document's first octets: utf-8, utf-16-le, utf-16-be or cp1252.

    Source: reference data-formats section 2 (mark, then NUL in every second octet, then strict UTF-8, then cp1252).
    """
    for mark, encoding in _MARKS:
        if raw.startswith(mark):
            return encoding
    probe = raw[:4096]
    pairs = len(probe) // 2
    if pairs and probe[1::2].count(0) * 2 > pairs and probe[0::2].count(0) * 10 < pairs:
        return "utf-16-le"
    if pairs and probe[0::2].count(0) * 2 > pairs and probe[1::2].count(0) * 10 < pairs:
        return "utf-16-be"
    try:
        # A head may end inside a character, so the last one is allowed to be incomplete.
        codecs.getincrementaldecoder("utf-8")("strict").decode(raw, final=len(raw) < HEAD_OCTETS)
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"


def utf8_blocks(stream: IO[bytes], encoding: str, octets: int = BLOCK_OCTETS) -> Iterator[bytes]:
    """
    Give a stream's content as valid UTF-8 without byte order mark, in blocks; closes the stream.

    octets:  how much of the stream makes a block.
    """
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    with stream:
        first, rest = True, b""
        while block := stream.read(octets):
            if first:
                block, first = block[mark_length(block) :], False
            if encoding == "utf-8":
                block = rest + block
                whole = len(block) - _begun(block)
                block, rest = block[:whole], block[whole:]
                yield _mended(block)
            else:
                yield decoder.decode(block).encode("utf-8", "replace")
        if rest := _mended(rest) or decoder.decode(b"", final=True).encode("utf-8", "replace"):
            yield rest


def _begun(block: bytes) -> int:
    """Count the octets at the end that may begin a UTF-8 character which goes on in the next block."""
    for back in range(1, min(3, len(block)) + 1):
        octet = block[-back]
        if octet >= 0xC0:
            return back if back < (2 if octet < 0xE0 else 3 if octet < 0xF0 else 4) else 0
        if octet < 0x80:
            return 0
    return 0


def _mended(block: bytes) -> bytes:
    """Give octets as they are where they are UTF-8, which is cheaper to look at than to write anew."""
    if not block.isascii():
        try:
            block.decode()
        except UnicodeDecodeError:
            return block.decode("utf-8", "portero-cp1252").encode("utf-8", "replace")
    return block
