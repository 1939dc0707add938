"""Headers of quarantined mails, as the cmdlet prints them into a table."""

import json

from portero.sources.quarantine_header import SOURCE
from support.reading import reading, table

HEADER = (
    "Received: from MFP (192.0.2.7) by DB5EUR03FT047.mail.protection.outlook.com\r\n (10.152.20.1) with Microsoft SMTP Server;"
    " Fri, 20 Nov 2026 10:00:00 +0000\r\nX-MS-Exchange-Organization-AuthAs: Anonymous\r\nFrom: a@contoso.com\r\n"
    "X-MS-Exchange-Organization-Network-Message-Id: a5e6dc0f-23df-4b20-d240-08dab38944a1\r\nSubject: x\r\n"
)


def test_table_and_json_say_the_same():
    rows = [{"Identity": "g\\h", "Organization": "o", "Header": HEADER}]
    for content in (table(rows), json.dumps(rows)):
        found = reading(SOURCE, content)
        (row,) = found.rows
        assert (row["client_ip"], row["header_from"], row["outcome"]) == (
            "192.0.2.7",
            "a@contoso.com",
            "quarantined",
        )
        assert (found.gaps, found.counted) == ([], None)


def test_a_header_of_elsewhere_is_counted_and_named():
    found = reading(
        SOURCE, table([{"Identity": "g", "Header": "Received: from a by b.example; x\nFrom: a@b\n"}])
    )
    assert (found.rows, found.counted.rows, [gap.count for gap in found.gaps]) == ([], 1, [1])
