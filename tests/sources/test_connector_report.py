"""Connector report: bound by names, whatever of them is there."""

from portero.sources.connector_report import SOURCE
from support.reading import reading, table

ROW = {
    "date_time_utc": "2026-11-20T10:00:00Z",
    "message_id": "<a@contoso.com>",
    "network_message_id": "A5E6DC0F-23DF-4B20-D240-08DAB38944A1",
    "sender_address": "scan@contoso.com",
    "recipient_address": "U@contoso.com",
    "connector_name": "",
    "connector_type": "NoConnector",
    "direction": "Received",
    "tls_version": "No Tls",
    "original_client_ip": "192.0.2.7",
}


def test_mail_without_a_connector_is_known_to_have_none():
    found = reading(SOURCE, table([ROW]).encode("utf-16-le"))
    (row,) = found.rows
    assert (row["sender"], row["mail_from"], row["connector"]) == ("scan@contoso.com", None, "")
    assert (row["direction"], row["client_ip"], row["recipients"]) == (
        "incoming",
        "192.0.2.7",
        "u@contoso.com",
    )
    assert (found.gaps, found.notes) == ([], [])


def test_an_outbound_connector_is_no_inbound_one():
    (row,) = reading(SOURCE, table([ROW | {"connector_name": "Out", "direction": "Sent"}])).rows
    assert (row["connector"], row["direction"]) == (None, "originating")


def test_without_a_connector_column_nothing_is_claimed_and_the_reader_is_told():
    few = {name: ROW[name] for name in ("date_time_utc", "message_id", "tls_version", "sender_address")}
    found = reading(SOURCE, table([few]))
    assert found.rows[0]["connector"] is None
    assert len(found.notes) == 1


def test_times_in_a_local_form_are_told_by_the_column():
    found = reading(
        SOURCE,
        table(
            [ROW | {"date_time_utc": "20/11/2026 10:00:00"}, ROW | {"date_time_utc": "2/11/2026 10:00:00"}]
        ),
    )
    assert [row["observed_at"].day for row in found.rows] == [20, 2]
    found = reading(SOURCE, table([ROW | {"date_time_utc": "2/11/2026 10:00:00"}]))
    assert (found.rows[0]["observed_at"], len(found.gaps)) == (None, 1)
