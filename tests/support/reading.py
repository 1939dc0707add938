"""What a source makes of some octets, sorted by kind; and that no other source takes them first."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from portero.core.evidence import Gap
from portero.sources import sources
from portero.sources.document import Batch, Counted, Document, Item, Note, Source
from portero.sources.head import head_of


@dataclass
class Reading:
    """Rows as dictionaries, and everything else by kind."""

    rows: list[dict[str, object]] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    counted: Counted | None = None
    others: list[Item] = field(default_factory=list)


def reading(source: Source, content: str | bytes, name: str = "evidence") -> Reading:
    """Read content with the source that recognises it first, which must be the one given."""
    raw = content.encode() if isinstance(content, str) else content
    document = Document(name, head_of(raw), lambda: io.BytesIO(raw), len(raw))
    first = next((each.id for each in sources() if each.recognise(document.head)), None)
    assert first == source.id
    found = Reading()
    for item in source.read(document):
        if isinstance(item, Batch):
            found.rows += item.rows.to_pylist()
        elif isinstance(item, Gap):
            found.gaps.append(item)
        elif isinstance(item, Note):
            found.notes.append(item)
        elif isinstance(item, Counted):
            assert found.counted is None
            found.counted = item
        else:
            found.others.append(item)
    return found


def table(rows: Iterable[Mapping[str, object]], delimiter: str = ",") -> str:
    """Write rows as CSV the way Export-Csv does: every cell quoted, columns of the first row."""
    held = list(rows)
    text = io.StringIO()
    writer = csv.DictWriter(text, list(held[0]), quoting=csv.QUOTE_ALL, delimiter=delimiter, restval="")
    writer.writeheader()
    writer.writerows(held)
    return text.getvalue()
