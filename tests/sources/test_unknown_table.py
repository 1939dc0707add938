"""Unknown headings: columns told by content, and nothing taken that is not certain."""

import pytest

from portero.sources import sources
from portero.sources.head import head_of
from portero.sources.unknown_table import SOURCE
from support.reading import reading, table

ROWS = [
    {
        "Fecha": f"2026-11-{day:02}T10:00:00Z",
        "Remitente observado": f"scan{day}@contoso.com",
        "Destinatario": "U@contoso.com",
        "Dirección IP": "192.0.2.7",
        "Motivo": "Direct Send",
        "Id": f"<{day}@x>",
    }
    for day in range(1, 9)
]


def test_columns_are_told_by_content_and_the_reader_is_told():
    found = reading(SOURCE, table(ROWS))
    row = found.rows[0]
    assert (row["sender"], row["recipients"], row["client_ip"]) == (
        "scan1@contoso.com",
        "u@contoso.com",
        "192.0.2.7",
    )
    assert (row["message_id"], row["observed_at"].day, row["mail_from"]) == ("1@x", 1, None)
    assert "Remitente observado (sender)" in str(found.notes[0].text)
    assert found.gaps == []


@pytest.mark.parametrize(
    "rows",
    [
        [row | {"Otro remitente": "x@contoso.com"} for row in ROWS],  # two senders
        [{("Buzón" if "Remit" in name else name): value for name, value in row.items()} for row in ROWS],
        [row | {"Remitente observado": "total"} for row in ROWS],
        ROWS[:1],
    ],
)
def test_what_is_not_certain_is_not_taken(rows):
    head = head_of(table(rows).encode())
    assert [each.id for each in sources() if each.recognise(head)] == []


def test_without_ids_the_doubt_is_said():
    found = reading(SOURCE, table([{n: v for n, v in row.items() if n != "Id"} for row in ROWS]))
    assert [gap.count for gap in found.gaps] == [8]
