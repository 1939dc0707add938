"""Cisco ASA: object groups, and lines put in front of the access list of the inside interface."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

from portero.core.text import Text
from portero.faces.segments.target import Rules, Target

# Source: Cisco ASA command reference, object-group and access-list extended.
_LIST = "inside_access_in"


def _network(text: str) -> str:
    network = ipaddress.ip_network(text)
    if network.version == 6:
        return f" network-object {network}"
    return f" network-object {network.network_address} {network.netmask}"


def _group(name: str, lines: Iterable[str]) -> list[str]:
    return [f"object-group network {name}", *lines]


def _lines(rules: Rules) -> list[str]:
    """Give the lines of the access list in their order."""
    action = "deny" if rules.deny else "permit"
    ports = "object-group PORTERO-MAIL-PORTS"
    inside = "object-group PORTERO-INSIDE"
    lines = [f"permit tcp {inside} {inside} {ports}"]
    if rules.addresses:
        lines.append(f"permit tcp object-group PORTERO-MAIL-SENDERS any {ports}")
    return [*lines, f"{action} tcp {inside} any {ports} log"]


def _apply(rules: Rules) -> list[str]:
    lines = ["configure terminal"]
    lines += _group("PORTERO-INSIDE", map(_network, (*rules.inside_4, *rules.inside_6)))
    if rules.addresses:
        lines += _group("PORTERO-MAIL-SENDERS", (f" network-object host {each}" for each in rules.addresses))
    lines += [
        "object-group service PORTERO-MAIL-PORTS tcp",
        *(f" port-object eq {port}" for port in rules.ports),
    ]
    lines += [
        f"access-list {_LIST} line {number} extended {line}" for number, line in enumerate(_lines(rules), 1)
    ]
    return [*lines, "end"]


def _undo(rules: Rules) -> list[str]:
    lines = ["configure terminal", *(f"no access-list {_LIST} extended {line}" for line in _lines(rules))]
    lines.append("no object-group service PORTERO-MAIL-PORTS tcp")
    if rules.addresses:
        lines.append("no object-group network PORTERO-MAIL-SENDERS")
    return [*lines, "no object-group network PORTERO-INSIDE", "end"]


TARGET = Target(
    "cisco-asa",
    "portero-mail-asa.txt",
    "portero-mail-asa-undo.txt",
    "!",
    _apply,
    _undo,
    (
        Text("Put the name of the access list of your inside interface in place of inside_access_in."),
        Text("It must exist already: a new list with these lines alone would refuse everything else."),
    ),
)
