"""RULE-01: mail flow rules by which a claim skips filtering."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from portero.core.checks.rule_01 import CHECK
from portero.core.finding import Finding, Outcome, Severity, find

Build = Callable[..., Any]
RULE: dict[str, object] = {
    "Name": "Let the boss's mail in",
    "State": "Enabled",
    "Mode": "Enforce",
    "Priority": 0,
    "SetSCL": "-1",
    "StopRuleProcessing": False,
    "SenderDomainIs": ["contoso.com"],
}


def judged(posture: Build, *rules: dict[str, object]) -> Finding:
    return find(CHECK, posture({"Get-TransportRule": rules}))


def test_our_domain_as_the_only_condition_is_critical(posture: Build) -> None:
    found = judged(posture, RULE)

    assert (found.outcome, found.severity) == (Outcome.FAIL, Severity.CRITICAL)
    assert "Disable-TransportRule -Identity 'Let the boss''s mail in'" in str(found.fix)
    assert "Enable-TransportRule -Identity 'Let the boss''s mail in'" in str(found.undo)


@pytest.mark.parametrize(
    "condition",
    [
        {"SubjectContainsWords": ["invoice"]},
        {"HeaderContainsMessageHeader": "X-Ticket", "HeaderContainsWords": ["yes"]},
        {"From": ["boss@contoso.com"]},
        {"FromAddressMatchesPatterns": [r"@contoso\.com$"]},
        {"FromAddressContainsWords": ["@contoso"]},
        {"SenderDomainIs": ["mail.contoso.com"]},
        {},
    ],
)
def test_whatever_our_mail_can_meet_is_critical(posture: Build, condition: dict[str, object]) -> None:
    assert judged(posture, {**RULE, "SenderDomainIs": None, **condition}).severity is Severity.CRITICAL


@pytest.mark.parametrize(
    "condition", [{"SenderDomainIs": ["fabrikam.com"]}, {"SenderDomainIs": None, "From": ["a@fabrikam.com"]}]
)
def test_the_claim_of_another_domain_fails_less_gravely(posture: Build, condition: dict[str, object]) -> None:
    found = judged(posture, {**RULE, **condition})

    assert (found.outcome, found.severity) == (Outcome.FAIL, Severity.HIGH)


@pytest.mark.parametrize(
    "origin",
    [
        {"SenderIpRanges": ["198.51.100.9"]},
        {"HeaderMatchesMessageHeader": "Authentication-Results", "HeaderMatchesPatterns": ["dmarc=pass"]},
        {
            "ExceptIfHeaderContainsMessageHeader": "authentication-results",
            "ExceptIfHeaderContainsWords": ["dmarc=fail"],
        },
        {"FromScope": "InOrganization"},
    ],
)
def test_a_rule_bound_to_what_a_sender_cannot_write_warns(posture: Build, origin: dict[str, object]) -> None:
    assert judged(posture, {**RULE, **origin}).outcome is Outcome.WARN


def test_a_header_that_anybody_can_write_binds_nothing_though_it_says_dmarc_pass(posture: Build) -> None:
    forged = {"HeaderContainsMessageHeader": "X-Results", "HeaderContainsWords": ["dmarc=pass"]}

    assert judged(posture, {**RULE, **forged}).outcome is Outcome.FAIL


@pytest.mark.parametrize("rest", [{"State": "Disabled"}, {"Mode": "Audit"}, {"Mode": "AuditAndNotify"}])
def test_a_rule_that_is_not_in_force_passes_and_is_counted_apart(
    posture: Build, rest: dict[str, object]
) -> None:
    found = judged(posture, {**RULE, **rest})

    assert found.outcome is Outcome.PASS
    assert "1 that is off or in audit mode" in str(found.because)


def test_stopping_before_a_rule_that_protects_skips_it(posture: Build) -> None:
    stops = {**RULE, "SetSCL": None, "StopRuleProcessing": True}
    protects = {
        "Name": "Q",
        "State": "Enabled",
        "Mode": "Enforce",
        "Priority": 1,
        "SetSCL": None,
        "Quarantine": True,
    }

    assert judged(posture, stops, protects).outcome is Outcome.FAIL
    assert judged(posture, stops).outcome is Outcome.PASS
    assert judged(posture, {**stops, "Priority": 2}, protects).outcome is Outcome.PASS


@pytest.mark.parametrize("lacking", ["SetSCL", "State", "Mode"])
def test_absent_is_unknown(posture: Build, lacking: str) -> None:
    assert judged(posture, {k: v for k, v in RULE.items() if k != lacking}).outcome is Outcome.UNKNOWN


def test_no_rules_pass_and_no_answer_is_unknown(posture: Build) -> None:
    assert judged(posture).outcome is Outcome.PASS
    assert find(CHECK, posture({})).outcome is Outcome.UNKNOWN
