"""AUTH-06: accounts that submit by SMTP."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from portero.core.address import parse_network
from portero.core.checks.auth_06 import CHECK
from portero.core.finding import Finding, Outcome, find
from portero.core.register import Configuration, KnownNetwork
from portero.core.sender import Path

Build = Callable[..., Any]
PASS, WARN, FAIL = Outcome.PASS, Outcome.WARN, Outcome.FAIL
UNKNOWN, NOT_APPLICABLE = Outcome.UNKNOWN, Outcome.NOT_APPLICABLE

EXCEPTED = {
    "Name": "scanner",
    "PrimarySmtpAddress": "scanner@contoso.com",
    "SmtpClientAuthenticationDisabled": False,
}
HQ = Configuration(networks=(KnownNetwork("HQ", (parse_network("203.0.113.0/24"),), "devices"),))


def judged(posture: Build, members: Any, mailbox: Any = EXCEPTED, **fields: Any) -> Finding:
    objects = {"Get-CASMailbox": [mailbox], "Get-RoleGroupMember": members}
    return find(CHECK, posture(objects, **{"configuration": HQ, **fields}))


def submitting(sender: Build, network: str = "203.0.113.10/32") -> Any:
    return (sender(path=Path.AUTHENTICATED, client_networks=(network,)),)


def test_no_role_and_registered_addresses_pass(posture: Build, sender: Build) -> None:
    assert judged(posture, [], senders=submitting(sender)).outcome is PASS


def test_a_role_or_a_strange_address_fails(posture: Build, sender: Build) -> None:
    admin = {"Name": "scanner", "PrimarySmtpAddress": "Scanner@contoso.com"}

    assert judged(posture, [admin], senders=submitting(sender)).outcome is FAIL
    assert judged(posture, [], senders=submitting(sender, "192.0.2.9/32")).outcome is FAIL


def test_what_was_not_seen_is_unknown(posture: Build, sender: Build) -> None:
    assert judged(posture, []).outcome is UNKNOWN
    assert judged(posture, [], senders=submitting(sender), configuration=Configuration()).outcome is UNKNOWN
    without_roles = posture({"Get-CASMailbox": [EXCEPTED]}, configuration=HQ, senders=submitting(sender))
    assert find(CHECK, without_roles).outcome is UNKNOWN
    assert find(CHECK, posture({})).outcome is UNKNOWN


@pytest.mark.parametrize("value", [True, None])
def test_without_exceptions_it_does_not_apply(posture: Build, value: object) -> None:
    assert (
        judged(posture, [], {**EXCEPTED, "SmtpClientAuthenticationDisabled": value}).outcome is NOT_APPLICABLE
    )
