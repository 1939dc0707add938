"""The Extended report: both senders, the session, and which events count."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portero.core.evidence import Gap
from portero.sources import message_trace_enhanced, message_trace_v2
from portero.sources.document import Batch, Document, Note
from portero.sources.head import head_of
from portero.sources.message_trace_extended import SOURCE

NAMES = [
    "date_time_utc",
    "client_ip",
    "client_hostname",
    "server_ip",
    "server_hostname",
    "source_context",
    "connector_id",
    "source",
    "event_id",
    "internal_message_id",
    "message_id",
    "network_message_id",
    "recipient_address",
    "recipient_status",
    "total_bytes",
    "recipient_count",
    "related_recipient_address",
    "reference",
    "message_subject",
    "sender_address",
    "return_path",
    "message_info",
    "directionality",
    "tenant_id",
    "original_client_ip",
    "original_server_ip",
    "custom_data",
]
ARRIVAL = dict.fromkeys(NAMES, "") | {
    "date_time_utc": "2026-11-20T10:00:00.123Z",
    "client_ip": "2603:10a6::1",
    "connector_id": "SRV01\\Default SRV01",
    "source": "SMTP",
    "event_id": "RECEIVE",
    "message_id": "<x@a.com>",
    "network_message_id": "A5E6DC0F-23DF-4B20-D240-08DAB38944A1",
    "recipient_address": "U@a.com;v@a.com",
    "total_bytes": "12",
    "sender_address": "ceo@a.com",
    "return_path": "<>",
    "directionality": "Incoming",
    "custom_data": "S:FromEntity=Internet;S:ProxiedClientIPAddress=192.0.2.1;S:ProxiedClientHostname=[192.0.2.1];S:X=1",
}


def table(*events):
    text = io.StringIO()
    writer = csv.DictWriter(text, NAMES)
    writer.writeheader()
    writer.writerows(ARRIVAL | event for event in events)
    return text.getvalue().encode("utf-16-le")  # without a mark, as the service writes it


def read(raw: bytes):
    document = Document("t.csv", head_of(raw), lambda: io.BytesIO(raw), len(raw))
    assert [
        trace.id
        for trace in (message_trace_v2.SOURCE, message_trace_enhanced.SOURCE, SOURCE)
        if trace.recognise(document.head)
    ] == [SOURCE.id]
    items = list(SOURCE.read(document))
    rows = [line for item in items if isinstance(item, Batch) for line in item.rows.to_pylist()]
    return (
        rows,
        [item for item in items if isinstance(item, Gap)],
        [item for item in items if isinstance(item, Note)],
    )


def test_an_arrival_names_both_senders_and_its_session():
    (row,), gaps, notes = read(table({}))
    assert (row["mail_from"], row["header_from"], row["sender"]) == ("", "ceo@a.com", None)
    assert (row["client_ip"], row["ehlo"], row["connector"]) == ("192.0.2.1", "[192.0.2.1]", "")
    assert (row["direction"], row["outcome"], row["recipients"]) == ("incoming", None, "u@a.com;v@a.com")
    assert (gaps, notes) == ([], [])


def test_a_named_connector_counts_at_arrival_only():
    named = {"connector_id": "From the printers"}
    rows, _, _ = read(table(named, named | {"event_id": "SEND"}))
    assert [row["connector"] for row in rows] == ["From the printers", None]


def test_the_store_driver_submits_own_mail_and_delivers_everybodys():
    driver = {"source": "STOREDRIVER", "custom_data": ""}
    rows, _, _ = read(table(driver, driver | {"event_id": "DELIVER"}))
    assert [(row["direction"], row["client_ip"]) for row in rows] == [("originating", ""), ("incoming", None)]


@pytest.mark.parametrize(("address", "client"), [("198.51.100.7", "198.51.100.7"), ("255.255.255.255", None)])
def test_the_column_goes_before_custom_data_and_a_placeholder_is_no_address(address, client):
    assert read(table({"original_client_ip": address}))[0][0]["client_ip"] == client


def test_the_spam_filters_summary_tells_the_session_too():
    summary = "S:AMA=SUM|v=0|;S:SFA=SUM|SFV=SPM|SCL=9|CIP=192.0.2.9|H=printer|CTRY=ES|"
    (row,), _, _ = read(table({"event_id": "AGENTINFO", "custom_data": summary}))
    assert (row["client_ip"], row["ehlo"]) == ("192.0.2.9", "printer")


def test_ends_are_told_and_inner_steps_are_counted():
    events = ("DELIVER", "FAIL", "EXPAND", "DROP", "DEFER", "TRANSFER", "RESOLVE")
    rows, _, notes = read(table(*({"event_id": event} for event in events)))
    assert [row["outcome"] for row in rows] == ["delivered", "failed", "expanded", "blocked", "pending"]
    assert [dict(note.text.values)["n"] for note in notes] == [2]


def test_an_empty_return_path_is_unknown():
    assert read(table({"return_path": ""}))[0][0]["mail_from"] is None


@given(st.binary(max_size=400))
def test_nothing_behind_the_heading_raises(tail):
    read(table({}) + tail)


@pytest.mark.parametrize(
    ("data", "threat"),
    [
        ("S:SFA=SUM|SFV=SPM|IPV=CAL|SCL=9|CAT=SPOOF|CIP=192.0.2.1|", "spoof"),
        ("S:SFA=SUM|SFV=NSPM|CAT=NONE|", ""),
        ("S:SFA=SUM|SFV=SPM|CAT=BULK|", "spam"),
        ("S:SFA=SUM|SFV=NSPM|CAT=BULK|", ""),
        ("S:SFA=SUM|SFV=NSPM|;S:AMA=SUM|v=1|action=b|error=|atch=2", "malware"),
        ("S:AMA=SUM|v=0|action=|error=|atch=2", None),
        ("S:FromEntity=Internet", None),
    ],
)
def test_the_filters_word_is_read(data, threat):
    (row,), _, _ = read(table({"event_id": "AGENTINFO", "custom_data": data}))
    assert row["threat"] == threat


def test_times_in_a_local_form_are_told_by_the_column():
    rows, gaps, _ = read(
        table({"date_time_utc": "11/20/2026 1:00:00 PM"}, {"date_time_utc": "1/2/2026 1:00 PM"})
    )
    assert ([(row["observed_at"].month, row["observed_at"].hour) for row in rows], gaps) == (
        [(11, 13), (1, 13)],
        [],
    )
