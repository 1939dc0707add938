"""SPOOF-04: standing permissions to write as us."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from portero.core.checks.spoof_04 import CHECK
from portero.core.finding import Finding, Outcome, Severity, find
from portero.core.flow import Facts
from portero.core.sender import DecidedBy

Build = Callable[..., Any]
PAIR: dict[str, object] = {
    "Identity": "5a0e1c1e-0000-4000-8000-000000000001",
    "SpoofedUser": "scanner@contoso.com",
    "SendingInfrastructure": "203.0.113.10/32",
    "SpoofType": "Internal",
    "Action": "Allow",
}


def judged(posture: Build, *pairs: dict[str, object], **fields: Any) -> Finding:
    return find(CHECK, posture({"Get-TenantAllowBlockListSpoofItems": pairs}, **fields))


def test_no_pairs_pass(posture: Build) -> None:
    assert judged(posture).outcome is Outcome.PASS


@pytest.mark.parametrize("other", [{"SpoofType": "External"}, {"Action": "Block"}])
def test_blocks_and_pairs_of_other_domains_pass(posture: Build, other: dict[str, object]) -> None:
    assert judged(posture, {**PAIR, **other}).outcome is Outcome.PASS


def test_a_pair_of_an_unregistered_source_fails(posture: Build, sender: Build) -> None:
    found = judged(posture, PAIR, senders=(sender(),))

    assert (found.outcome, found.severity) == (Outcome.FAIL, Severity.CRITICAL)
    assert "-Ids '5a0e1c1e-0000-4000-8000-000000000001'" in str(found.fix)
    assert "-SpoofedUser 'scanner@contoso.com' -SendingInfrastructure '203.0.113.10/32'" in str(found.undo)


def test_a_pair_of_one_registered_sender_warns(posture: Build, sender: Build) -> None:
    registered = sender(decided_by=DecidedBy.REGISTER)

    assert judged(posture, PAIR, senders=(registered,)).outcome is Outcome.WARN


def test_a_pair_by_name_of_a_registered_senders_host_warns(posture: Build, sender: Build) -> None:
    named = sender(decided_by=DecidedBy.PERSON, facts=Facts(ptr={"out1.relay.example": 3}))

    assert (
        judged(posture, {**PAIR, "SendingInfrastructure": "relay.example"}, senders=(named,)).outcome
        is Outcome.WARN
    )


@pytest.mark.parametrize(
    "wide",
    [
        {"SpoofedUser": "*"},
        {"SendingInfrastructure": "203.0.113.0/24"},
        {"SendingInfrastructure": "relay.example"},
    ],
)
def test_any_user_a_shared_network_or_a_foreign_name_fails_even_so(
    posture: Build, sender: Build, wide: dict[str, object]
) -> None:
    registered = sender(decided_by=DecidedBy.REGISTER)

    assert judged(posture, {**PAIR, **wide}, senders=(registered,)).outcome is Outcome.FAIL


@pytest.mark.parametrize("lacking", ["SpoofType", "Action"])
def test_absent_is_unknown(posture: Build, lacking: str) -> None:
    assert judged(posture, {k: v for k, v in PAIR.items() if k != lacking}).outcome is Outcome.UNKNOWN


def test_without_the_cmdlet_it_is_unknown(posture: Build) -> None:
    assert find(CHECK, posture({})).outcome is Outcome.UNKNOWN
