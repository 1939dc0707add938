"""Get-MessageTraceV2 CSV: type line, delimiter, what the source does not know."""

import io
import json
from datetime import datetime
from pathlib import Path

import pytest

from portero.core.evidence import Gap
from portero.sources.document import Batch, Document
from portero.sources.head import head_of
from portero.sources.message_trace_v2 import SOURCE

TRACE = """#TYPE Deserialized.Trace\r
"MessageId";"Received";"SenderAddress";"RecipientAddress";"Subject";"Status";"ToIP";"FromIP";"Size";"MessageTraceId"\r
"\\\\u003cx@a.com\\\\u003e";"2026-11-20T10:00:00.1234567";"p@a.com";"U@a.com";"s";"FilteredAsSpam";"";"";"1.23E+05";"A5E6"\r
"""


def test_a_semicolon_file_with_a_type_line_is_read():
    raw = TRACE.encode()
    document = Document("t.csv", head_of(raw), lambda: io.BytesIO(raw), len(raw))
    assert SOURCE.recognise(document.head)
    items = list(SOURCE.read(document))
    (row,) = [line for item in items if isinstance(item, Batch) for line in item.rows.to_pylist()]
    assert (row["line"], row["message_id"], row["recipients"], row["outcome"]) == (
        3,
        "x@a.com",
        "u@a.com",
        "junked",
    )
    assert (row["client_ip"], row["connector"], row["mail_from"], row["size_octets"]) == (
        "",
        None,
        None,
        None,
    )
    assert not [item for item in items if isinstance(item, Gap)]


def rows_of(raw: bytes):
    document = Document("t.json", head_of(raw), lambda: io.BytesIO(raw), len(raw))
    assert SOURCE.recognise(document.head)
    items = list(SOURCE.read(document))
    assert not [item for item in items if isinstance(item, Gap)]
    return [line for item in items if isinstance(item, Batch) for line in item.rows.to_pylist()]


def test_the_json_of_the_reporting_service_is_read_with_either_form_of_time():
    record = {
        "MessageId": "\\u003cx@a.com\\u003e",
        "Received": "/Date(1658751973240)/",
        "SenderAddress": "p@a.com",
        "RecipientAddress": "U@a.com",
        "FromIP": None,
        "Size": 7,
        "MessageTraceId": "A5E6",
    }
    rows = rows_of(json.dumps([record, record | {"Received": "2022-07-25T12:26:13.24"}]).encode())
    assert {row["observed_at"] for row in rows} == {datetime(2022, 7, 25, 12, 26, 13, 240_000)}  # noqa: DTZ001
    assert {(row["message_id"], row["client_ip"], row["size_octets"]) for row in rows} == {("x@a.com", "", 7)}


def test_what_a_siem_archived_is_read():
    folder = Path(__file__).resolve().parents[2] / "../shared/samples/m365-message-trace"
    files = sorted(folder.rglob("*.log"))
    if not files:
        pytest.skip("the samples of message traces are not beside the checkout")
    for file in files:
        rows = rows_of(file.read_bytes())
        assert rows
        assert all(row["observed_at"] and row["sender"] and "<" not in row["message_id"] for row in rows)


def test_times_in_the_computers_own_form_are_read_when_the_column_decides():
    one = TRACE.replace("2026-11-20T10:00:00.1234567", "9/5/2026 6:10 PM")
    both = one + one.splitlines()[-1].replace("9/5", "11/20") + "\r\n"
    assert [row["observed_at"].month for row in rows_of(both.encode())] == [9, 11]


def test_a_types_name_instead_of_data_is_unknown_and_named_with_its_remedy():
    raw = TRACE.replace("U@a.com", "System.String[]").replace('"s"', '"System.Outage"').encode()
    document = Document("t.csv", head_of(raw), lambda: io.BytesIO(raw), len(raw))
    items = list(SOURCE.read(document))
    (row,) = [line for item in items if isinstance(item, Batch) for line in item.rows.to_pylist()]
    (gap,) = [item for item in items if isinstance(item, Gap)]
    assert (row["recipients"], row["subject"], gap.count) == (None, "System.Outage", 1)
    assert "-join" in str(gap.reason)
