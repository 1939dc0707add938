"""Transport rule reports: which mail a mail-flow rule touched, one row a mail and rule."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from portero.core.evidence import Gap
from portero.core.text import Text, count
from portero.sources.csv_rows import plain
from portero.sources.document import Document, Head, Item, Note, Source
from portero.sources.json_rows import rows
from portero.sources.local_times import Times
from portero.sources.mail_rows import guids, integers, mail_batch, message_ids, words
from portero.sources.report_cells import Sums

# The order and exact spelling are not documented. Source: reference data-formats section 6.
_COLUMNS = {
    "time": ("Date", "Date (UTC)"),
    "message": ("MessageId", "Message ID"),
    "trace": ("MessageTraceId", "Network message ID"),
    "subject": ("Subject",),
    "size": ("MessageSize", "Size"),
    "direction": ("Direction",),
    "sender": ("SenderAddress", "Sender address", "Sender"),
    "recipient": ("RecipientAddress", "Recipient address", "Recipient"),
    "rule": ("TransportRule", "Rule name", "Transport rule"),
    "event": ("EventType", "Event type"),
    "action": ("Action",),
}


def recognise(head: Head) -> bool:
    """Tell by a rule beside a mail's sender and id."""
    names = {plain(name) for name in head.columns or head.keys}
    return (
        bool(names & {"transportrule", "rulename"})
        and bool(names & {"messageid", "messagetraceid"})
        and bool(names & {"senderaddress", "sender"})
    )


def read(document: Document) -> Iterator[Item]:
    """Stream the mails, and say which rules touched most."""
    times, sums = Times(document, "Date", _COLUMNS["time"]), Sums()
    for block in rows(document, _COLUMNS):
        if isinstance(block, Gap):
            yield block
            continue
        cells = block.cells
        time, recipients = cells.get("time"), cells.get("recipient")
        none = pa.nulls(len(block.lines), pa.string())
        pairs = pc.binary_join_element_wise(
            pc.fill_null(cells.get("rule", none), ""), pc.fill_null(cells.get("action", none), ""), "\x1f"
        ).value_counts()
        for pair, number in zip(
            pairs.field("values").to_pylist(), pairs.field("counts").to_pylist(), strict=True
        ):
            rule, _, action = pair.partition("\x1f")
            sums.add((rule[:200] or "?", action[:200] or "?"), number)
        yield mail_batch(
            SOURCE.id,
            block.lines,
            {
                "network_message_id": guids(cells.get("trace")),
                "message_id": message_ids(cells.get("message")),
                "observed_at": None if time is None else times.read(time, block.lines),
                "sender": cells.get("sender"),
                "recipients": None if recipients is None else pc.utf8_lower(recipients),
                "direction": words(cells.get("direction"), _direction),
                "subject": cells.get("subject"),
                "size_octets": integers(cells.get("size")),
            },
        )
    if gap := times.gap():
        yield gap
    for (rule, action), number in sums.largest():
        one, many = "Rule “{rule}” touched {n} row ({action}).", "Rule “{rule}” touched {n} rows ({action})."
        yield Note(count(one, many, number, rule=rule, action=action))
    yield from sums.rest()


def _direction(text: str) -> str | None:
    return {"inbound": "incoming", "outbound": "originating", "intraorg": "originating"}.get(plain(text))


SOURCE = Source("rule-hits", Text("Transport rule report"), recognise, read)
