"""LOG-07: what the other answers rest on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from portero.core.checks.log_07 import CHECK
from portero.core.evidence import Coverage, Gap, Origin
from portero.core.finding import Outcome, find
from portero.core.text import Text

Build = Callable[..., Any]
Month = tuple[Coverage, ...]


def test_fresh_and_whole_passes(posture: Build, month: Month) -> None:
    assert find(CHECK, posture(coverage=month)).outcome is Outcome.PASS


def test_mail_that_is_older_than_a_day_fails(posture: Build, month: Month) -> None:
    late = posture(coverage=month)

    assert find(CHECK, replace(late, now=late.now + timedelta(days=1))).outcome is Outcome.FAIL


def test_an_older_slice_beside_a_fresh_one_is_no_fault(posture: Build, month: Month) -> None:
    first, last = month[0].first, month[0].first
    older = replace(month[0], document="older.csv", first=first, last=last)

    assert find(CHECK, posture(coverage=(*month, older))).outcome is Outcome.PASS


def test_reports_of_others_arrive_late_and_are_not_stale(posture: Build, month: Month) -> None:
    report = Coverage("report.xml", "dmarc-aggregate", 4, month[0].first, month[0].first)

    assert find(CHECK, posture(coverage=(*month, report))).outcome is Outcome.PASS


def test_a_probable_cut_fails_and_names_the_document(posture: Build, month: Month) -> None:
    found = find(CHECK, posture(coverage=(replace(month[0], notes=(Text("exactly 50000 rows"),)),)))

    assert found.outcome is Outcome.FAIL
    assert found.origins == (Origin("trace.csv"),)


def test_a_cut_cmdlet_fails(posture: Build, month: Month) -> None:
    found = find(
        CHECK,
        posture({"Get-TransportRule": []}, cut=frozenset({"Get-TransportRule"}), coverage=month),
    )

    assert found.outcome is Outcome.FAIL
    assert "Get-TransportRule.json" in str(found.because)


def test_lost_rows_of_a_document_in_use_fail(posture: Build, month: Month) -> None:
    gap = Gap(Origin("trace.csv", 17), Text("a broken row"))

    assert find(CHECK, posture(coverage=month, gaps=(gap,))).outcome is Outcome.FAIL


def test_a_document_that_nothing_rests_on_warns(posture: Build, month: Month) -> None:
    gap = Gap(Origin("notes.docx"), Text("nobody recognises it"))

    assert find(CHECK, posture(coverage=month, gaps=(gap,))).outcome is Outcome.WARN


def test_without_any_evidence_it_is_unknown(posture: Build) -> None:
    assert find(CHECK, posture()).outcome is Outcome.UNKNOWN


def test_settings_alone_do_not_say_how_old_they_are(posture: Build) -> None:
    settings = Coverage("tenant.json", "tenant-config", 12)

    assert find(CHECK, posture(coverage=(settings,))).outcome is Outcome.UNKNOWN
