"""CON-08: shared certificates."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from portero.core.checks.con_08 import CHECK
from portero.core.finding import Finding, Outcome, find
from support.connectors import CONNECTOR

Build = Callable[..., Any]
PASS, WARN, FAIL = Outcome.PASS, Outcome.WARN, Outcome.FAIL
UNKNOWN, NOT_APPLICABLE = Outcome.UNKNOWN, Outcome.NOT_APPLICABLE


def judged(posture: Build, *connectors: dict[str, object], **fields: Any) -> Finding:
    return find(CHECK, posture({"Get-InboundConnector": connectors}, **fields))


SHARED = {**CONNECTOR, "TlsSenderCertificateName": "*.exclaimer.net"}
NONE = {("_dmarc.contoso.com", "TXT"): ["v=DMARC1; p=none"], ("_dmarc.com", "TXT"): []}
REJECT = {("_dmarc.contoso.com", "TXT"): ["v=DMARC1; p=reject"], ("_dmarc.com", "TXT"): []}


def test_a_shared_certificate_without_an_enforced_policy_fails(posture: Build) -> None:
    found = judged(posture, SHARED, dns=NONE)

    assert found.outcome is FAIL
    assert "contoso.com" in str(found.because)
    assert "-Enabled $false" in str(found.fix)
    assert "-Enabled $true" in str(found.undo)


def test_with_an_enforced_policy_it_warns(posture: Build) -> None:
    assert judged(posture, SHARED, dns=REJECT).outcome is WARN


@pytest.mark.parametrize("changed", [{"TlsSenderCertificateName": "mail.contoso.com"}, {"Enabled": False}])
def test_our_own_certificate_or_a_connector_that_is_off_passes(
    posture: Build, changed: dict[str, object]
) -> None:
    assert judged(posture, {**SHARED, **changed}, dns=NONE).outcome is PASS


def test_silence_is_unknown(posture: Build) -> None:
    assert judged(posture, SHARED, dns={("contoso.com", "MX"): []}).outcome is UNKNOWN
    assert judged(posture, SHARED).outcome is UNKNOWN
    bare = {name: value for name, value in SHARED.items() if name != "TlsSenderCertificateName"}
    assert judged(posture, bare, dns=NONE).outcome is UNKNOWN
