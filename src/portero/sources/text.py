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


def utf8_blocks(stream: IO[bytes], encoding: str) -> Iterator[bytes]:
    """Give a stream's content as valid UTF-8 without byte order mark, in blocks of about 1 MiB; closes the stream."""
    errors = "portero-cp1252" if encoding == "utf-8" else "replace"
    decoder = codecs.getincrementaldecoder(encoding)(errors)
    with stream:
        first = True
        while block := stream.read(BLOCK_OCTETS):
            if first:
                block, first = block[mark_length(block) :], False
            ascii_only = encoding == "utf-8" and block.isascii() and not decoder.getstate()[0]
            yield block if ascii_only else decoder.decode(block).encode("utf-8", "replace")
        if rest := decoder.decode(b"", final=True):
            yield rest.encode("utf-8", "replace")
