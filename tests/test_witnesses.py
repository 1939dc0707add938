"""Many witnesses of one mail are one mail, whatever each of them knows it by."""

import json

from portero.core.finding import Profile
from portero.wiring import audit
from support.reading import table

GUID = "a5e6dc0f-23df-4b20-d240-08dab38944a1"
ID = "<scan-1@mfp.contoso.com>"
TIME = "2026-11-20T10:00:00.0000000Z"
FILES = {
    "v2.csv": table(
        [
            {
                "MessageTraceId": GUID,
                "MessageId": ID,
                "Received": TIME,
                "SenderAddress": "scan@contoso.com",
                "RecipientAddress": f"{name}@contoso.com",
                "Subject": "Scan",
                "Status": "Delivered",
                "FromIP": "203.0.113.8",
            }
            for name in ("u", "v")
        ]
    ),
    "detail.csv": table(
        [
            {
                "Date": TIME,
                "MessageId": ID,
                "MessageTraceId": GUID,
                "Event": "Receive",
                "Action": "",
                "Detail": "",
                "Data": '<root><MEP Name="ReturnPath" String="scan@contoso.com"/><MEP Name="ConnectorId" String="S\\Default S"/></root>',
            }
        ]
    ),
    "graph-detail.json": json.dumps(
        {
            "value": [
                {
                    # Not the trace's id, as far as anybody says.
                    "id": "11111111-23df-4b20-d240-08dab38944a1",
                    "messageId": ID,
                    "dateTime": TIME,
                    "event": "RECEIVE",
                    "action": "",
                    "description": "",
                    "data": '<root><MEP Name="ReturnPath" String="scan@contoso.com"/></root>',
                }
            ]
        }
    ),
    "connector.csv": table(
        [
            {
                "date_time_utc": TIME,
                "message_id": ID,
                "sender_address": "scan@contoso.com",
                "connector_name": "",
                "direction": "Received",
                "tls_version": "No Tls",
            }
        ]
    ),
    "quarantine.csv": table(
        [
            {
                "Identity": f"22222222-23df-4b20-d240-08dab38944a1\\{GUID}",
                "ReceivedTime": TIME,
                "SenderAddress": "scan@contoso.com",
                "RecipientAddress": "u@contoso.com",
                "MessageId": ID,
                "QuarantineTypes": "Spam",
                "Direction": "Inbound",
                "ReleaseStatus": "RELEASED",
            }
        ]
    ),
    "audit.json": json.dumps(
        [
            {
                "RecordType": 28,
                "Operation": "TIMailData",
                "Workload": "ThreatIntelligence",
                "CreationTime": TIME,
                "NetworkMessageId": GUID,
                "P1Sender": "scan@contoso.com",
                "P2Sender": "scan@contoso.com",
                "SenderIp": "203.0.113.8",
                "Directionality": "Inbound",
                "Connectors": "",
            }
        ]
    ),
    "domains.json": json.dumps(
        [{"DomainName": "contoso.com", "DomainType": "Authoritative", "MatchSubDomains": False}]
    ),
}


def test_seven_witnesses_are_one_mail_of_one_sender(tmp_path):
    for name, content in FILES.items():
        (tmp_path / name).write_text(content)
    found = audit([tmp_path], config=None, profile=Profile.STANDARD, progress=lambda _: None)
    assert {each.kind for each in found.coverage} >= {
        "message-trace-detail",
        "connector-report",
        "quarantine",
        "audit-log",
    }
    assert (found.totals.ours, found.totals.others) == (1, 0)
    (sender,) = found.senders
    assert sender.mails == 1
    assert set(sender.witnesses.values()) == {1}
    assert len(sender.witnesses) == 5
    assert sender.mail_from_domains == ("contoso.com",)


def test_the_order_of_the_files_changes_nothing(tmp_path):
    results = []
    for turn, names in enumerate((sorted(FILES), sorted(FILES, reverse=True))):
        folder = tmp_path / str(turn)
        folder.mkdir()
        for place, name in enumerate(names):
            (folder / f"{place}-{name}").write_text(FILES[name])
        found = audit([folder], config=None, profile=Profile.STANDARD, progress=lambda _: None)
        results.append([(each.id, each.mails, each.path, each.judgement) for each in found.senders])
    assert results[0] == results[1]
