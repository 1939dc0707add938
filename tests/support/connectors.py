"""An inbound connector as an export holds it, and the network that it is for."""

from __future__ import annotations

from portero.core.address import parse_network
from portero.core.register import Configuration, KnownNetwork

CONNECTOR: dict[str, object] = {
    "Name": "Devices", "Enabled": True, "ConnectorType": "Partner", "SenderDomains": ["smtp:*;1"],
    "SenderIPAddresses": ["203.0.113.10"], "TlsSenderCertificateName": None, "RequireTls": True,
    "ConnectorSource": "AdminUI", "Comment": "it@contoso.com",
}  # fmt: skip


def known(use: str, network: str = "203.0.113.0/24") -> Configuration:
    """Give a configuration that names one network and its use."""
    return Configuration(networks=(KnownNetwork("HQ", (parse_network(network),), use),))
