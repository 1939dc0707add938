"""Where mail enters: at Microsoft, or through a gateway and from which addresses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from portero.app.evidence import Arrival, Evidence
from portero.core.address import client_address, neighbourhood
from portero.core.dns import DnsStatus
from portero.core.exchange.exchangers import MxPosture, mx_posture, read_exchangers
from portero.core.exchange.settings import Settings

# From so many sender domains on, what delivers other people's mail is no partner of the organisation's.
_STRANGERS, _PARTNERS = 10, 1


def with_gateway(settings: Settings, evidence: Evidence, arrivals: Sequence[Arrival]) -> Settings:
    """
    Add to the settings where mail enters: at Microsoft, or through a gateway and from which addresses.

    With the MX at a gateway, other people's mail arrives from its networks: those that deliver for at least a tenth
    as many different sender domains as the busiest does. Wherever the MX points, a connector through which the mail
    of many strangers comes carries the internet's mail, whatever its administrator called it, and whether or not
    anybody saw their addresses.
    """
    at_microsoft = _mx_at_microsoft(settings, evidence)
    domains: dict[str, int] = {}
    carried: set[str] = set()
    unplaced: dict[str, int] = {}
    for each in arrivals:
        if (address := client_address(each.client_ip)) is None:
            if _carries(settings, each.connector, ""):
                unplaced[each.connector.lower()] = each.domains
            continue
        near = neighbourhood(address)
        # Addresses of one network may deliver for the same domains, so their sum is an upper bound.
        domains[near] = domains.get(near, 0) + each.domains
        if _carries(settings, each.connector, address):
            carried.add(near)
    busy = [
        near
        for near, number in domains.items()
        if number >= _STRANGERS and number * 10 >= max(domains.values())
    ]
    # With the MX elsewhere all strangers come by the gateway, and a partner's connector carries one partner's mail.
    least = _PARTNERS + 1 if at_microsoft is False else _STRANGERS
    settings = replace(
        settings,
        gateway_connectors=tuple(
            name
            for name, number in unplaced.items()
            if number >= least and number * 10 >= max(unplaced.values())
        ),
    )
    if at_microsoft is not False:
        return replace(
            settings,
            mx_at_microsoft=at_microsoft,
            gateway_networks=tuple(near for near in busy if near in carried),
        )
    listed = [
        network
        for held in settings.connectors
        if held.enabled is not False and held.partner and "*" in held.sender_domains
        for network in held.addresses
    ]
    return replace(
        settings,
        mx_at_microsoft=False,
        gateway_networks=tuple(dict.fromkeys([*listed, *busy])),
        gateway_seen=tuple(busy),
    )


def _carries(settings: Settings, name: str, address: str) -> bool:
    """Tell whether a connector that is not the hybrid one takes an address's mail, by its name or by its list."""
    named = settings.connector(name) if name else None
    held = [named] if named is not None else list(settings.by_address.covering(address))
    return bool(name or held) and not any(each.cloud_services_mail for each in held)


def _mx_at_microsoft(settings: Settings, evidence: Evidence) -> bool | None:
    """
    Tell whether mail enters at Microsoft; None where that is not known, or true of some domains and not of others.

    A lock at a gateway is for all domains at once: one whose MX is Microsoft's would lose all its mail by it.
    Source: reference exchange-online 1.6.
    """
    if evidence.configuration.mx_provider is not None:
        return evidence.configuration.mx_provider == "microsoft"
    postures = set(mx_postures(settings, evidence).values())
    return (
        postures == {MxPosture.MICROSOFT} if len(postures) == 1 and MxPosture.MIXED not in postures else None
    )


def mx_postures(settings: Settings, evidence: Evidence) -> dict[str, MxPosture]:
    """Give where the mail of each accepted domain enters; one that takes no mail, or whose MX is not known, has no say."""
    found: dict[str, MxPosture] = {}
    for domain in settings.accepted_domains:
        if domain.name.endswith(".onmicrosoft.com"):
            continue
        answer = evidence.dns.lookup(domain.name, "MX")
        if answer.status is DnsStatus.NOERROR:
            posture = mx_posture(read_exchangers(answer.answers))
            if posture not in {MxPosture.NONE, MxPosture.NULL}:
                found[domain.name] = posture
    return found
