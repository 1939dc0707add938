"""Mail flow status and traffic reports: what filters did to how many mails, in sums."""

from __future__ import annotations

from collections.abc import Iterator

from portero.core.evidence import Gap, Origin
from portero.core.text import Text, count
from portero.sources.csv_rows import plain
from portero.sources.document import Document, Head, Item, Note, Source
from portero.sources.report_cells import COUNTED_ONLY, Cells, Sums, whole

_COLUMNS = {
    "time": ("Date", "Date (UTC)"),
    "direction": ("Direction",),
    "event": ("EventType", "Event type"),
    "count": ("Count", "MessageCount", "Message count"),
}
_SUMMARY = {"c1", "c2", "c3"}


def recognise(head: Head) -> bool:
    """Tell by an event's count by direction, without single mails; or by the summary report's nameless columns."""
    names = {plain(name) for name in head.columns or head.keys}
    if names >= _SUMMARY:
        return True
    return (
        {"direction", "eventtype"} <= names
        and bool(names & {"count", "messagecount"})
        and names.isdisjoint({"senderaddress", "messageid", "sendinginfrastructure", "action"})
    )


def read(document: Document) -> Iterator[Item]:
    """Say the sums by direction and event."""
    names = {plain(name) for name in document.head.columns or document.head.keys}
    if names >= _SUMMARY:
        reason = Text(
            "Get-MailTrafficSummaryReport was exported without its Category, and its columns C1 to C3 mean nothing "
            "without it. Export Get-MailFlowStatusReport instead."
        )
        yield Gap(Origin(document.name), reason)
        return
    cells, sums = Cells(document, _COLUMNS), Sums()
    for found in cells.rows():
        if isinstance(found, Gap):
            yield found
            continue
        line, row = found
        number = whole(row["count"])
        if number is None:
            yield Gap(Origin(document.name, line), Text("The row's count is no number."))
            continue
        sums.add((row["direction"][:50] or "?", row["event"][:100] or "?"), number)
    for (direction, event), number in sums.largest():
        one, many = "{direction}, {event}: {n} mail.", "{direction}, {event}: {n} mails."
        yield Note(count(one, many, number, direction=direction, event=event))
    yield from sums.rest()
    yield cells.counted()
    yield Note(COUNTED_ONLY)


SOURCE = Source("mail-flow-status", Text("Mail flow status report"), recognise, read)
