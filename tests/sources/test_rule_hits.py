"""Transport rule reports: mails, and which rules touched them."""

from portero.sources.rule_hits import SOURCE
from support.reading import reading, table

ROW = {
    "Date": "2026-11-20T10:00:00Z",
    "MessageId": "<a@x>",
    "MessageTraceId": "A5E6DC0F-23DF-4B20-D240-08DAB38944A1",
    "Domain": "contoso.com",
    "Subject": "x",
    "Direction": "Inbound",
    "SenderAddress": "a@contoso.com",
    "RecipientAddress": "B@contoso.com",
    "TransportRule": "Allow the scanners",
    "EventType": "TransportRuleHits",
    "Action": "SetScl",
}


def test_a_row_is_a_mail_and_its_rule_is_said():
    found = reading(SOURCE, table([ROW, ROW | {"TransportRule": "Other"}, ROW]))
    assert {row["network_message_id"] for row in found.rows} == {"a5e6dc0f-23df-4b20-d240-08dab38944a1"}
    assert (found.rows[0]["sender"], found.rows[0]["recipients"]) == ("a@contoso.com", "b@contoso.com")
    assert [str(note.text) for note in found.notes] == [
        "Rule “Allow the scanners” touched 2 rows (SetScl).",
        "Rule “Other” touched 1 row (SetScl).",
    ]
