"""SPAM-01: sender domains let past the filter."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from portero.core.checks.spam_01 import CHECK
from portero.core.finding import Finding, Outcome, Severity, find

Build = Callable[..., Any]


def judged(
    posture: Build, *policies: dict[str, object], rules: tuple[dict[str, object], ...] = ()
) -> Finding:
    return find(
        CHECK,
        posture({"Get-HostedContentFilterPolicy": policies, "Get-HostedContentFilterRule": rules}),
    )


def policy(entries: object, **fields: object) -> dict[str, object]:
    return {"Name": "Default", "IsDefault": True, "AllowedSenderDomains": entries, **fields}


@pytest.mark.parametrize("empty", [[], None])
def test_an_empty_list_passes(posture: Build, empty: object) -> None:
    assert judged(posture, policy(empty)).outcome is Outcome.PASS


@pytest.mark.parametrize("entry", ["Contoso.com", "mail.contoso.com", {"Domain": "contoso.com"}])
def test_our_own_domain_is_critical(posture: Build, entry: object) -> None:
    found = judged(posture, policy([entry]))

    assert (found.outcome, found.severity) == (Outcome.FAIL, Severity.CRITICAL)


def test_another_domain_fails_less_gravely_and_is_taken_out_alone(posture: Build) -> None:
    found = judged(posture, policy(["fabrikam.com"]))

    assert (found.outcome, found.severity) == (Outcome.FAIL, Severity.MEDIUM)
    assert "-AllowedSenderDomains @{Remove='fabrikam.com'}" in str(found.fix)
    assert "-AllowedSenderDomains @{Add='fabrikam.com'}" in str(found.undo)


def test_a_policy_that_applies_to_nobody_is_not_judged(posture: Build) -> None:
    unused = policy(["contoso.com"], Name="Old", IsDefault=False)

    assert judged(posture, policy([]), unused).outcome is Outcome.PASS


def test_absent_is_unknown(posture: Build) -> None:
    assert judged(posture, {"Name": "Default", "IsDefault": True}).outcome is Outcome.UNKNOWN


def test_without_the_cmdlet_it_is_unknown(posture: Build) -> None:
    assert find(CHECK, posture({})).outcome is Outcome.UNKNOWN
