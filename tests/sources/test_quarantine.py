"""Quarantine lists: mails that were held back."""

import json

from portero.sources.quarantine import SOURCE
from support.reading import reading, table

ROW = {
    "Identity": "C14401CF-aa9a-465b-cfd5-08d0f0ca37c5\\4c2ca98e-94ea-db3a-7eb8-3b63657d4db7",
    "ReceivedTime": "2026-11-20T10:00:00",
    "SenderAddress": "ceo@contoso.com",
    "RecipientAddress": ["U@contoso.com"],
    "Subject": "Invoice",
    "MessageId": "<a@x>",
    "QuarantineTypes": "HighConfPhish",
    "PolicyType": "HostedContentFilterPolicy",
    "Direction": "Inbound",
    "ReleaseStatus": "NOTRELEASED",
    "Size": 12,
}


def test_the_cmdlets_objects():
    found = reading(SOURCE, json.dumps([ROW, ROW | {"MessageId": "", "ReleaseStatus": "RELEASED"}]))
    first, second = found.rows
    assert (first["sender"], first["mail_from"], first["recipients"]) == (
        "ceo@contoso.com",
        None,
        "u@contoso.com",
    )
    assert (first["direction"], first["outcome"], first["threat"]) == ("incoming", "quarantined", "phish")
    # The first half of the identity is seen to be the mail's id, which is nowhere documented.
    assert (first["message_id"], first["network_message_id"]) == ("a@x", None)
    assert second["network_message_id"] == "c14401cf-aa9a-465b-cfd5-08d0f0ca37c5"
    assert second["outcome"] == "delivered"
    assert found.gaps == []


def test_the_portals_table_and_a_full_page():
    row = {
        "Time received": "20/11/2026 10:00:00",
        "Subject": "x",
        "Sender": "a@contoso.com",
        "Quarantine reason": "Spam",
        "Release status": "Needs review",
        "Recipient": "b@contoso.com",
    }
    found = reading(SOURCE, table([row] * 100))
    assert (len(found.rows), found.rows[0]["threat"], found.rows[0]["observed_at"].day) == (100, "spam", 20)
    assert len(found.notes) == 1
