"""Non-accepted domain report: mail that came through an inbound connector from domains that are not the organisation's."""

from __future__ import annotations

from collections.abc import Iterator

from portero.core.evidence import Gap, Origin
from portero.core.text import Text, count
from portero.sources.csv_rows import plain
from portero.sources.document import Document, Head, Item, Note, Source
from portero.sources.report_cells import COUNTED_ONLY, Cells, Sums, whole

_COLUMNS = {
    "time": ("Date", "Date (UTC)"),
    "connector": ("Inbound connector name", "Connector name", "Inbound connector"),
    "domain": ("Sender domain", "Domain"),
    "count": ("Count", "Message count", "Messages"),
}


def recognise(head: Head) -> bool:
    """Tell by a sender domain and a count beside an inbound connector."""
    names = {plain(name) for name in head.columns}
    return (
        "senderdomain" in names
        and bool(names & {"inboundconnectorname", "inboundconnector"})
        and bool(names & {"count", "messagecount", "messages"})
    )


def read(document: Document) -> Iterator[Item]:
    """Say through which connector which domains came: a connector that relays for others is found so."""
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
        sums.add((row["connector"][:200] or "?", row["domain"][:255].lower() or "?"), number)
    for (connector, domain), number in sums.largest():
        one = "Through connector “{connector}” came {n} mail of {domain}, which is no accepted domain."
        many = "Through connector “{connector}” came {n} mails of {domain}, which is no accepted domain."
        yield Note(count(one, many, number, connector=connector, domain=domain))
    yield from sums.rest()
    yield cells.counted()
    yield Note(COUNTED_ONLY)


SOURCE = Source("foreign-domains", Text("Non-accepted domain report"), recognise, read)
