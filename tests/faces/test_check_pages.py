"""docs/checks.md is what the checks say."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from portero.core.checks import checks
from portero.core.checks.ds_01 import CHECK
from portero.core.text import Text
from portero.faces.check_pages import check_pages

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "checks.md"


def test_the_document_is_up_to_date() -> None:
    written = DOCUMENT.read_text(encoding="utf-8")

    assert written == check_pages(checks()), "run: python -m portero.faces.check_pages > docs/checks.md"


def test_a_page_has_title_needs_paragraphs_and_maps() -> None:
    page = check_pages([CHECK])

    assert "## DS-01 Reject Direct Send is on" in page
    assert "Severity: high. Needs: `Get-OrganizationConfig`." in page
    assert "\n**Before:** RejectDirectSend is false, or null" in page
    assert "CIS 6.5.5" in page


def test_a_bar_in_a_title_does_not_break_the_index() -> None:
    assert "| a \\| b |" in check_pages([replace(CHECK, title=Text("a | b"))])
