"""CON-11: connectors against each other and against the senders we know."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from portero.core.checks.con_11 import CHECK
from portero.core.finding import Finding, Outcome, find
from portero.core.flow import Facts, Flow, FlowKey
from portero.core.sender import Judgement, Sender

Build = Callable[..., Any]
STRICT: dict[str, object] = {
    "Name": "Own domain strict",
    "Enabled": True,
    "ConnectorType": "Partner",
    "SenderDomains": ["smtp:contoso.com;1"],
    "SenderIPAddresses": ["198.51.100.9"],
    "TlsSenderCertificateName": None,
    "RestrictDomainsToIPAddresses": True,
    "RestrictDomainsToCertificate": False,
    "EFSkipLastIP": False,
    "EFSkipIPs": [],
}


def scanner(sender: Build, address: str, **fields: Any) -> Sender:
    key = FlowKey(
        client_ip=address,
        mail_from_domain="contoso.com",
        header_from="scanner@contoso.com",
        connector="",
        direction="incoming",
    )
    made: Sender = sender(client_networks=(f"{address}/32",), flows=(Flow(key, Facts(mails=4)),), **fields)
    return made


def judged(posture: Build, *connectors: dict[str, object], **fields: Any) -> Finding:
    return find(CHECK, posture({"Get-InboundConnector": connectors}, **fields))


def test_a_known_sender_outside_a_restricting_connector_fails_and_is_added(
    posture: Build, sender: Build
) -> None:
    found = judged(posture, STRICT, senders=(scanner(sender, "203.0.113.10"),))

    assert found.outcome is Outcome.FAIL
    assert "'Own domain strict' -SenderIPAddresses @{Add='203.0.113.10'}" in str(found.fix)
    assert "@{Remove='203.0.113.10'}" in str(found.undo)


def test_a_sender_that_nobody_wants_may_be_shut_out(posture: Build, sender: Build) -> None:
    inside = scanner(sender, "198.51.100.9")
    spoofer = scanner(sender, "203.0.113.66", id="s-2", judgement=Judgement.ABUSE)

    assert judged(posture, STRICT, senders=(inside, spoofer)).outcome is not Outcome.FAIL


def test_known_senders_inside_pass(posture: Build, sender: Build) -> None:
    assert judged(posture, STRICT, senders=(scanner(sender, "198.51.100.9"),)).outcome is Outcome.PASS


def test_restricting_connectors_without_mail_are_unknown(posture: Build) -> None:
    assert judged(posture, STRICT).outcome is Outcome.UNKNOWN


def test_without_restrictions_nobody_is_shut_out(posture: Build) -> None:
    assert judged(posture, {**STRICT, "RestrictDomainsToIPAddresses": False}).outcome is Outcome.PASS


def test_addresses_on_two_connectors_warn(posture: Build) -> None:
    loose = {**STRICT, "RestrictDomainsToIPAddresses": False}
    wide = {**loose, "Name": "Wide", "SenderIPAddresses": ["198.51.100.0/24"]}
    found = judged(posture, loose, wide)

    assert found.outcome is Outcome.WARN
    assert "198.51.100.9/32" in str(found.because)


def test_a_wide_list_is_seen_to_overlap_behind_a_narrow_neighbour(posture: Build) -> None:
    loose = {**STRICT, "RestrictDomainsToIPAddresses": False}
    wide = {**loose, "Name": "Wide", "SenderIPAddresses": ["198.51.100.0/24", "198.51.100.1"]}

    assert judged(posture, wide, loose).outcome is Outcome.WARN


def test_a_disabled_connector_shuts_out_nobody(posture: Build, sender: Build) -> None:
    found = judged(posture, {**STRICT, "Enabled": False}, senders=(scanner(sender, "203.0.113.10"),))

    assert found.outcome is Outcome.PASS


def test_without_connectors_exported_it_is_unknown(posture: Build) -> None:
    assert find(CHECK, posture({})).outcome is Outcome.UNKNOWN
