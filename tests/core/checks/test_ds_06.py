"""DS-06: drift of the switch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from portero.core.checks.ds_06 import CHECK
from portero.core.finding import Finding, Outcome, find

Build = Callable[..., Any]
PASS, WARN, FAIL = Outcome.PASS, Outcome.WARN, Outcome.FAIL
UNKNOWN, NOT_APPLICABLE = Outcome.UNKNOWN, Outcome.NOT_APPLICABLE

LOG = {
    "Identity": "r1",
    "AuditData": '{"Id": "r1", "CreationTime": "2026-11-20T10:00:00", "Operation": "Set-OrganizationConfig", '
    '"UserId": "admin@contoso.com", "Parameters": [{"Name": "RejectDirectSend", "Value": "False"}]}',
}  # fmt: skip


def judged(
    posture: Build,
    tenant: Build,
    now: object,
    approved: object = "none",
    log: Any = None,
    name: str = "RejectDirectSend",
) -> Finding:
    objects: dict[str, Any] = {"Get-OrganizationConfig": [{"Name": "contoso", name: now}]}
    if log is not None:
        objects["Search-UnifiedAuditLog"] = log
    held = (
        None if approved == "none" else tenant({"Get-OrganizationConfig": [{"RejectDirectSend": approved}]})
    )
    return find(CHECK, posture(objects, approved=held))


@pytest.mark.parametrize(
    ("now", "approved", "log", "outcome"),
    [
        (True, True, [], PASS),
        (True, True, None, WARN),
        (False, True, [], FAIL),
        (None, True, [], FAIL),
        (None, False, [], PASS),
        (True, "none", [LOG], WARN),
        (True, "none", None, UNKNOWN),
    ],
)
def test_each_state_has_its_outcome(
    posture: Build, tenant: Build, now: object, approved: object, log: Any, outcome: Outcome
) -> None:
    assert judged(posture, tenant, now, approved, log).outcome is outcome


def test_drift_says_who_and_goes_back_to_the_approved_value(posture: Build, tenant: Build) -> None:
    found = judged(posture, tenant, False, True, [LOG])

    assert "admin@contoso.com" in str(found.because)
    assert "-RejectDirectSend $true" in str(found.fix)
    assert "-RejectDirectSend $false" in str(found.undo)


def test_absent_is_unknown(posture: Build, tenant: Build) -> None:
    assert judged(posture, tenant, True, True, [], name="Other").outcome is UNKNOWN
    assert find(CHECK, posture({})).outcome is UNKNOWN
