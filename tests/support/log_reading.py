"""Reads bytes with one source, as the walk and the reader do."""

import io
from collections.abc import Callable

import pyarrow as pa

from portero.core.evidence import Gap
from portero.core.evidence_rows import TABLES
from portero.sources.document import Batch, Document, Note, Source
from portero.sources.head import head_of


class Reading:
    """What one source made of some bytes: rows with their known cells only, gaps, notes."""

    def __init__(self, source: Source, raw: bytes) -> None:
        document = Document("t", head_of(raw), lambda: io.BytesIO(raw), len(raw))
        assert source.recognise(document.head)
        items = list(source.read(document))
        batches = [item for item in items if isinstance(item, Batch)]
        for batch in batches:
            fields = [field for field in TABLES[batch.table] if field.name != "document"]
            assert batch.rows.schema == pa.schema(fields)
        self.rows = [
            {name: value for name, value in row.items() if value is not None and name != "witness"}
            for batch in batches
            for row in batch.rows.to_pylist()
        ]
        self.gaps = [item for item in items if isinstance(item, Gap)]
        self.notes = [str(item.text) for item in items if isinstance(item, Note)]


def reader(source: Source) -> Callable[[str | bytes], Reading]:
    """Give a reader of texts for one source."""
    return lambda text: Reading(source, text.encode() if isinstance(text, str) else text)


def survives(source: Source, head: str, tail: bytes) -> None:
    """Read a head that is recognised with any tail behind it: nothing may raise."""
    raw = head.encode() + tail
    document = Document("t", head_of(raw), lambda: io.BytesIO(raw), len(raw))
    for item in source.read(document):
        assert item is not None
