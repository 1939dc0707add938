"""Spoof mail report: which sending infrastructure wrote in whose name, with what authentication and which result."""

from __future__ import annotations

from collections.abc import Iterator

from portero.core.evidence import ConfigAnswer, ConfigObject, Gap, Origin
from portero.core.text import Text, count
from portero.sources.csv_rows import plain
from portero.sources.document import Document, Head, Item, Note, Source
from portero.sources.report_cells import Cells, Sums, whole

CMDLET = "Get-SpoofMailReport"
_COLUMNS = {
    "time": ("Date", "Date (UTC)"),
    "direction": ("Direction",),
    "domain": ("Domain",),
    "user": ("Spoofed User", "SpoofedSender", "Spoofed sender"),
    "sender": ("True Sender", "TrueSender"),
    "infrastructure": ("Sending Infrastructure", "SenderIp"),
    "count": ("Count", "MessageCount", "Message count"),
    "kind": ("Spoof Type",),
    "result": ("Result", "Action"),
    "code": ("Result Code",),
    "spf": ("SPF",),
    "dkim": ("DKIM",),
    "dmarc": ("DMARC",),
}
_NAMES = {
    "domain": "Domain",
    "user": "SpoofedUser",
    "sender": "TrueSender",
    "infrastructure": "SendingInfrastructure",
    "count": "Count",
    "kind": "SpoofType",
    "result": "Result",
    "code": "ResultCode",
    "spf": "SPF",
    "dkim": "DKIM",
    "dmarc": "DMARC",
}
_OBJECTS = 50_000


def recognise(head: Head) -> bool:
    """Tell by sending infrastructure beside the day's count; the insight has the last day instead."""
    names = {plain(name) for name in head.columns or head.keys}
    return (
        "sendinginfrastructure" in names
        and "date" in names
        and bool(names & {"spoofeduser", "spoofedsender", "domain"})
    )


def read(document: Document) -> Iterator[Item]:
    """
    Give the rows as a cmdlet's objects, and say who wrote most in the organisation's own name.

    The infrastructure is a reverse name's domain or a /24, no single address, so that the rows are no mail of a known
    client. Source: reference data-formats section 6.
    """
    cells, sums, number_, beyond = Cells(document, _COLUMNS), Sums(), 0, 0
    for found in cells.rows():
        if isinstance(found, Gap):
            yield found
            continue
        line, row = found
        number = whole(row["count"])
        if number is None or not row["infrastructure"]:
            yield Gap(Origin(document.name, line), Text("The row lacks its infrastructure or its count."))
            continue
        number_ += 1
        if number_ <= _OBJECTS:
            properties: dict[str, object] = {_NAMES[name]: row[name] or None for name in _NAMES}
            properties["Identity"] = f"{document.name}:{line}"
            yield ConfigObject(CMDLET, properties | {"Count": number}, Origin(document.name, line))
        else:
            beyond += 1
        if plain(row["kind"]) in {"internal", "intraorg", "intraorganization", "intraorgspoof"}:
            sums.add((row["infrastructure"][:255], (row["user"] or row["domain"])[:255]), number)
    if beyond:
        yield Gap(
            Origin(document.name), Text("The report has too many rows; only the first were kept."), beyond
        )
    for (place, name), number in sums.largest():
        one = "{place} wrote {n} mail in the organisation's own name, as {name}."
        many = "{place} wrote {n} mails in the organisation's own name, as {name}."
        yield Note(count(one, many, number, place=place, name=name))
    yield from sums.rest()
    yield cells.counted()
    yield ConfigAnswer(CMDLET, Origin(document.name), complete=not beyond)


SOURCE = Source("spoof-report", Text("Spoof mail report"), recognise, read)
