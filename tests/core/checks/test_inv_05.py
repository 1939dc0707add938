"""INV-05: applications that may send by API."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from portero.core.checks.inv_05 import CHECK
from portero.core.finding import Finding, Outcome, find

Build = Callable[..., Any]
PASS, WARN, FAIL = Outcome.PASS, Outcome.WARN, Outcome.FAIL
UNKNOWN, NOT_APPLICABLE = Outcome.UNKNOWN, Outcome.NOT_APPLICABLE

GRANT = {
    "id": "g1",
    "appRoleId": "b633e1c5-b582-4048-a93e-9f11b44c7e96",
    "appId": "APP-1",
    "principalDisplayName": "CRM",
}
SCOPE = {"Identity": "s1", "AppId": "app-1", "AccessRight": "RestrictAccess", "ScopeName": "CRM mailboxes"}


def judged(posture: Build, grants: Any, policies: Any) -> Finding:
    objects = {"Get-MgServicePrincipalAppRoleAssignment": grants}
    return find(
        CHECK, posture(objects if policies is None else {**objects, "Get-ApplicationAccessPolicy": policies})
    )


@pytest.mark.parametrize(
    ("grants", "policies", "outcome"),
    [
        ([], [], PASS),
        ([{**GRANT, "appRoleId": "other"}], [], PASS),
        ([GRANT], [SCOPE], PASS),
        ([GRANT], [], FAIL),
        ([GRANT], [{**SCOPE, "AccessRight": "DenyAccess"}], FAIL),
        ([GRANT], None, UNKNOWN),
    ],
)
def test_each_grant_has_its_outcome(posture: Build, grants: Any, policies: Any, outcome: Outcome) -> None:
    assert judged(posture, grants, policies).outcome is outcome


def test_it_names_the_application_and_needs_the_grants(posture: Build) -> None:
    assert judged(posture, [GRANT], []).subjects == ("CRM",)
    assert find(CHECK, posture({})).outcome is UNKNOWN
