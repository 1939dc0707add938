"""Messages reports: what each connector carried."""

from portero.sources.connector_volumes import SOURCE
from support.reading import reading, table

ROW = {
    "Date": "2026-11-20T00:00:00Z",
    "Connector direction and name": "Inbound Scanners",
    "Connector type": "OnPremises",
    "Forced TLS?": "False",
    "No TLS": "40",
    "TLS 1.0": "0",
    "TLS 1.1": "0",
    "TLS 1.2": "1,160",
    "Volume": "1,200",
}


def test_sums_by_connector_are_said_and_counted():
    found = reading(SOURCE, table([ROW, ROW | {"Date": "2026-11-21T00:00:00Z"}]))
    assert (
        str(found.notes[0].text)
        == "Connector Inbound Scanners OnPremises: 2400 mails, 80 of them without TLS."
    )
    assert (found.counted.rows, found.counted.last.day) == (2, 21)
    assert (found.rows, found.gaps) == ([], [])


def test_a_row_without_a_volume_is_a_gap():
    found = reading(SOURCE, table([ROW | {"Volume": "many"}]))
    assert [gap.origin.line for gap in found.gaps] == [2]
