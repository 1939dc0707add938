"""The CSV tables open in a spreadsheet as text: byte order mark, CRLF, no formula from evidence."""

from __future__ import annotations

import csv
import io
import re
from types import ModuleType

import pytest

from portero.core.audit import Audit
from portero.faces.render import Renderer
from portero.faces.tables import defused, findings_csv, senders_csv

FORMULA = re.compile(r"^[\s\"'“”]*[=+\-@＝＋－＠]")


def rows(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def test_a_table_is_utf_8_with_mark_and_crlf(audit: Audit) -> None:
    content = senders_csv(audit, Renderer("es"))
    assert content.startswith(b"\xef\xbb\xbfid,label,")
    assert content.count(b"\r\n") == len(audit.senders) + 1
    assert b"\n" not in content.replace(b"\r\n", b"")


def test_every_sender_and_finding_has_its_row(audit: Audit) -> None:
    senders = rows(senders_csv(audit, Renderer("en")))
    assert [(each["id"], int(each["messages"])) for each in senders] == [
        (each.id, each.mails) for each in audit.senders
    ]
    findings = rows(findings_csv(audit, Renderer("en")))
    assert [(each["id"], each["outcome"]) for each in findings] == [
        (each.id, each.outcome.value) for each in audit.findings
    ]


@pytest.mark.parametrize(
    ("cell", "written"),
    [
        ("=1+1", "'=1+1"),
        ("  =1+1", "  '=1+1"),
        ('"=1+1', "\"'=1+1"),
        ("\t=1", "\\x09=1"),
        ("＠SUM(A1)", "'＠SUM(A1)"),
        ("@contoso.com; =cmd", "'@contoso.com; '=cmd"),
        ("a,-2+3", "a,'-2+3"),
        ("user+tag@contoso.com", "user+tag@contoso.com"),
        ("550 5.7.68", "550 5.7.68"),
    ],
)
def test_what_would_start_a_formula_is_defused(cell: str, written: str) -> None:
    assert defused(cell) == written


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_no_hostile_cell_is_a_formula_however_the_spreadsheet_splits(
    sample: ModuleType, delimiter: str
) -> None:
    audit = sample.hostile_audit()
    for content in (senders_csv(audit, Renderer("en")), findings_csv(audit, Renderer("en"))):
        text = content.decode("utf-8-sig")
        assert not re.search(r"[\x00-\x09\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e]", text)
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
            for cell in row:
                assert (
                    not FORMULA.match(cell)
                    or cell.lstrip(' "“”').startswith("'")
                    or re.fullmatch(r"-?[\d.]+", cell)
                )
