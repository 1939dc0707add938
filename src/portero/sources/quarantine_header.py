"""Get-QuarantineMessageHeader as a table or JSON: the whole header of each mail that was held back."""

from __future__ import annotations

from collections.abc import Iterator

from portero.core.evidence import Gap, Origin
from portero.core.text import Text, count
from portero.sources.csv_rows import plain
from portero.sources.document import Counted, Document, Head, Item, Source
from portero.sources.json_rows import rows
from portero.sources.mail_files import opened_mail
from portero.sources.mail_headers import header_batch, header_row

_COLUMNS = {"identity": ("Identity",), "header": ("Header",)}
_BLOCK = 1000


def recognise(head: Head) -> bool:
    """Tell by a header beside the identity of the mail."""
    names = {plain(name) for name in head.columns or head.keys}
    return {"identity", "header"} <= names and "received:" in head.text.lower()


def read(document: Document) -> Iterator[Item]:
    """Stream the mails; what held them back is not in their headers, only that they were."""
    held: list[dict[str, object]] = []
    total, other = 0, 0
    for block in rows(document, _COLUMNS):
        if isinstance(block, Gap):
            yield block
            continue
        headers = block.cells.get("header")
        for line, text in zip(
            block.lines.to_pylist(), headers.to_pylist() if headers is not None else (), strict=False
        ):
            row = header_row(opened_mail((text or "").encode("utf-8", "replace"), document.limits))
            total += 1
            other += row is None
            if row is not None:
                held.append(row | {"line": line, "outcome": "quarantined"})
        if len(held) >= _BLOCK:
            yield header_batch(SOURCE.id, held)
            held = []
    if held:
        yield header_batch(SOURCE.id, held)
    if other:
        one = "{n} header does not show that Exchange Online took the mail last, and was counted only."
        many = "{n} headers do not show that Exchange Online took the mails last, and were counted only."
        yield Gap(Origin(document.name), count(one, many, other), other)
    if other == total:
        yield Counted(total)


SOURCE = Source("quarantine-header", Text("Headers of quarantined mails"), recognise, read)
