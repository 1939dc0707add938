"""CON-02: connectors by domain name alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from portero.core.checks.con_02 import CHECK
from portero.core.evidence import Origin
from portero.core.finding import Finding, Outcome, Severity, find

Build = Callable[..., Any]
PARTNER: dict[str, object] = {
    "Name": "Fabrikam's mail",
    "Enabled": True,
    "ConnectorType": "Partner",
    "SenderDomains": ["smtp:fabrikam.com;1"],
    "SenderIPAddresses": [],
    "TlsSenderCertificateName": None,
    "TrustedOrganizations": [],
    "CloudServicesMailEnabled": False,
    "TreatMessagesAsInternal": False,
}


def judged(posture: Build, *connectors: dict[str, object], **fields: Any) -> Finding:
    return find(CHECK, posture({"Get-InboundConnector": connectors}, **fields))


def test_domain_alone_fails_and_the_way_back_is_the_prior_state(posture: Build) -> None:
    found = judged(posture, PARTNER)

    assert (found.outcome, found.severity) == (Outcome.FAIL, Severity.MEDIUM)
    assert found.origins == (Origin("Get-InboundConnector.json", 1),)
    assert "-Identity 'Fabrikam''s mail' -Enabled $false" in str(found.fix)
    assert "-Identity 'Fabrikam''s mail' -Enabled $true" in str(found.undo)


@pytest.mark.parametrize(
    "trust",
    [{"CloudServicesMailEnabled": True}, {"TreatMessagesAsInternal": True}, {"ConnectorType": "OnPremises"}],
)
def test_it_is_graver_where_the_connector_also_trusts(posture: Build, trust: dict[str, object]) -> None:
    assert judged(posture, {**PARTNER, **trust}).severity is Severity.HIGH


@pytest.mark.parametrize(
    "criterion",
    [
        {"SenderIPAddresses": ["198.51.100.9"]},
        {"TlsSenderCertificateName": "mail.fabrikam.com"},
        {"TrustedOrganizations": ["fabrikam.com"]},
    ],
)
def test_a_criterion_passes(posture: Build, criterion: dict[str, object]) -> None:
    assert judged(posture, {**PARTNER, **criterion}).outcome is Outcome.PASS


def test_our_own_domain_warns_even_with_a_criterion(posture: Build) -> None:
    own = {**PARTNER, "SenderDomains": ["smtp:Contoso.com;1"], "SenderIPAddresses": ["198.51.100.9"]}

    assert judged(posture, own).outcome is Outcome.WARN


def test_a_disabled_connector_matches_nothing(posture: Build) -> None:
    assert judged(posture, {**PARTNER, "Enabled": False}).outcome is Outcome.PASS


@pytest.mark.parametrize("lacking", ["SenderIPAddresses", "TlsSenderCertificateName", "Enabled"])
def test_what_the_export_lacks_is_not_empty(posture: Build, lacking: str) -> None:
    partial = {name: value for name, value in PARTNER.items() if name != lacking}

    assert judged(posture, partial).outcome is Outcome.UNKNOWN


def test_no_connector_at_all_passes_unless_the_answer_was_cut(posture: Build) -> None:
    assert judged(posture).outcome is Outcome.PASS
    assert judged(posture, cut=frozenset({"Get-InboundConnector"})).outcome is Outcome.UNKNOWN


def test_without_the_cmdlet_it_is_unknown(posture: Build) -> None:
    assert find(CHECK, posture({})).outcome is Outcome.UNKNOWN
