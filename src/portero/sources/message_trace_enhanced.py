"""Enhanced summary: the CSV of Start-HistoricalSearch -ReportType MessageTrace, one row a message."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from portero.core.evidence import Gap
from portero.core.text import Text
from portero.sources.csv_rows import CUTS, Rows, csv_rows
from portero.sources.document import Batch, Document, Head, Item, Note, Source
from portero.sources.local_times import Times
from portero.sources.mail_rows import connectors, guids, integers, mail_batch, message_ids, of_texts, words

_COLUMNS = {
    name: (name,)
    for name in (
        "origin_timestamp_utc",
        "sender_address",
        "recipient_status",
        "message_subject",
        "total_bytes",
        "message_id",
        "network_message_id",
        "original_client_ip",
        "directionality",
        "connector_id",
    )
}
# What many rows say; the size, the time and the ids are each row's own.
_REPEATED = frozenset(
    {
        "sender_address",
        "recipient_status",
        "original_client_ip",
        "directionality",
        "connector_id",
    }
)
_NOT_KNOWN = pa.scalar(None, pa.string())
_DIRECTIONS = {"1": "incoming", "incoming": "incoming", "2": "originating", "originating": "originating"}
# The best of several recipients' fates stands for the mail: it says whether the mail got in.
_FATES = (
    ("deliver", "delivered"),
    ("send", "delivered"),
    ("expand", "expanded"),
    ("quarantine", "quarantined"),
    ("fail", "failed"),
)


def recognise(head: Head) -> bool:
    """Tell by the two columns that only this report has."""
    return {"recipient_status", "original_client_ip", "origin_timestamp_utc"} <= {
        name.lower() for name in head.columns
    }


def read(document: Document) -> Iterator[Item]:
    """
    Stream the rows.

    Exchange blanks the client address of incoming mail after ten days (reference data-formats section 5.2), so that
    an empty one is unknown (null); only own mail is known to have none.
    """
    total, times = 0, Times(document, "origin_timestamp_utc")
    for block in csv_rows(document, _COLUMNS, _REPEATED):
        if isinstance(block, Gap):
            yield block
            continue
        total += len(block.lines)
        yield _batch(block, times.read(block.cells["origin_timestamp_utc"], block.lines))
    if gap := times.gap(local=False):
        yield gap
    if total in CUTS:
        reason = Text(
            "Exactly {rows} rows: probably cut by the export. Ask again for shorter periods.", rows=total
        )
        yield Note(reason)


def _batch(block: Rows, times: pa.Array) -> Batch:
    cells = block.cells
    direction = words(cells.get("directionality"), lambda text: _DIRECTIONS.get(text.strip().lower()))
    recipients, outcome = _recipients(cells["recipient_status"])
    return mail_batch(
        SOURCE.id,
        block.lines,
        {
            "network_message_id": guids(cells.get("network_message_id")),
            "message_id": message_ids(cells.get("message_id")),
            "observed_at": times,
            "sender": cells.get("sender_address"),
            "recipients": recipients,
            "client_ip": _without_blanked(cells["original_client_ip"], direction),
            "connector": connectors(cells.get("connector_id")),
            "direction": direction,
            "outcome": outcome,
            "subject": cells.get("message_subject"),
            "size_octets": integers(cells.get("total_bytes")),
        },
    )


def _without_blanked(client: pa.Array, direction: pa.Array | None) -> pa.Array:
    """Make empty addresses null unless the mail is known to be of the organisation's own."""
    empty = client.dictionary.index("").as_py()
    if empty < 0:
        return client
    blanked = pc.equal(client.indices, empty)
    if direction is not None:
        own = direction.dictionary.index("originating").as_py()
        blanked = pc.and_(blanked, pc.invert(pc.fill_null(pc.equal(direction.indices, own), False)))
    return pa.DictionaryArray.from_arrays(pc.if_else(blanked, None, client.indices), client.dictionary)


def _recipients(packed: pa.Array) -> tuple[pa.Array, pa.Array]:
    """Unpack ``user@a##Receive, Deliver;b@c##Receive, Send`` into mailboxes joined by ``;`` and one outcome."""
    people = pc.split_pattern(packed.dictionary, ";")
    halves = pc.split_pattern(pc.binary_join_element_wise(people.flatten(), "", "##"), "##")
    names = pc.ascii_trim_whitespace(pc.utf8_lower(pc.list_element(halves, 0)))
    mailboxes = pc.binary_join(pa.ListArray.from_arrays(people.offsets, names), ";")
    fates = pc.binary_join(pa.ListArray.from_arrays(people.offsets, pc.list_element(halves, 1)), ";")
    return of_texts(packed, lambda _: mailboxes), of_texts(
        packed, lambda _: words(fates.dictionary_encode(), _fate)
    )


def _fate(statuses: str) -> str | None:
    last = {status.rpartition(",")[2].strip().lower() for status in statuses.split(";")}
    return next((word for name, word in _FATES if any(status.startswith(name) for status in last)), None)


SOURCE = Source("message-trace-enhanced", Text("Message trace, Enhanced summary"), recognise, read)
