"""A link names its host by number instead of by name."""

from __future__ import annotations

import ipaddress

from portero.core.message.case import Case, Rule
from portero.core.message.web import numeric
from portero.core.text import Text


def match(case: Case) -> Text | None:
    """Match numeric hosts, those of private networks left out."""
    for each in case.away:
        if numeric(each) and not _private(each.host) and not case.reply and "html" in case.content.traits:
            return Text("A link leads to the bare address {host}.", host=each.host)
    return None


_PRIVATE = tuple(
    ipaddress.ip_network(text)
    for text in (
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "fc00::/7",
        "fe80::/10",
    )
)


def _private(host: str) -> bool:
    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return any(address in network for network in _PRIVATE if network.version == address.version)


RULE = Rule(
    id="link-by-number",
    title="link to a bare address",
    level="high",
    weight=1.8,
    match=match,
    falsepositives=("Devices in the own network that link to themselves.",),
)
