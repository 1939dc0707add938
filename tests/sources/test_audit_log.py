"""Unified audit log: mails with both senders, and changes with who and when."""

import json

from hypothesis import given
from hypothesis import strategies as st

from portero.core.evidence import ConfigAnswer, ConfigObject
from portero.core.exchange.audit_log import changes_of
from portero.core.exchange.settings import Tenant
from portero.sources.audit_log import SOURCE
from support.reading import reading, table

MAIL = {
    "Id": "1",
    "RecordType": 28,
    "CreationTime": "2026-11-20T10:05:00",
    "Operation": "TIMailData",
    "Workload": "ThreatIntelligence",
    "NetworkMessageId": "A5E6DC0F-23DF-4B20-D240-08DAB38944A1",
    "InternetMessageId": "<a@x>",
    "MessageTime": "2026-11-20T10:00:00",
    "P1Sender": "ceo@contoso.com",
    "P2Sender": "ceo@contoso.com",
    "SenderIp": "192.0.2.7",
    "Recipients": ["U@contoso.com", "v@contoso.com"],
    "Subject": "Invoice",
    "Verdict": "Phish",
    "DeliveryAction": "Blocked",
    "LatestDeliveryLocation": "Quarantine",
    "Directionality": "Inbound",
    "Connectors": "",
    "AuthDetails": [{"Name": "SPF", "Value": "Fail"}, {"Name": "Composite Authentication", "Value": "fail"}],
}
CHANGE = {
    "RecordType": 1,
    "CreationTime": "2026-11-21T10:00:00",
    "Operation": "Set-OrganizationConfig",
    "UserId": "admin@contoso.com",
    "Workload": "Exchange",
    "ObjectId": "contoso.onmicrosoft.com",
    "Parameters": [{"Name": "RejectDirectSend", "Value": "True"}],
}


def cmdlet(*records):
    return table(
        {
            "RecordType": "x",
            "CreationDate": "11/20/2026 10:05:00 AM",
            "UserIds": "x",
            "Operations": each["Operation"],
            "AuditData": json.dumps(each),
            "ResultIndex": "1",
        }
        for each in records
    )


def test_a_caught_mail_has_both_senders_address_and_no_connector():
    for content in (cmdlet(MAIL), json.dumps([MAIL])):
        (row,) = reading(SOURCE, content).rows
        assert (row["mail_from"], row["header_from"], row["client_ip"]) == (
            "ceo@contoso.com",
            "ceo@contoso.com",
            "192.0.2.7",
        )
        assert (row["network_message_id"], row["message_id"]) == (
            "a5e6dc0f-23df-4b20-d240-08dab38944a1",
            "a@x",
        )
        assert (row["connector"], row["direction"], row["outcome"], row["threat"]) == (
            "",
            "incoming",
            "quarantined",
            "phish",
        )
        assert (row["spf"], row["recipients"]) == ("fail", "u@contoso.com;v@contoso.com")
        assert (row["observed_at"].hour, row["observed_at"].minute) == (10, 0)


def test_an_older_record_does_not_say_that_there_was_no_connector():
    old = {name: value for name, value in MAIL.items() if name not in {"Connectors", "AuthDetails"}}
    (row,) = reading(SOURCE, cmdlet(old)).rows
    assert (row["connector"], row["spf"]) == (None, None)


def test_changes_are_objects_newest_first_and_the_rest_is_counted():
    earlier = CHANGE | {
        "Operation": "New-InboundConnector",
        "CreationTime": "2026-11-01T10:00:00",
        "Parameters": [{"Name": "Name", "Value": "Scanners"}],
    }
    trivial = CHANGE | {"Parameters": [{"Name": "MailTipsAllTipsEnabled", "Value": "True"}]}
    found = reading(SOURCE, cmdlet(earlier, CHANGE, trivial, CHANGE | {"Operation": "Set-Mailbox"}))
    changes = [each for each in found.others if isinstance(each, ConfigObject)]
    assert [each.properties["Operation"] for each in changes] == [
        "Set-OrganizationConfig",
        "New-InboundConnector",
    ]
    tenant = Tenant(changes, [each for each in found.others if isinstance(each, ConfigAnswer)])
    [switch] = changes_of(tenant, "Set-OrganizationConfig", "RejectDirectSend")
    assert (switch.who, switch.day, switch.parameters) == (
        "admin@contoso.com",
        "2026-11-21",
        {"RejectDirectSend": "True"},
    )
    # A change is no doubt about the document, so no note says it.
    [note] = found.notes
    assert str(note.text).startswith("2 audit records")
    assert (found.counted.rows, found.rows, found.gaps) == (4, [], [])


def test_audit_data_that_is_no_json_is_a_gap():
    content = cmdlet(MAIL).replace("{", "<", 1)
    found = reading(SOURCE, content)
    assert [gap.count for gap in found.gaps] == [1]


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda x: st.lists(x, max_size=3)))
def test_values_of_any_kind_are_borne(value):
    reading(
        SOURCE, json.dumps([MAIL | {name: value for name in MAIL if name not in {"Operation", "Workload"}}])
    )
    reading(SOURCE, json.dumps([CHANGE | {"Parameters": value, "ObjectId": value}]))
