"""portero's own configuration met among the evidence: known for what it is, and no evidence."""

from __future__ import annotations

import re
from collections.abc import Iterator

from portero.core.text import Text
from portero.sources.document import Document, Head, Item, Note, Source

_TABLES = re.compile(
    r"^\s*(?:\[organisation\]|\[\[network\]\]|\[\[sender\]\]|organisation\.\w+\s*=)", re.MULTILINE
)


def recognise(head: Head) -> bool:
    """Tell by the tables that only this file has."""
    return not head.keys and not head.text.lstrip().startswith("<") and _TABLES.search(head.text) is not None


def read(document: Document) -> Iterator[Item]:
    """Say what it is. Which configuration a run uses is decided where it starts."""
    del document
    yield Note(
        Text(
            "This is a portero configuration, not evidence. "
            "Only the one in the first folder, in the working folder, or named by --config is used."
        )
    )


SOURCE = Source("configuration-file", Text("portero configuration"), recognise, read)
