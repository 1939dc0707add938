"""The trace of Microsoft Graph: pages of the API and what PowerShell makes of them."""

import io
import json

import pytest

from portero.core.evidence import Gap
from portero.sources import message_trace_enhanced, message_trace_v2
from portero.sources.document import Batch, Document
from portero.sources.head import head_of
from portero.sources.message_trace_graph import SOURCE

MAIL = {
    "id": "A5E6DC0F-23DF-4B20-D240-08DAB38944A1",
    "senderAddress": "p@a.com",
    "recipientAddress": "U@a.com",
    "messageId": "<x@a.com>",
    "receivedDateTime": "2026-11-20T10:00:00.1234567Z",
    "subject": None,
    "size": 12,
    "fromIP": "192.0.2.1",
    "toIP": None,
    "status": "filteredAsSpam",
}


def read(value):
    raw = json.dumps(value).encode()
    document = Document("t.json", head_of(raw), lambda: io.BytesIO(raw), len(raw))
    assert [
        trace.id
        for trace in (message_trace_v2.SOURCE, message_trace_enhanced.SOURCE, SOURCE)
        if trace.recognise(document.head)
    ] == [SOURCE.id]
    items = list(SOURCE.read(document))
    rows = [line for item in items if isinstance(item, Batch) for line in item.rows.to_pylist()]
    return rows, [item for item in items if isinstance(item, Gap)]


@pytest.mark.parametrize(
    "value",
    [
        {"@odata.context": "u", "value": [MAIL]},
        {name[0].upper() + name[1:]: cell for name, cell in MAIL.items()} | {"AdditionalProperties": {}},
    ],
    ids=["page", "powershell"],
)
def test_a_page_and_a_single_object_of_powershell_say_the_same(value):
    (row,), gaps = read(value)
    assert (row["network_message_id"], row["message_id"]) == (MAIL["id"].lower(), "x@a.com")
    assert (row["sender"], row["recipients"], row["client_ip"]) == ("p@a.com", "u@a.com", "192.0.2.1")
    assert (row["outcome"], row["size_octets"], row["connector"], gaps) == ("junked", 12, None, [])


def test_mail_without_an_address_came_from_within():
    assert read([MAIL | {"fromIP": None}])[0][0]["client_ip"] == ""


def test_a_time_that_cannot_be_read_keeps_its_row():
    (row,), (gap,) = read([MAIL | {"receivedDateTime": "soon"}])
    assert (row["observed_at"], gap.count) == (None, 1)


def test_a_status_that_is_new_is_unknown():
    assert read([MAIL | {"status": "unknownFutureValue"}])[0][0]["outcome"] is None
