"""Message trace detail: the session out of XML, the fate, and what joins it to the summary."""

import json
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portero.sources.message_trace_detail import SOURCE, mep_facts
from support.reading import reading, table

RECEIVE = (
    '<root><MEP Name="ServerHostName" String="AM0PR01MB1"/><MEP Name="ConnectorId" String="AM0PR01MB1\\Default AM0PR01MB1"/>'
    '<MEP Name="ReturnPath" String="scan@contoso.com"/><MEP Name="RcptCount" Integer="1"/>'
    '<MEP Name="CustomData" Blob="S:ProxyHop1=x(10.0.0.1);S:FromEntity=Internet;S:ProxiedClientIPAddress=192.0.2.7;'
    'S:ProxiedClientHostname=[192.0.2.7]"/></root>'
)
ROW = {
    "Date": "2026-11-20T10:00:00.1234567Z",
    "MessageId": "<a@contoso.com>",
    "MessageTraceId": "A5E6DC0F-23DF-4B20-D240-08DAB38944A1",
    "Event": "Receive",
    "Action": "",
    "Detail": "Message received by: AM0PR01MB1",
    "Data": RECEIVE,
}


def test_the_arrival_tells_envelope_client_and_that_no_connector_took_it():
    found = reading(SOURCE, table([ROW, ROW | {"Event": "Deliver", "Data": ""}, ROW | {"Event": "Submit"}]))
    arrival, end = found.rows
    assert arrival["network_message_id"] == "a5e6dc0f-23df-4b20-d240-08dab38944a1"
    assert (arrival["mail_from"], arrival["client_ip"], arrival["ehlo"]) == (
        "scan@contoso.com",
        "192.0.2.7",
        "[192.0.2.7]",
    )
    assert (arrival["connector"], arrival["direction"], arrival["outcome"]) == ("", "incoming", None)
    assert arrival["observed_at"] == datetime(2026, 11, 20, 10, 0, 0, 123456)  # noqa: DTZ001
    assert (end["outcome"], end["connector"], end["mail_from"]) == ("delivered", None, None)
    assert (len(found.gaps), len(found.notes)) == (0, 1)


def test_a_named_connector_is_named_at_arrival_and_not_at_departure():
    data = '<root><MEP Name="ConnectorId" String="From the printers"/></root>'
    found = reading(SOURCE, table([ROW | {"Data": data}, ROW | {"Data": data, "Event": "Send external"}]))
    assert [row["connector"] for row in found.rows] == ["From the printers", None]


def test_graph_joins_by_message_id_since_its_id_is_not_said_to_be_the_trace():
    value = {
        "id": "a5e6dc0f-23df-4b20-d240-08dab38944a1",
        "messageId": "<a@contoso.com>",
        "dateTime": "2026-11-20T10:00:00Z",
        "event": "RECEIVE",
        "action": "",
        "description": "",
        "data": RECEIVE,
    }
    found = reading(SOURCE, json.dumps({"value": [value, value | {"messageId": ""}]}))
    assert [row["network_message_id"] for row in found.rows] == [None, value["id"]]
    assert [row["message_id"] for row in found.rows] == ["a@contoso.com", ""]


@pytest.mark.parametrize(
    "data",
    [
        "<root><MEP Name='A' String='x'",
        "<!DOCTYPE r [<!ENTITY a 'b'>]><root><MEP Name='ReturnPath' String='&a;'/></root>",
        "<root>" * 9,
        "no xml",
    ],
)
def test_data_that_is_no_plain_xml_is_a_gap_and_the_event_stays(data):
    found = reading(SOURCE, table([ROW | {"Data": data}]))
    assert (len(found.rows), found.rows[0]["mail_from"]) == (1, None)
    assert [gap.count for gap in found.gaps] == [1]


def test_the_filters_word_is_read():
    blob = '<root><MEP Name="CustomData" Blob="S:SFA=SUM|SFV=SPM|CIP=192.0.2.7|H=printer|CAT=PHSH|"/></root>'
    (row,) = reading(SOURCE, table([ROW | {"Event": "Spam", "Data": blob}])).rows
    assert (row["threat"], row["client_ip"], row["ehlo"], row["outcome"]) == (
        "phish",
        "192.0.2.7",
        "printer",
        "junked",
    )


@given(st.text())
def test_no_data_raises(text):
    assert mep_facts(text) is None or isinstance(mep_facts(text), dict)
