"""Markdown: a row for each check, and nothing of the evidence is markup."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from portero.core.finding import Finding
from portero.core.text import Text
from portero.exports.export import Report
from portero.exports.markdown import EXPORT


def test_every_check_is_a_row_of_four_cells(report: Callable[..., Report]) -> None:
    held = report()
    rows = [line for line in EXPORT.write(held).decode().splitlines() if line.startswith("| ")]

    assert len(rows) == 1 + len(held.audit.findings)
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {5}


def test_names_of_the_evidence_are_text(report: Callable[..., Report]) -> None:
    text = EXPORT.write(report()).decode()

    assert "<b>" not in text
    assert not re.search("[\x00\x1b\u202e]", text)


def test_a_fence_holds_whatever_a_command_says(report: Callable[..., Report], finding: Finding) -> None:
    fix = Text("In Exchange Online PowerShell: {commands}", commands="a\n```\n# out")
    text = EXPORT.write(report(replace(finding, fix=fix))).decode()

    assert "````powershell\n" in text
