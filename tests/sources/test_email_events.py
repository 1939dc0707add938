"""EmailEvents: both senders, verdicts, and what "none" and "not asked" mean."""

import csv
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portero.core.evidence import Gap
from portero.sources.document import Batch, Document, Note
from portero.sources.email_events import SOURCE
from portero.sources.head import head_of

MAIL = {
    "Timestamp": "2026-11-20T10:00:00.1234567Z",
    "NetworkMessageId": "A5E6DC0F-23DF-4B20-D240-08DAB38944A1",
    "InternetMessageId": "<x@a.com>",
    "SenderMailFromAddress": "<>",
    "SenderFromAddress": "ceo@a.com",
    "SenderDisplayName": "The boss",
    "SenderIPv4": "192.0.2.1",
    "SenderIPv6": "",
    "RecipientEmailAddress": "U@a.com",
    "Subject": "s",
    "EmailDirection": "Inbound",
    "DeliveryAction": "Delivered",
    "DeliveryLocation": "Inbox/folder",
    "ThreatTypes": "",
    "AuthenticationDetails": '{"SPF":"Fail","DKIM":"none","DMARC":"fail","CompAuth":"softpass"}',
    "Connectors": "",
    "EmailSize": "12",
}


def read(raw: bytes):
    document = Document("t", head_of(raw), lambda: io.BytesIO(raw), len(raw))
    assert SOURCE.recognise(document.head)
    items = list(SOURCE.read(document))
    rows = [line for item in items if isinstance(item, Batch) for line in item.rows.to_pylist()]
    return (
        rows,
        [item for item in items if isinstance(item, Gap)],
        [item for item in items if isinstance(item, Note)],
    )


def table(*mails, rename=lambda name: name):
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(rename(name) for name in mails[0])
    writer.writerows(mail.values() for mail in mails)
    return text.getvalue().encode()


def test_both_senders_and_every_verdict_are_read():
    (row,), gaps, notes = read(table(MAIL))
    assert (row["mail_from"], row["header_from"], row["display_name"]) == ("", "ceo@a.com", "The boss")
    assert (row["spf"], row["dkim"], row["dmarc"], row["compauth"]) == ("fail", "none", "fail", "softpass")
    assert (row["recipients"], row["message_id"], row["client_ip"]) == ("u@a.com", "x@a.com", "192.0.2.1")
    assert (row["connector"], row["direction"], row["threat"]) == ("", "incoming", "")
    assert (row["outcome"], row["size_octets"], gaps, notes) == ("delivered", 12, [], [])


@pytest.mark.parametrize("rename", [lambda name: name + "1", lambda name: name + " [UTC]"])
def test_a_join_or_log_analytics_renames_the_columns(rename):
    (row,), gaps, _ = read(table(MAIL, rename=rename))
    assert (row["header_from"], gaps) == ("ceo@a.com", [])
    assert row["observed_at"] is not None


def test_no_address_is_known_only_when_both_families_were_asked_for():
    silent = MAIL | {"SenderIPv4": ""}
    half = {name: value for name, value in silent.items() if name != "SenderIPv6"}
    assert read(table(silent, silent | {"SenderIPv6": "2001:db8::1"}))[0][1]["client_ip"] == "2001:db8::1"
    assert [read(table(mail))[0][0]["client_ip"] for mail in (silent, half)] == ["", None]


def test_a_column_left_out_is_unknown_and_not_empty():
    (row,), _, _ = read(table({name: value for name, value in MAIL.items() if name != "Connectors"}))
    assert row["connector"] is None


@pytest.mark.parametrize(
    ("action", "location", "outcome"),
    [
        ("Blocked", "Quarantine", "quarantined"),
        ("Junked", "Junk folder", "junked"),
        ("Blocked", "Dropped", "blocked"),
        ("Replaced", "Inbox/folder", "delivered"),
        ("Delivered", "On-premises/External", "delivered"),
        ("Blocked", "Failed", "failed"),
        ("Teleported", "", None),
    ],
)
def test_where_a_mail_went_is_more_exact_than_what_was_done(action, location, outcome):
    assert (
        read(table(MAIL | {"DeliveryAction": action, "DeliveryLocation": location}))[0][0]["outcome"]
        == outcome
    )


@pytest.mark.parametrize(
    ("types", "threat"), [("Phish, Spam", "perhaps-spoof"), ("Malware", "malware"), ("New", None)]
)
def test_threats_are_named_by_the_gravest(types, threat):
    assert read(table(MAIL | {"ThreatTypes": types}))[0][0]["threat"] == threat


@pytest.mark.parametrize(
    ("methods", "threat"),
    [
        ('{"Phish":["Spoof intra-org"]}', "spoof"),
        ('{"Phish":["Spoof intra-org"],"Spam":["Advanced filter"]}', "spoof"),
        ('{"Phish":["Spoof intra-org","URL detonation"]}', "phish"),
        ("Spoof external domain", "spoof"),
        ("", "perhaps-spoof"),
    ],
)
def test_a_phish_that_only_fails_authentication_is_a_spoof(methods, threat):
    found = read(table(MAIL | {"ThreatTypes": "Phish", "DetectionMethods": methods}))
    assert found[0][0]["threat"] == threat


@pytest.mark.parametrize("details", ["", "[" * 4000, '{"SPF":1}', '{"SPF":"pa'])
def test_verdicts_that_cannot_be_read_are_unknown(details):
    assert read(table(MAIL | {"AuthenticationDetails": details}))[0][0]["spf"] is None


def test_rows_at_the_cap_of_the_portal_are_probably_cut():
    line = table(MAIL).splitlines(keepends=True)
    assert len(read(line[0] + line[1] * 30_000)[2]) == 1


@given(st.binary(max_size=400))
def test_nothing_behind_the_heading_raises(tail):
    read(table(MAIL) + tail)


@pytest.mark.parametrize(
    "wrap",
    [
        lambda mail: {"schema": [{"name": "Timestamp", "type": "datetime"}], "results": [mail]},
        lambda mail: {
            "records": [
                {"time": "t", "category": "AdvancedHunting-EmailEvents", "properties": mail},
                {"time": "t", "category": "AdvancedHunting-EmailUrlInfo", "properties": {"Url": "u"}},
            ]
        },
    ],
)
def test_hunting_answers_and_streamed_records_say_the_same_as_the_portal(wrap):
    streamed = MAIL | {"Connectors": None, "ThreatTypes": None, "SenderIPv6": None, "EmailSize": 12}
    (row,), _, _ = read(json.dumps(wrap(streamed)).encode())
    (same,), _, _ = read(table(MAIL))
    assert row | {"line": 2} == same
