"""AUTH-03: the default authentication policy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from portero.core.checks.auth_03 import CHECK
from portero.core.finding import Finding, Outcome, find

Build = Callable[..., Any]
PASS, WARN, FAIL = Outcome.PASS, Outcome.WARN, Outcome.FAIL
UNKNOWN, NOT_APPLICABLE = Outcome.UNKNOWN, Outcome.NOT_APPLICABLE

POLICY: dict[str, object] = {"Name": "No basic", "AllowBasicAuthSmtp": False}


def judged(posture: Build, default: object, *policies: dict[str, object]) -> Finding:
    organisation = {"Name": "contoso", "DefaultAuthenticationPolicy": default}
    return find(
        CHECK, posture({"Get-OrganizationConfig": [organisation], "Get-AuthenticationPolicy": policies})
    )


@pytest.mark.parametrize(
    ("default", "policies", "outcome"),
    [
        ("No basic", [POLICY], PASS),
        ("contoso.onmicrosoft.com\\No basic", [POLICY], PASS),
        (None, [POLICY], WARN),
        ("No basic", [{**POLICY, "AllowBasicAuthSmtp": True}], FAIL),
        ("No basic", [POLICY, {"Name": "Loose", "AllowBasicAuthSmtp": True}], FAIL),
        ("No basic", [{**POLICY, "AllowBasicAuthSmtp": None}], UNKNOWN),
        ("No basic", [{"Name": "No basic"}], UNKNOWN),
        ("Other", [POLICY], UNKNOWN),
    ],
)
def test_each_state_has_its_outcome(posture: Build, default: object, policies: Any, outcome: Outcome) -> None:
    assert judged(posture, default, *policies).outcome is outcome


def test_absent_and_no_answers_are_unknown(posture: Build) -> None:
    bare = posture({"Get-OrganizationConfig": [{"Name": "x"}], "Get-AuthenticationPolicy": [POLICY]})

    assert find(CHECK, bare).outcome is UNKNOWN
    assert find(CHECK, posture({})).outcome is UNKNOWN


def test_the_policy_is_made_named_and_taken_back_in_the_other_order(posture: Build) -> None:
    found = judged(posture, None)

    assert str(found.fix).index("New-AuthenticationPolicy") < str(found.fix).index("Set-OrganizationConfig")
    assert str(found.undo).index("-DefaultAuthenticationPolicy $null") < str(found.undo).index("Remove-Auth")
    assert found.controls == ("smtp-basic-off",)
