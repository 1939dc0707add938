"""Quarantine lists, of Get-QuarantineMessage or the portal: mails that were held back, one row each."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from portero.core.evidence import Gap
from portero.core.text import Text
from portero.sources.csv_rows import Rows, plain
from portero.sources.document import Batch, Document, Head, Item, Note, Source
from portero.sources.json_rows import rows
from portero.sources.local_times import Times
from portero.sources.mail_rows import guids, integers, mail_batch, message_ids, words
from portero.sources.report_cells import listed

# The cmdlet's names, then the portal's. Source: reference data-formats section 6.
_COLUMNS = {
    "time": ("ReceivedTime", "Time received", "Received (UTC)", "Received"),
    "sender": ("SenderAddress", "Sender address", "Sender"),
    "recipient": ("RecipientAddress", "Recipient address", "Recipient", "Recipients"),
    "subject": ("Subject",),
    "message": ("MessageId", "Internet message ID", "Message ID"),
    "identity": ("Identity",),
    "kind": ("QuarantineTypes", "Type", "Quarantine reason"),
    "direction": ("Direction",),
    "status": ("ReleaseStatus", "Release status"),
    "size": ("Size",),
}
_PAGES = frozenset({100, 1000})  # what one call gives by default and at most
_TEXT = pa.scalar(None, pa.string())


def recognise(head: Head) -> bool:
    """Tell by the release of a received mail."""
    names = {plain(name) for name in head.columns or head.keys}
    return (
        "releasestatus" in names
        and bool(names & {"receivedtime", "timereceived", "receivedutc", "received"})
        and bool(names & {"senderaddress", "sender"})
    )


def read(document: Document) -> Iterator[Item]:
    """Stream the mails; the list shows one sender of unknown kind."""
    total, times = 0, Times(document, "ReceivedTime", _COLUMNS["time"])
    for block in rows(document, _COLUMNS):
        if isinstance(block, Gap):
            yield block
            continue
        total += len(block.lines)
        yield _batch(block, times)
    if gap := times.gap():
        yield gap
    if total in _PAGES:
        reason = Text(
            "Exactly {rows} rows: probably one page of several. Ask again with -PageSize 1000 and -Page.",
            rows=total,
        )
        yield Note(reason)


def _batch(block: Rows, times: Times) -> Batch:
    cells = block.cells
    time, message, recipients = cells.get("time"), message_ids(cells.get("message")), cells.get("recipient")
    identity = cells.get("identity")
    network = None
    if identity is not None:
        # GUID\GUID; that the first is the mail's own id is seen and not documented, so the Message-ID comes first.
        own = pc.struct_field(pc.extract_regex(identity, r"^\s*(?P<id>[0-9A-Fa-f-]{36})\\"), "id")
        known = pa.repeat("", len(own)) if message is None else pc.fill_null(message, "")
        network = guids(pc.if_else(pc.equal(known, ""), own, _TEXT))
    return mail_batch(
        SOURCE.id,
        block.lines,
        {
            "network_message_id": network,
            "message_id": message,
            "observed_at": None if time is None else times.read(time, block.lines),
            "sender": cells.get("sender"),
            "recipients": None
            if recipients is None
            else words(recipients, lambda text: listed(text).lower()),
            "direction": words(cells.get("direction"), _direction),
            "outcome": words(cells.get("status"), _outcome) if "status" in cells else None,
            "threat": words(cells.get("kind"), _threat),
            "subject": cells.get("subject"),
            "size_octets": integers(cells.get("size")),
        },
    )


def _direction(text: str) -> str | None:
    return {"inbound": "incoming", "outbound": "originating"}.get(text.strip().lower())


def _outcome(text: str) -> str:
    return "delivered" if plain(text) in {"released", "approved"} else "quarantined"


def _threat(text: str) -> str:
    word = plain(text)
    for part, meaning in (("phish", "phish"), ("spoof", "spoof"), ("malware", "malware"), ("spam", "spam")):
        if part in word:
            return meaning
    return ""


SOURCE = Source("quarantine", Text("Quarantine list"), recognise, read)
