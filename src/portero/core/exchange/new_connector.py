"""New inbound connectors by address: what Exchange takes into their list, and the change that makes one."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

from portero.core.address import parse_network
from portero.core.exchange.change import Change, making

# Exchange takes only IPv4 blocks this long or longer. Source: reference exchange-online 1.3.
_SHORTEST_BLOCK = 24
# A wider network than this would need more than 256 blocks, and is no list of one gateway's servers.
_WIDEST_NETWORK = 16


def connector_blocks(ranges: Iterable[str]) -> tuple[str, ...] | None:
    """
    Split networks (CIDR texts) into what SenderIPAddresses takes: IPv4 addresses and blocks of /24 to /32.

    None where a connector cannot hold them: IPv6, or a network wider than /16.
    Source: reference exchange-online 1.3 and 6.2.
    """
    held: list[ipaddress.IPv4Network] = []
    for text in ranges:
        network = parse_network(text)
        if isinstance(network, ipaddress.IPv6Network) or network.prefixlen < _WIDEST_NETWORK:
            return None
        held.append(network)
    blocks: list[str] = []
    for network in ipaddress.collapse_addresses(held):
        parts = (
            network.subnets(new_prefix=_SHORTEST_BLOCK) if network.prefixlen < _SHORTEST_BLOCK else [network]
        )
        blocks += [str(part.network_address) if part.prefixlen == 32 else str(part) for part in parts]
    return tuple(blocks)


def new_connector(
    name: str, ranges: Iterable[str], *, lock: bool = False, tls: bool = False, enabled: bool = True
) -> tuple[Change, ...]:
    """
    Create a Partner connector for every sender domain by address; none where the ranges do not fit a connector.

    lock:  restrict all mail to the addresses. Otherwise no Restrict flag is set: with one, a connector for ``*``
           would refuse everybody else.
    tls:   refuse what does not come encrypted.
    Source: controls catalogue DS-03 and CON-01; reference exchange-online 1.6 and 6.2.
    """
    blocks = connector_blocks(ranges)
    if not blocks:
        return ()
    return making(
        "InboundConnector",
        name,
        {
            "ConnectorType": "Partner",
            "SenderDomains": "*",
            "SenderIPAddresses": list(blocks),
            "RestrictDomainsToIPAddresses": lock,
            "RequireTls": tls,
            "Enabled": enabled,
        },
        # One made switched off is there to be completed and switched on, so neither undoes it.
        proof=("RestrictDomainsToIPAddresses", *(("Enabled", "SenderIPAddresses") if enabled else ())),
    )
