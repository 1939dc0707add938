"""Non-accepted domain report: who relays through a connector."""

from portero.sources.foreign_domains import SOURCE
from support.reading import reading, table

ROW = {
    "Date": "2026-11-20T00:00:00Z",
    "Inbound connector name": "Scanners",
    "Sender domain": "Other.example",
    "Count": "7",
    "Sample messages": "a;b",
}


def test_domains_by_connector_are_said_and_counted():
    found = reading(SOURCE, table([ROW, ROW]))
    said = "Through connector “Scanners” came 14 mails of other.example, which is no accepted domain."
    assert str(found.notes[0].text) == said
    assert (found.counted.rows, found.gaps) == (2, [])


def test_a_row_without_a_count_is_a_gap_and_the_rest_is_read():
    found = reading(SOURCE, table([ROW | {"Count": ""}, ROW]))
    assert ([gap.origin.line for gap in found.gaps], found.counted.rows) == ([2], 2)
