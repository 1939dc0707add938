"""Spoof mail report: who writes in the organisation's own name."""

from portero.core.exchange.settings import Tenant
from portero.sources.spoof_report import SOURCE
from support.reading import reading, table

ROW = {
    "Date": "20/11/2026 0:00:00",
    "Event Type": "SpoofMail",
    "Direction": "Inbound",
    "Domain": "contoso.com",
    "Spoofed User": "ceo@contoso.com",
    "True Sender": "x.example",
    "Sending Infrastructure": "192.0.2.0/24",
    "Count": "12",
    "Spoof Type": "Internal",
    "Result": "Blocked",
    "SPF": "fail",
}


def test_own_names_are_said_and_all_rows_are_objects():
    found = reading(
        SOURCE, table([ROW, ROW, ROW | {"Spoof Type": "External", "Sending Infrastructure": "y.example"}])
    )
    said = "192.0.2.0/24 wrote 24 mails in the organisation's own name, as ceo@contoso.com."
    assert [str(note.text) for note in found.notes] == [said]
    objects = Tenant(found.others[:-1]).objects("Get-SpoofMailReport")
    assert [item.properties["Count"] for item in objects] == [12, 12, 12]
    assert (found.counted.rows, found.counted.first.day, found.rows, found.gaps) == (3, 20, [], [])


def test_a_row_without_its_facts_is_a_gap():
    found = reading(SOURCE, table([ROW | {"Count": "x"}, ROW | {"Sending Infrastructure": ""}, ROW]))
    assert ([gap.origin.line for gap in found.gaps], found.counted.rows) == ([2, 3], 3)
