"""
Tables of mail under headings nobody documented, such as the Change Optics report: columns are told by what is in them.

A column is taken for something only where nearly all its cells are of that kind, and sender and recipient are told apart
only by their headings: what is not certain is not used, and the reader is told which column was taken for what.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator, Sequence

import pyarrow.compute as pc

from portero.core.address import client_address
from portero.core.evidence import Gap, Origin
from portero.core.text import Text, label
from portero.sources.csv_rows import csv_rows, plain
from portero.sources.document import Document, Head, Item, Note, Source
from portero.sources.local_times import Times
from portero.sources.mail_rows import WITHOUT_IDS, guids, mail_batch, message_ids

_USES = {
    "sender": label("column", "sender"),
    "recipient": label("column", "recipient"),
    "time": label("column", "time"),
    "client": label("column", "client address"),
    "message": label("column", "Message-ID"),
    "network": label("column", "network message id"),
}
_SAMPLE = 200
_SHARE = 0.9  # of a column's filled cells
_MAILBOX = re.compile(r"<?[^\s@<>]{1,64}@[^\s@<>]+\.[^\s@<>]{2,}>?\Z")
_MESSAGE_ID = re.compile(r"<[^\s<>]+@[^\s<>]+>\Z")
_GUID = re.compile(r"\{?[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\}?\Z", re.IGNORECASE)
_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d|\d{1,4}[/.-]\d{1,2}[/.-]\d{2,4},?\s+\d{1,2}:\d\d")
# Words of headings in the languages of the admin centre's larger editions.
_SENDER = re.compile(
    r"sender|from|remitente|origen|absender|von\b|exp[ée]diteur|mittente|remetente|afzender", re.IGNORECASE
)
_RECIPIENT = re.compile(
    r"recipient|\bto\b|destinatari|empf[äa]nger|\ban\b|destinataire|ontvanger|rcpt", re.IGNORECASE
)


def recognise(head: Head) -> bool:
    """Tell by a column of mailboxes that is the sender's, beside one of times, addresses or message ids."""
    if len(head.columns) < 3 or head.text.startswith("#"):
        return False
    bound = _bound(head)
    return "sender" in bound and not {"time", "client", "message", "network"}.isdisjoint(bound)


def read(document: Document) -> Iterator[Item]:
    """Stream the rows, each as a mail with one sender of unknown kind."""
    bound = _bound(document.head)
    columns = {field: (document.head.columns[at],) for field, at in bound.items()}
    times = Times(document, columns["time"][0]) if "time" in columns else None
    yield Note(
        Text(
            "The headings are not known; by their content these columns were used: {columns}.",
            columns=tuple(
                Text("{name} ({use})", name=names[0], use=_USES[field]) for field, names in columns.items()
            ),
        )
    )
    total = 0
    for block in csv_rows(document, columns):
        if isinstance(block, Gap):
            yield block
            continue
        cells = block.cells
        recipients, client = cells.get("recipient"), cells.get("client")
        total += len(block.lines)
        yield mail_batch(
            SOURCE.id,
            block.lines,
            {
                "network_message_id": guids(cells.get("network")),
                "message_id": message_ids(cells.get("message")),
                "observed_at": times.read(cells["time"], block.lines) if times else None,
                "sender": pc.ascii_trim(cells["sender"], " <>"),
                "recipients": None if recipients is None else pc.utf8_lower(pc.ascii_trim(recipients, " <>")),
                "client_ip": None if client is None else pc.if_else(pc.equal(client, ""), None, client),
            },
        )
    if times and (gap := times.gap()):
        yield gap
    if total and "message" not in bound and "network" not in bound:
        yield Gap(Origin(document.name), WITHOUT_IDS, total)


def _bound(head: Head) -> dict[str, int]:
    """Give the columns that are certain, by what they are."""
    names = head.columns
    if len({plain(name) for name in names}) != len(names):
        return {}
    cells = _sample(head)
    if len(cells) < 2:
        return {}

    def mostly(test: Callable[[str], object]) -> list[int]:
        found = []
        for at in range(len(names)):
            filled = [value for row in cells if (value := row[at].strip())]
            if len(filled) * 2 >= len(cells) and sum(map(bool, map(test, filled))) >= _SHARE * len(filled):
                found.append(at)
        return found

    bound: dict[str, int] = {}
    ids = mostly(_MESSAGE_ID.match)
    mailboxes = [at for at in mostly(_MAILBOX.match) if at not in ids]
    senders = [at for at in mailboxes if _SENDER.search(names[at]) and not _RECIPIENT.search(names[at])]
    recipients = [at for at in mailboxes if _RECIPIENT.search(names[at]) and not _SENDER.search(names[at])]
    for field, columns in (
        ("sender", senders),
        ("recipient", recipients),
        ("time", mostly(_TIME.match)),
        ("client", mostly(client_address)),
        ("message", ids),
        ("network", mostly(_GUID.match)),
    ):
        # Of two columns of one kind nobody knows which is meant; of several times the first is the mail's.
        if len(columns) == 1 or (columns and field == "time"):
            bound[field] = columns[0]
    return bound


def _sample(head: Head) -> Sequence[Sequence[str]]:
    text = head.text
    while text.startswith("#TYPE") or text[:1] in {"\r", "\n"}:
        text = text.partition("\n")[2]
    try:
        rows = [
            row
            for _, row in zip(
                range(_SAMPLE), csv.reader(io.StringIO(text), delimiter=head.delimiter), strict=False
            )
        ]
    except csv.Error:
        return []
    return [row for row in rows[1:] if len(row) == len(head.columns)]


SOURCE = Source("unknown-table", Text("Table of mail with unknown headings"), recognise, read)
