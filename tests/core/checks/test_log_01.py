"""LOG-01: the audit log and mailbox auditing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from portero.core.checks.log_01 import CHECK
from portero.core.finding import Finding, Outcome, find

Build = Callable[..., Any]
ON: dict[str, object] = {"Name": "Admin Audit Log Settings", "UnifiedAuditLogIngestionEnabled": True}
KEPT: dict[str, object] = {"Name": "contoso", "AuditDisabled": False}
PERSON: dict[str, object] = {"Name": "Ana", "Identity": "ana@contoso.com", "AuditBypassEnabled": False}


def judged(
    posture: Build,
    log: dict[str, object] = ON,
    organisation: dict[str, object] = KEPT,
    people: tuple[dict[str, object], ...] | None = (PERSON,),
) -> Finding:
    objects: dict[str, Any] = {"Get-AdminAuditLogConfig": [log], "Get-OrganizationConfig": [organisation]}
    if people is not None:
        objects["Get-MailboxAuditBypassAssociation"] = people
    return find(CHECK, posture(objects))


def test_both_on_and_nobody_exempt_passes(posture: Build) -> None:
    assert judged(posture).outcome is Outcome.PASS


def test_the_log_off_fails_and_warns_of_the_session_that_always_says_so(posture: Build) -> None:
    found = judged(posture, log={**ON, "UnifiedAuditLogIngestionEnabled": False})

    assert found.outcome is Outcome.FAIL
    assert "compliance session" in str(found.because)
    assert "IngestionEnabled $false" in str(found.undo)


def test_mailbox_auditing_disabled_fails(posture: Build) -> None:
    assert judged(posture, organisation={**KEPT, "AuditDisabled": True}).outcome is Outcome.FAIL


def test_a_person_exempt_fails_and_a_system_mailbox_does_not(posture: Build) -> None:
    system = {
        **PERSON,
        "Name": "SystemMailbox{0}",
        "Identity": "SystemMailbox{0}",
        "AuditBypassEnabled": True,
    }
    found = judged(posture, people=({**PERSON, "AuditBypassEnabled": True},))

    assert found.outcome is Outcome.FAIL
    assert "-Identity 'ana@contoso.com' -AuditBypassEnabled $false" in str(found.fix)
    assert judged(posture, people=(system, PERSON)).outcome is Outcome.PASS


def test_null_and_absent_are_unknown(posture: Build) -> None:
    for value in ({"UnifiedAuditLogIngestionEnabled": None}, {}):
        assert judged(posture, log={"Name": "x", **value}).outcome is Outcome.UNKNOWN
    for value in ({"AuditDisabled": None}, {}):
        assert judged(posture, organisation={"Name": "x", **value}).outcome is Outcome.UNKNOWN


def test_without_the_list_of_the_exempt_it_cannot_pass_and_can_fail(posture: Build) -> None:
    assert judged(posture, people=None).outcome is Outcome.UNKNOWN
    assert judged(posture, organisation={**KEPT, "AuditDisabled": True}, people=None).outcome is Outcome.FAIL


def test_a_mailbox_of_which_the_export_does_not_say_is_unknown(posture: Build) -> None:
    assert judged(posture, people=({"Name": "Ana", "Identity": "ana"},)).outcome is Outcome.UNKNOWN


def test_without_either_cmdlet_it_is_unknown(posture: Build) -> None:
    assert find(CHECK, posture({"Get-OrganizationConfig": [KEPT]})).outcome is Outcome.UNKNOWN
