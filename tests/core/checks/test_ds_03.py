"""DS-03: every legitimate sender on a connector that identifies it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from portero.core.checks.ds_03 import CHECK
from portero.core.finding import Finding, Outcome, find
from portero.core.sender import Judgement, Path, Sender
from portero.core.text import Text

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
    found = judged(posture, senders=(sender(label=Text("{name}", name="O'Neil’s scanner")),))

    assert found.outcome is Outcome.FAIL
    assert "-Name 'Direct Send: O''Neil’’s scanner'" in str(found.fix)
    assert "-SenderIPAddresses @('203.0.113.10')" in str(found.fix)
    assert "Remove-InboundConnector -Identity 'Direct Send: O''Neil’’s scanner'" in str(found.undo)


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
