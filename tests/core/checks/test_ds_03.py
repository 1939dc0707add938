"""DS-03: every legitimate sender on a connector that identifies it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from portero.core.checks.ds_03 import CHECK
from portero.core.finding import Finding, Outcome, find
from portero.core.sender import DecidedBy, Judgement, Kind, Path, Sender
from portero.core.text import Text
from support.senders import anonymous

Build = Callable[..., Any]
CONNECTOR: dict[str, object] = {
    "Name": "Devices",
    "Enabled": True,
    "ConnectorType": "Partner",
    "SenderDomains": ["smtp:*;1"],
    "SenderIPAddresses": ["203.0.113.10"],
    "TlsSenderCertificateName": None,
    "RestrictDomainsToIPAddresses": False,
    "RestrictDomainsToCertificate": False,
}


VOUCHED: dict[str, object] = {
    "decided_by": DecidedBy.REGISTER,
    "flows": (anonymous("203.0.113.10"),),
}


def judged(posture: Build, *connectors: dict[str, object], senders: tuple[Sender, ...]) -> Finding:
    return find(CHECK, posture({"Get-InboundConnector": connectors}, senders=senders))


def test_a_sender_that_its_connector_takes_passes(posture: Build, sender: Build) -> None:
    on = sender(path=Path.CONNECTOR, connector="devices")

    assert judged(posture, CONNECTOR, senders=(on,)).outcome is Outcome.PASS


def test_a_sender_whose_connector_exists_and_does_not_take_it_fails(posture: Build, sender: Build) -> None:
    assert judged(posture, CONNECTOR, senders=(sender(),)).outcome is Outcome.FAIL


def test_a_sender_without_any_connector_fails_and_gets_one_with_its_own_address(
    posture: Build, sender: Build
) -> None:
    found = judged(posture, senders=(sender(label=Text("{name}", name="O'Neil’s scanner"), **VOUCHED),))

    assert found.outcome is Outcome.FAIL
    assert "-Name 'Direct Send: O''Neil’’s scanner'" in str(found.fix)
    assert "-SenderIPAddresses @('203.0.113.10')" in str(found.fix)
    assert "Remove-InboundConnector -Identity 'Direct Send: O''Neil’’s scanner'" in str(found.undo)


def test_no_command_opens_a_door_that_the_plan_keeps_shut(posture: Build, sender: Build) -> None:
    scanner = sender(**VOUCHED)
    twin = sender(id="s-twin", label=Text("twin"), **VOUCHED)
    behaving = sender(
        id="s-behaving",
        label=Text("behaving"),
        flows=(anonymous("203.0.113.20"),),
        client_networks=("203.0.113.20/32",),
    )
    service = sender(
        id="s-service",
        label=Text("service"),
        kind=Kind.SERVICE,
        decided_by=DecidedBy.REGISTER,
        flows=(anonymous("198.51.100.5"),),
        client_networks=("198.51.100.5/32",),
    )

    found = judged(posture, senders=(scanner, twin, behaving, service))

    assert str(found.fix).count("New-InboundConnector") == 1
    assert "198.51.100.5" not in str(found.fix)
    assert "203.0.113.20" not in str(found.fix)
    assert "No command stands here for behaving, service" in str(found.because)
    # Of a service alone nothing is handed out.
    assert judged(posture, senders=(service,)).changes == ()


def test_a_connector_by_sender_domain_alone_warns(posture: Build, sender: Build) -> None:
    by_domain = {**CONNECTOR, "SenderIPAddresses": [], "SenderDomains": ["smtp:contoso.com;1"]}

    assert judged(posture, by_domain, senders=(sender(),)).outcome is Outcome.WARN


def test_a_sender_whose_path_is_not_known_is_unknown(posture: Build, sender: Build) -> None:
    found = judged(posture, CONNECTOR, senders=(sender(path=Path.UNDETERMINED),))

    assert found.outcome is Outcome.UNKNOWN


def test_senders_that_authenticate_are_not_concerned(posture: Build, sender: Build) -> None:
    found = judged(posture, CONNECTOR, senders=(sender(path=Path.AUTHENTICATED),))

    assert found.outcome is Outcome.NOT_APPLICABLE


def test_an_undecided_sender_keeps_it_unknown(posture: Build, sender: Build) -> None:
    found = judged(posture, CONNECTOR, senders=(sender(judgement=Judgement.UNDECIDED),))

    assert found.outcome is Outcome.UNKNOWN


def test_a_sender_with_ipv6_alone_is_offered_a_certificate(posture: Build, sender: Build) -> None:
    found = judged(posture, senders=(sender(client_networks=("2001:db8::/64",)),))

    assert "-TlsSenderCertificateName" in str(found.fix)
    assert "2001:db8" not in str(found.fix)


def test_without_connectors_exported_it_is_unknown(posture: Build, sender: Build) -> None:
    assert find(CHECK, posture(senders=(sender(),))).outcome is Outcome.UNKNOWN
