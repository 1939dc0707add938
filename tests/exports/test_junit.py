"""JUnit XML: failures fail, what nobody answered is skipped, nothing hostile breaks the document."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Callable

from portero.core.finding import Outcome
from portero.exports.export import Report
from portero.exports.junit import EXPORT


def test_it_counts_what_it_holds(report: Callable[..., Report]) -> None:
    held = report()
    root = ET.fromstring(EXPORT.write(held))
    cases = root.findall("./testsuite/testcase")
    failed = [case for case in cases if case.find("failure") is not None]
    skipped = [case for case in cases if case.find("skipped") is not None]

    assert (root.get("tests"), len(cases)) == (str(len(held.audit.findings)), len(held.audit.findings))
    assert (root.get("failures"), root.get("skipped")) == (str(len(failed)), str(len(skipped)))
    fails = [each for each in held.audit.findings if each.outcome is Outcome.FAIL and not each.excused]
    assert len(failed) == len(fails)
    unanswered = {Outcome.UNKNOWN, Outcome.NOT_APPLICABLE}
    assert len(skipped) == sum(each.outcome in unanswered for each in held.audit.findings)


def test_what_is_accepted_does_not_fail(report: Callable[..., Report]) -> None:
    root = ET.fromstring(EXPORT.write(report()))
    [case] = [case for case in root.iter("testcase") if str(case.get("name")).startswith("SPAM-03")]

    assert case.find("failure") is None
    assert case.find("system-out") is not None


def test_suites_are_families(report: Callable[..., Report]) -> None:
    root = ET.fromstring(EXPORT.write(report()))

    assert [suite.get("name") for suite in root] == ["CON", "SPAM", "LOG"]
