"""The decoded head of a document, by which sources recognise it."""

from __future__ import annotations

import re

from portero.sources.csv_rows import heading
from portero.sources.document import Head
from portero.sources.text import HEAD_OCTETS, mark_length, sniff


def head_of(raw: bytes) -> Head:
    """Decode the first octets of a document, of which at most 64 KiB are looked at."""
    raw = raw[:HEAD_OCTETS]
    encoding = sniff(raw)
    text = raw[mark_length(raw) :].decode(encoding, "replace")
    start = text.lstrip()[:1]
    if start in ("{", "["):
        return Head(raw, encoding, text, keys=frozenset(re.findall(r'"([^"\\]{1,100})"\s*:', text)))
    columns, delimiter, _ = heading(text)
    if start in ("", "<") or len(columns) < 2:
        return Head(raw, encoding, text)
    return Head(raw, encoding, text, columns, delimiter)
