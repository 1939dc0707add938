"""AUTH-04: who still submits with a password alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from portero.core.acceptance import Acceptance
from portero.core.checks.auth_04 import CHECK
from portero.core.finding import Finding, Outcome, find
from portero.core.register import Configuration

Build = Callable[..., Any]
PASS, WARN, FAIL = Outcome.PASS, Outcome.WARN, Outcome.FAIL
UNKNOWN, NOT_APPLICABLE = Outcome.UNKNOWN, Outcome.NOT_APPLICABLE

PLAN = Acceptance("AUTH-04", "it@contoso.com", date(2026, 12, 15), "to the relay", "scanner@contoso.com")


def judged(posture: Build, protocols: dict[str, str], **fields: Any) -> Finding:
    return find(CHECK, posture({}, settings={"smtp_auth_protocols": protocols}, **fields))


def test_nobody_passes_and_no_report_is_unknown(posture: Build) -> None:
    assert judged(posture, {"app@contoso.com": "oauth"}).outcome is PASS
    assert judged(posture, {}).outcome is UNKNOWN


def test_one_without_a_plan_fails_and_one_with_a_plan_in_time_passes(posture: Build) -> None:
    basic = {"scanner@contoso.com": "basic"}
    late = replace(PLAN, until=date(2027, 3, 1))

    assert judged(posture, basic).outcome is FAIL
    assert judged(posture, basic, configuration=Configuration(acceptances=(PLAN,))).outcome is PASS
    assert judged(posture, basic, configuration=Configuration(acceptances=(late,))).outcome is FAIL


@pytest.mark.parametrize("other", ["DS-01", "AUTH-02"])
def test_a_plan_for_another_check_is_none(posture: Build, other: str) -> None:
    held = Configuration(acceptances=(replace(PLAN, check=other),))

    assert judged(posture, {"scanner@contoso.com": "basic"}, configuration=held).outcome is FAIL


def test_after_the_date_no_plan_helps(posture: Build) -> None:
    held = Configuration(acceptances=(PLAN,))
    found = judged(
        posture, {"scanner@contoso.com": "basic"}, configuration=held, now=datetime(2027, 1, 2, tzinfo=UTC)
    )

    assert found.outcome is FAIL
    assert found.subjects == ("scanner@contoso.com",)
