"""Mail flow status: sums by event; the summary without its category is refused."""

import json

from portero.sources.mail_flow_status import SOURCE
from support.reading import reading, table

ROW = {"Date": "2026-11-20T00:00:00Z", "Direction": "Inbound", "EventType": "GoodMail", "Count": 120}


def test_sums_are_said_and_counted():
    for content in (table([ROW, ROW | {"EventType": "EdgeBlockSpam"}]), json.dumps([ROW, ROW])):
        found = reading(SOURCE, content)
        assert (found.counted.rows, found.rows, found.gaps) == (2, [], [])
    assert str(found.notes[0].text) == "Inbound, GoodMail: 240 mails."


def test_nameless_columns_are_refused():
    found = reading(SOURCE, table([{"C1": "Inbound", "C2": "x", "C3": "5"}]))
    assert (found.counted, len(found.gaps)) == (None, 1)
