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
from portero.sources.mail_rows import connectors, guids, integers, mail_batch, message_ids, words

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
    for block in csv_rows(document, _COLUMNS):
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
    client = cells["original_client_ip"]
    own = pa.nulls(len(client), pa.bool_()) if direction is None else pc.equal(direction, "originating")
    blanked = pc.and_(pc.equal(client, ""), pc.invert(pc.fill_null(own, False)))
    client = pc.if_else(blanked, _NOT_KNOWN, client)
    return mail_batch(
        SOURCE.id,
        block.lines,
        {
            "network_message_id": guids(cells.get("network_message_id")),
            "message_id": message_ids(cells.get("message_id")),
            "observed_at": times,
            "sender": cells.get("sender_address"),
            "recipients": recipients,
            "client_ip": client,
            "connector": connectors(cells.get("connector_id")),
            "direction": direction,
            "outcome": outcome,
            "subject": cells.get("message_subject"),
            "size_octets": integers(cells.get("total_bytes")),
        },
    )


def _recipients(packed: pa.Array) -> tuple[pa.Array, pa.Array | None]:
    """Unpack ``user@a##Receive, Deliver;b@c##Receive, Send`` into mailboxes joined by ``;`` and one outcome."""
    one = pc.and_(pc.match_substring(packed, "##"), pc.invert(pc.match_substring(packed, ";")))
    one = pc.fill_null(one, False)
    # Most mail has one recipient, whose cell needs no taking apart and joining.
    halves = pc.split_pattern(packed.filter(one), "##")
    names = pc.ascii_trim_whitespace(pc.utf8_lower(pc.list_element(halves, 0)))
    fates = pc.list_element(halves, 1)
    if len(names) < len(packed):
        rest = pc.invert(one)
        others, their_fates = _several(packed.filter(rest))
        order = pc.sort_indices(pa.concat_arrays([pc.indices_nonzero(one), pc.indices_nonzero(rest)]))
        names = pa.concat_arrays([names, others]).take(order)
        fates = pa.concat_arrays([fates, their_fates]).take(order)
    return names, words(fates, _fate)


def _several(packed: pa.Array) -> tuple[pa.Array, pa.Array]:
    """Give of each cell the mailboxes and the fates, each joined by ``;``."""
    people = pc.split_pattern(packed, ";")
    halves = pc.split_pattern(pc.binary_join_element_wise(people.flatten(), "", "##"), "##")
    names = pc.ascii_trim_whitespace(pc.utf8_lower(pc.list_element(halves, 0)))
    fates = pa.ListArray.from_arrays(people.offsets, pc.list_element(halves, 1))
    mailboxes = pc.binary_join(pa.ListArray.from_arrays(people.offsets, names), ";")
    lost = pc.is_null(packed)
    return pc.if_else(lost, _NOT_KNOWN, mailboxes), pc.binary_join(fates, ";")


def _fate(statuses: str) -> str | None:
    last = {status.rpartition(",")[2].strip().lower() for status in statuses.split(";")}
    return next((word for name, word in _FATES if any(status.startswith(name) for status in last)), None)


SOURCE = Source("message-trace-enhanced", Text("Message trace, Enhanced summary"), recognise, read)
