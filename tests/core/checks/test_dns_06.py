"""DNS-06: DKIM signing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from portero.core.checks.dns_06 import CHECK
from portero.core.evidence import Coverage
from portero.core.finding import Finding, Outcome, find
from portero.core.sender import Kind, Path

Build = Callable[..., Any]
SIGNED: dict[str, object] = {"Domain": "contoso.com", "Enabled": True, "Status": "Valid"}


def judged(posture: Build, *configured: dict[str, object], **fields: Any) -> Finding:
    return find(CHECK, posture({"Get-DkimSigningConfig": configured}, **fields))


def test_enabled_and_valid_passes(posture: Build) -> None:
    assert judged(posture, SIGNED).outcome is Outcome.PASS


def test_a_domain_without_any_object_fails_and_gets_one_before_it_is_enabled(posture: Build) -> None:
    found = judged(posture, {**SIGNED, "Domain": "contoso.onmicrosoft.com"})

    assert found.outcome is Outcome.FAIL
    assert str(found.fix).index("New-DkimSigningConfig") < str(found.fix).index("Set-DkimSigningConfig")


@pytest.mark.parametrize("change", [{"Enabled": False}, {"Status": "CnameMissing"}])
def test_disabled_or_not_valid_fails(posture: Build, change: dict[str, object]) -> None:
    found = judged(posture, {**SIGNED, **change})

    assert found.outcome is Outcome.FAIL
    assert "New-DkimSigningConfig" not in str(found.fix)


@pytest.mark.parametrize("lacking", ["Enabled", "Status"])
def test_absent_is_unknown(posture: Build, lacking: str) -> None:
    assert judged(posture, {k: v for k, v in SIGNED.items() if k != lacking}).outcome is Outcome.UNKNOWN


def test_microsofts_own_names_are_not_custom_domains(posture: Build) -> None:
    found = judged(posture, domains=("contoso.onmicrosoft.com", "contoso.mail.onmicrosoft.com"))

    assert found.outcome is Outcome.NOT_APPLICABLE


def test_a_domain_that_may_not_send_needs_no_signature(posture: Build) -> None:
    found = find(
        CHECK,
        posture(
            {
                "Get-DkimSigningConfig": [],
                "Get-AcceptedDomain": [{"DomainName": "contoso.com", "SendingFromDomainDisabled": True}],
            },
            domains=(),
        ),
    )

    assert found.outcome is Outcome.NOT_APPLICABLE


def test_a_domain_that_a_month_of_mail_with_peoples_mail_does_not_show_counts_as_silent(
    posture: Build, sender: Build, month: tuple[Coverage, ...]
) -> None:
    people = sender(kind=Kind.MAILBOX, path=Path.INTERNAL)
    domains = ("contoso.com", "parked.example")

    silent = judged(posture, SIGNED, domains=domains, senders=(people,), coverage=month)
    without_people = judged(posture, SIGNED, domains=domains, senders=(sender(),), coverage=month)

    assert silent.outcome is Outcome.PASS
    assert without_people.outcome is Outcome.FAIL


def test_without_the_cmdlet_it_is_unknown(posture: Build) -> None:
    assert find(CHECK, posture({})).outcome is Outcome.UNKNOWN
