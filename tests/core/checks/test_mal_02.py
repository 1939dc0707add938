"""MAL-02: attachment types."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from portero.core.checks.mal_02 import CHECK
from portero.core.finding import Finding, Outcome, find

Build = Callable[..., Any]
PASS, WARN, FAIL = Outcome.PASS, Outcome.WARN, Outcome.FAIL
UNKNOWN, NOT_APPLICABLE = Outcome.UNKNOWN, Outcome.NOT_APPLICABLE

GOOD: dict[str, object] = {
    "Name": "Default",
    "IsDefault": True,
    "EnableFileFilter": True,
    "FileTypes": ["exe", "cmd", "vbe", "svg", "htm", "html", "iso", "img", "lnk", "one"],
}


def judged(posture: Build, *policies: dict[str, object], **fields: Any) -> Finding:
    return find(CHECK, posture({"Get-MalwareFilterPolicy": policies}, **fields))


@pytest.mark.parametrize(
    ("changed", "outcome"),
    [
        ({}, PASS),
        ({"EnableFileFilter": False}, FAIL),
        ({"FileTypes": ["exe", "cmd", "vbe"]}, WARN),
        ({"FileTypes": ["svg"]}, FAIL),
        ({"FileTypes": None}, FAIL),
        ({"FileTypes": "ABSENT"}, UNKNOWN),
        ({"EnableFileFilter": None}, UNKNOWN),
    ],
)
def test_each_value_has_its_outcome(posture: Build, changed: dict[str, object], outcome: Outcome) -> None:
    policy = {**GOOD, **changed}
    held = {name: value for name, value in policy.items() if value != "ABSENT"}

    assert judged(posture, held).outcome is outcome


def test_without_the_cmdlet_it_is_unknown(posture: Build) -> None:
    assert find(CHECK, posture({})).outcome is UNKNOWN


def test_missing_types_are_added_and_taken_out_again(posture: Build) -> None:
    found = judged(
        posture, {**GOOD, "FileTypes": ["exe", "cmd", "vbe", "htm", "html", "iso", "img", "lnk", "one"]}
    )

    assert "-FileTypes @{Add='svg'}" in str(found.fix)
    assert "-FileTypes @{Remove='svg'}" in str(found.undo)


def test_a_sandbox_that_only_watches_fails(posture: Build) -> None:
    watching = {
        "Name": "Built-In Protection Policy",
        "IsBuiltInProtection": True,
        "Enable": True,
        "Action": "Allow",
    }
    found = find(CHECK, posture({"Get-MalwareFilterPolicy": [GOOD], "Get-SafeAttachmentPolicy": [watching]}))

    assert found.outcome is FAIL
