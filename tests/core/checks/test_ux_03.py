"""UX-03: reported messages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from portero.core.checks.ux_03 import CHECK
from portero.core.finding import Finding, Outcome, find

Build = Callable[..., Any]
PASS, WARN, FAIL = Outcome.PASS, Outcome.WARN, Outcome.FAIL
UNKNOWN, NOT_APPLICABLE = Outcome.UNKNOWN, Outcome.NOT_APPLICABLE

POLICY: dict[str, object] = {
    "Name": "DefaultReportSubmissionPolicy", "EnableReportToMicrosoft": True,
    "ReportPhishToCustomizedAddress": False, "ReportPhishAddresses": [],
}  # fmt: skip
ALERT = {"Name": "Email reported by user as malware or phish\u200b", "Disabled": False}


def judged(posture: Build, changed: dict[str, object], alerts: object = (ALERT,)) -> Finding:
    return find(
        CHECK, posture({"Get-ReportSubmissionPolicy": [{**POLICY, **changed}], "Get-ProtectionAlert": alerts})
    )


@pytest.mark.parametrize(
    ("changed", "outcome"),
    [
        ({}, PASS),
        ({"EnableReportToMicrosoft": False}, FAIL),
        (
            {"EnableReportToMicrosoft": False, "ReportPhishToCustomizedAddress": True,
             "ReportPhishAddresses": ["soc@contoso.com"]},
            PASS,
        ),
        ({"EnableReportToMicrosoft": False, "ReportPhishToCustomizedAddress": True}, FAIL),
        ({"EnableReportToMicrosoft": None}, FAIL),
    ],
)  # fmt: skip
def test_each_value_has_its_outcome(posture: Build, changed: dict[str, object], outcome: Outcome) -> None:
    assert judged(posture, changed).outcome is outcome


def test_an_alert_that_is_off_or_was_not_exported_counts(posture: Build) -> None:
    assert judged(posture, {}, [{**ALERT, "Disabled": True}]).outcome is FAIL
    assert judged(posture, {}, []).outcome is UNKNOWN


def test_absent_and_empty_answers_are_unknown(posture: Build) -> None:
    assert find(CHECK, posture({"Get-ReportSubmissionPolicy": [{"Name": "x"}]})).outcome is UNKNOWN
    assert find(CHECK, posture({"Get-ReportSubmissionPolicy": []})).outcome is UNKNOWN
    assert find(CHECK, posture({})).outcome is UNKNOWN


def test_the_way_back(posture: Build) -> None:
    found = judged(posture, {"EnableReportToMicrosoft": False})

    assert "-EnableReportToMicrosoft $true" in str(found.fix)
    assert "-EnableReportToMicrosoft $false" in str(found.undo)
