"""SPOOF-09: trusted ARC sealers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from portero.core.checks.spoof_09 import CHECK
from portero.core.finding import Finding, Outcome, find

Build = Callable[..., Any]
PASS, WARN, FAIL = Outcome.PASS, Outcome.WARN, Outcome.FAIL
UNKNOWN, NOT_APPLICABLE = Outcome.UNKNOWN, Outcome.NOT_APPLICABLE


def judged(posture: Build, sealers: object, **fields: Any) -> Finding:
    return find(
        CHECK, posture({"Get-ArcConfig": [{"Identity": "Default", "ArcTrustedSealers": sealers}]}, **fields)
    )


@pytest.mark.parametrize(
    ("sealers", "outcome"),
    [
        (None, PASS),
        ("", PASS),
        ([], PASS),
        ("contoso.com", PASS),
        ("gateway.example", WARN),
        ("contoso.com,google.com", FAIL),
        (["mail.google.com"], FAIL),
    ],
)
def test_each_list_has_its_outcome(posture: Build, sealers: object, outcome: Outcome) -> None:
    assert judged(posture, sealers).outcome is outcome


def test_the_list_is_written_anew_without_the_sealer_and_back_as_it_was(posture: Build) -> None:
    found = judged(posture, "contoso.com, google.com")

    assert str(found.fix).endswith("-ArcTrustedSealers 'contoso.com'")
    assert str(found.undo).endswith("-ArcTrustedSealers 'contoso.com,google.com'")


def test_absent_and_no_answer_are_unknown(posture: Build) -> None:
    assert find(CHECK, posture({"Get-ArcConfig": [{"Identity": "Default"}]})).outcome is UNKNOWN
    assert find(CHECK, posture({"Get-ArcConfig": []})).outcome is UNKNOWN
    assert find(CHECK, posture({})).outcome is UNKNOWN
