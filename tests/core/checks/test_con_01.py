"""CON-01: the way around the gateway."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from portero.core.checks.con_01 import CHECK
from portero.core.finding import Finding, Outcome, find

Build = Callable[..., Any]
GATEWAY = {("contoso.com", "MX"): ["10 mx1.gateway.example"]}
MICROSOFT = {("contoso.com", "MX"): ["0 contoso-com.mail.protection.outlook.com"]}
LOCK: dict[str, object] = {
    "Name": "Only via gateway",
    "Enabled": True,
    "ConnectorType": "Partner",
    "SenderDomains": ["smtp:*;1"],
    "SenderIPAddresses": [],
    "TlsSenderCertificateName": "*.gateway.example",
    "RestrictDomainsToIPAddresses": False,
    "RestrictDomainsToCertificate": True,
}
BY_ADDRESS = {
    **LOCK,
    "RestrictDomainsToCertificate": False,
    "RestrictDomainsToIPAddresses": True,
    "SenderIPAddresses": ["198.51.100.0/24"],
}
# What the settings make of a connector's own list must not count as evidence for it.
CIRCLE = {"gateway_networks": ("198.51.100.0/24",)}
SEEN = {"gateway_networks": ("198.51.100.0/24",), "gateway_seen": ("198.51.100.7",)}


def judged(posture: Build, *connectors: dict[str, object], **fields: Any) -> Finding:
    return find(CHECK, posture({"Get-InboundConnector": connectors}, **{"dns": GATEWAY, **fields}))


def test_a_gateway_with_a_lock_by_certificate_passes(posture: Build) -> None:
    assert judged(posture, LOCK).outcome is Outcome.PASS


def test_a_gateway_without_a_lock_fails_and_the_lock_offered_starts_switched_off(posture: Build) -> None:
    found = judged(posture, settings=SEEN)

    assert found.outcome is Outcome.FAIL
    assert "-SenderIPAddresses @('198.51.100.7')" in str(found.fix)
    assert "-Enabled $false" in str(found.fix)


def test_a_connector_that_names_addresses_and_does_not_restrict_is_no_lock(posture: Build) -> None:
    assert judged(posture, {**BY_ADDRESS, "RestrictDomainsToIPAddresses": False}).outcome is Outcome.FAIL


def test_a_disabled_or_on_premises_connector_is_no_lock(posture: Build) -> None:
    off, on_premises = {**LOCK, "Enabled": False}, {**LOCK, "ConnectorType": "OnPremises"}

    assert judged(posture, off, on_premises).outcome is Outcome.FAIL


def test_a_lock_by_the_gateways_addresses_passes_and_one_with_others_warns(posture: Build) -> None:
    wide = {**BY_ADDRESS, "SenderIPAddresses": ["198.51.100.0/24", "203.0.113.0/24"]}

    assert judged(posture, BY_ADDRESS, settings=SEEN).outcome is Outcome.PASS
    found = judged(posture, wide, settings=SEEN)
    assert found.outcome is Outcome.WARN
    assert "203.0.113.0/24" in str(found.because)


def test_a_connectors_own_list_proves_nothing_about_itself(posture: Build) -> None:
    assert judged(posture, BY_ADDRESS, settings=CIRCLE).outcome is Outcome.UNKNOWN


def test_an_mx_host_inside_the_lock_shows_that_its_range_is_the_gateways(posture: Build) -> None:
    dns = {**GATEWAY, ("mx1.gateway.example", "A"): ["198.51.100.9"], ("mx1.gateway.example", "AAAA"): []}

    assert judged(posture, BY_ADDRESS, dns=dns).outcome is Outcome.PASS


def test_a_certificate_that_no_mx_host_bears_is_unknown(posture: Build) -> None:
    assert judged(posture, {**LOCK, "TlsSenderCertificateName": "*.other.example"}).outcome is Outcome.UNKNOWN
    assert judged(posture, {**LOCK, "TlsSenderCertificateName": "mail.contoso.com"}).outcome is Outcome.PASS


def test_addresses_of_which_nobody_knows_whose_they_are_leave_it_unknown(posture: Build) -> None:
    assert judged(posture, BY_ADDRESS).outcome is Outcome.UNKNOWN


def test_a_lock_whose_restrict_flags_were_not_exported_is_unknown(posture: Build) -> None:
    partial = {name: value for name, value in LOCK.items() if not name.startswith("Restrict")}

    assert judged(posture, partial).outcome is Outcome.UNKNOWN


def test_it_does_not_apply_where_mail_enters_at_microsoft(posture: Build) -> None:
    assert judged(posture, dns=MICROSOFT).outcome is Outcome.NOT_APPLICABLE


def test_a_look_alike_of_microsofts_name_is_a_gateway(posture: Build) -> None:
    fake = {("contoso.com", "MX"): ["0 evilmail.protection.outlook.com.example"]}

    assert judged(posture, dns=fake).outcome is Outcome.FAIL


def test_an_mx_that_nobody_asked_for_is_unknown(posture: Build) -> None:
    assert judged(posture, dns={}).outcome is Outcome.UNKNOWN


def test_a_null_mx_is_no_gateway(posture: Build) -> None:
    assert judged(posture, dns={("contoso.com", "MX"): ["0 ."]}).outcome is Outcome.NOT_APPLICABLE


def test_configuration_may_say_that_a_gateway_stands_in_front(posture: Build) -> None:
    assert judged(posture, dns={}, settings={"mx_at_microsoft": False}).outcome is Outcome.FAIL
