"""The Summary download: headings for people, and times only under a heading that says UTC."""

import io

from portero.core.evidence import Gap
from portero.sources import message_trace_enhanced, message_trace_v2
from portero.sources.document import Batch, Document
from portero.sources.head import head_of
from portero.sources.message_trace_summary import SOURCE

HEAD = "Date (UTC),Sender address,Recipient address,Subject,Status,From IP,Message ID\n"
TABLE = HEAD + "11/24/2026 6:05 PM,p@a.com,U@a.com,s,Filtered as spam,,<1@a.com>\n"


def read(text: str):
    raw = text.encode()
    document = Document("t.csv", head_of(raw), lambda: io.BytesIO(raw), len(raw))
    assert [
        trace.id
        for trace in (message_trace_v2.SOURCE, message_trace_enhanced.SOURCE, SOURCE)
        if trace.recognise(document.head)
    ] == [SOURCE.id]
    items = list(SOURCE.read(document))
    (row,) = [line for item in items if isinstance(item, Batch) for line in item.rows.to_pylist()]
    return row, [item for item in items if isinstance(item, Gap)]


def test_a_row_is_read_and_an_empty_address_is_unknown():
    row, gaps = read(TABLE)
    assert (row["sender"], row["recipients"], row["outcome"], row["client_ip"]) == (
        "p@a.com",
        "u@a.com",
        "junked",
        None,
    )
    assert (row["observed_at"].hour, gaps) == (18, [])


def test_a_time_of_unknown_zone_is_not_used_and_is_named():
    row, (gap,) = read(TABLE.replace("Date (UTC)", "Date"))
    assert (row["observed_at"], gap.count) == (None, 1)


def test_a_day_that_could_be_a_month_is_no_time():
    row, (gap,) = read(TABLE.replace("11/24/2026", "9/5/2026"))
    assert (row["observed_at"], gap.count) == (None, 1)


def test_without_ids_it_says_that_nothing_joins_it_to_other_evidence():
    bare = TABLE.replace(",Message ID", "").replace(",<1@a.com>", "")
    _, (gap,) = read(bare)
    assert ("no message ids" in gap.reason.template, gap.count) == (True, 1)
