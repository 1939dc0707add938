"""The Enhanced summary: encodings, recipients, blanked addresses, broken records."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portero.core.evidence import Gap
from portero.sources.document import Batch, Document, Note
from portero.sources.head import head_of
from portero.sources.message_trace_enhanced import SOURCE

HEADING = (
    "origin_timestamp_utc,sender_address,recipient_status,message_subject,total_bytes,message_id,network_message_id,"
    "original_client_ip,directionality,connector_id,delivery_priority\r\n"
)
GUID = "A5E6DC0F-23DF-4B20-D240-08DAB38944A1"


def row(
    at="2026-11-20T10:00:00.1234567Z",
    to="U@a.com##Receive, Deliver",
    subject="s",
    ip="192.0.2.1",
    way="Incoming",
):
    return f'{at},p@a.com,"{to}","{subject}",12,<x@a.com>,{GUID},{ip},{way},,Normal\r\n'


def read(raw: bytes):
    document = Document("t.csv", head_of(raw), lambda: io.BytesIO(raw), len(raw))
    assert SOURCE.recognise(document.head)
    items = list(SOURCE.read(document))
    rows = [line for item in items if isinstance(item, Batch) for line in item.rows.to_pylist()]
    return (
        rows,
        [item for item in items if isinstance(item, Gap)],
        [item for item in items if isinstance(item, Note)],
    )


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
def test_every_encoding_gives_the_same_rows(encoding):
    rows, gaps, _ = read((HEADING + row(subject="página")).encode(encoding))
    assert [(r["subject"], r["network_message_id"], r["message_id"]) for r in rows] == [
        ("página", GUID.lower(), "x@a.com")
    ]
    assert gaps == []


def test_recipients_are_unpacked_and_the_best_fate_stands():
    rows, _, _ = read((HEADING + row(to="U@a.com##Receive, Fail;v@a.com##Receive, Deliver")).encode())
    assert (rows[0]["recipients"], rows[0]["outcome"]) == ("u@a.com;v@a.com", "delivered")


def test_an_empty_address_is_unknown_and_an_own_mail_has_none():
    old = "2026-11-01T10:00:00Z"
    # Own mail of the same age stands first: the order of the rows must not matter.
    rows, _, _ = read(
        (HEADING + row(at=old, ip="", way="Originating") + row(at=old, ip="") + row(ip="") + row()).encode()
    )
    assert [r["client_ip"] for r in rows] == ["", None, None, "192.0.2.1"]


def test_the_default_receive_path_is_no_connector():
    rows, _, _ = read(
        (
            HEADING + row().replace(",,N", ",SRV01\\Default SRV01,N") + row().replace(",,N", ",Printers,N")
        ).encode()
    )
    assert [r["connector"] for r in rows] == ["", "Printers"]


def test_lines_stay_true_past_line_breaks_and_a_broken_record_is_named():
    rows, gaps, _ = read((HEADING + row(subject="a\nb") + "1,2\r\n" + "\r\n" + row()).encode())
    assert [r["line"] for r in rows] == [2, 6]
    assert [gap.origin.line for gap in gaps] == [4]


def test_a_time_that_cannot_be_read_keeps_its_row():
    rows, gaps, _ = read((HEADING + row(at="yesterday")).encode())
    assert [r["observed_at"] for r in rows] == [None]
    assert sum(gap.count for gap in gaps) == 1


def test_a_round_number_of_rows_is_probably_cut():
    assert len(read((HEADING + row() * 1000).encode())[2]) == 1
    assert read((HEADING + row() * 999).encode())[2] == []


@given(st.binary(max_size=400))
def test_nothing_behind_the_heading_raises(tail):
    read(HEADING.encode() + tail)


def test_a_types_name_in_any_column_does_not_raise():
    line = ",".join(["System.String[]"] * HEADING.count(",")) + ",Normal\r\n"
    rows, gaps, _ = read((HEADING + line + row()).encode())
    assert [r["client_ip"] for r in rows] == [None, "192.0.2.1"]
    assert [r["recipients"] for r in rows] == [None, "u@a.com"]
    assert sum("instead of data" in str(gap.reason) for gap in gaps) == HEADING.count(",")
