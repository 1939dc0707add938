"""AUTH-02: exceptions from the closed switch."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from portero.core.checks.auth_02 import CHECK
from portero.core.finding import Finding, Outcome, find
from portero.core.sender import Path

Build = Callable[..., Any]
EXCEPTED: dict[str, object] = {
    "Name": "scanner",
    "PrimarySmtpAddress": "Scanner@contoso.com",
    "SmtpClientAuthenticationDisabled": False,
}


def judged(posture: Build, *mailboxes: dict[str, object], **fields: Any) -> Finding:
    return find(CHECK, posture({"Get-CASMailbox": mailboxes}, **fields))


def test_blank_inherits_and_is_no_exception(posture: Build) -> None:
    blank, closed = (
        {**EXCEPTED, "SmtpClientAuthenticationDisabled": None},
        {"PrimarySmtpAddress": "b@contoso.com", "Name": "b", "SmtpClientAuthenticationDisabled": True},
    )

    assert judged(posture, blank, closed).outcome is Outcome.PASS


def test_an_owned_exception_in_use_passes(posture: Build, sender: Build) -> None:
    owned = sender(path=Path.AUTHENTICATED, owner="print@contoso.com")

    assert judged(posture, EXCEPTED, senders=(owned,)).outcome is Outcome.PASS


def test_an_exception_in_use_that_nobody_owns_fails(posture: Build, sender: Build) -> None:
    found = judged(posture, EXCEPTED, senders=(sender(path=Path.AUTHENTICATED),))

    assert found.outcome is Outcome.FAIL
    assert "-Identity 'Scanner@contoso.com' -SmtpClientAuthenticationDisabled $true" in str(found.fix)
    assert "-Identity 'Scanner@contoso.com' -SmtpClientAuthenticationDisabled $false" in str(found.undo)


def test_an_exception_that_was_not_used_for_90_days_fails(posture: Build, sender: Build) -> None:
    old = sender(
        path=Path.AUTHENTICATED, owner="print@contoso.com", last_seen=datetime(2026, 8, 1, tzinfo=UTC)
    )

    assert judged(posture, EXCEPTED, senders=(old,)).outcome is Outcome.FAIL


def test_a_shared_mailbox_fails_whoever_owns_it(posture: Build, sender: Build) -> None:
    owned = sender(path=Path.AUTHENTICATED, owner="print@contoso.com")
    shared = {"PrimarySmtpAddress": "scanner@contoso.com", "RecipientTypeDetails": "SharedMailbox"}
    found = find(CHECK, posture({"Get-CASMailbox": [EXCEPTED], "Get-Mailbox": [shared]}, senders=(owned,)))

    assert found.outcome is Outcome.FAIL


def test_an_exception_that_no_evidence_shows_in_use_is_unknown(posture: Build, sender: Build) -> None:
    assert judged(posture, EXCEPTED).outcome is Outcome.UNKNOWN
    assert judged(posture, EXCEPTED, senders=(sender(),)).outcome is Outcome.UNKNOWN


def test_a_value_that_was_not_exported_is_unknown(posture: Build) -> None:
    assert judged(posture, {"PrimarySmtpAddress": "a@contoso.com"}).outcome is Outcome.UNKNOWN


def test_without_the_cmdlet_it_is_unknown(posture: Build) -> None:
    assert find(CHECK, posture({})).outcome is Outcome.UNKNOWN
