"""OUT-01: automatic forwarding."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from portero.core.checks.out_01 import CHECK
from portero.core.finding import Finding, Outcome, find

Build = Callable[..., Any]
PASS, WARN, FAIL = Outcome.PASS, Outcome.WARN, Outcome.FAIL
UNKNOWN, NOT_APPLICABLE = Outcome.UNKNOWN, Outcome.NOT_APPLICABLE

POLICY: dict[str, object] = {"Name": "Default", "IsDefault": True, "AutoForwardingMode": "Off"}
REMOTE: dict[str, object] = {"Name": "Default", "DomainName": "*", "AutoForwardEnabled": False}


def judged(posture: Build, policy: dict[str, object], *remote: dict[str, object]) -> Finding:
    objects = {"Get-HostedOutboundSpamFilterPolicy": [policy], "Get-RemoteDomain": remote}
    return find(CHECK, posture(objects))


@pytest.mark.parametrize(
    ("policy", "remote", "outcome"),
    [
        ({}, {}, PASS),
        ({"AutoForwardingMode": "Automatic"}, {}, WARN),
        ({"AutoForwardingMode": "On"}, {}, FAIL),
        ({"AutoForwardingMode": None}, {}, UNKNOWN),
        ({}, {"AutoForwardEnabled": True}, FAIL),
        ({}, {"AutoForwardEnabled": None}, UNKNOWN),
        ({}, {"DomainName": "partner.example"}, UNKNOWN),
    ],
)
def test_both_must_forbid_it(
    posture: Build, policy: dict[str, object], remote: dict[str, object], outcome: Outcome
) -> None:
    assert judged(posture, {**POLICY, **policy}, {**REMOTE, **remote}).outcome is outcome


def test_a_named_remote_domain_may_be_allowed(posture: Build) -> None:
    partner = {"Name": "Partner", "DomainName": "partner.example", "AutoForwardEnabled": True}

    assert judged(posture, POLICY, REMOTE, partner).outcome is PASS


def test_absent_values_and_cmdlets_are_unknown(posture: Build) -> None:
    assert judged(posture, {"Name": "Default", "IsDefault": True}, REMOTE).outcome is UNKNOWN
    assert find(CHECK, posture({})).outcome is UNKNOWN
