"""Get-MessageTraceV2 CSV: type line, delimiter, what the source does not know."""

import io

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
