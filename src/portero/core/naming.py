"""What a sender is called once its host is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from portero.core.hosts import Host, Tie
from portero.core.sender import DecidedBy, Kind, Sender
from portero.core.text import Text

# What these are is said by other evidence than a host's name.
_OTHERWISE = frozenset({Kind.SPOOFER, Kind.MAILBOX, Kind.GATEWAY, Kind.HYBRID})

Ties = Mapping[tuple[str, str], Tie]


def tie_of(keys: Sequence[tuple[str, str]], ties: Ties) -> Tie | None:
    """
    Give the one host of several ways of sending, or those that they could be; None where nothing is known.

    keys:  client address and name of each.
    """
    found = [ties[key] for key in dict.fromkeys(keys) if key in ties]
    if not found:
        return None
    hosts: dict[str, Host] = {host.address: host for tie in found for host in tie.hosts}
    everywhere = len(found) == len(dict.fromkeys(keys))
    origins = tuple(dict.fromkeys(origin for tie in found for origin in tie.origins))[:5]
    if len(hosts) == 1 and everywhere and all(tie.settled for tie in found):
        return Tie(tuple(hosts.values()), True, found[0].why, origins)
    if len(found) == 1:
        open_ = next((tie for tie in found if not tie.settled), None)
        why = open_.why if open_ else Text("Only a part of its mail is tied to a host.")
        return Tie(tuple(hosts.values()), False, why, origins)
    if len(hosts) == 1:
        return Tie(tuple(hosts.values()), False, Text("Only a part of its mail is tied to a host."), origins)
    why = Text(
        "It could be {number} hosts: {hosts}.",
        number=len(hosts),
        hosts=tuple(host.label for host in list(hosts.values())[:3]),
    )
    return Tie(tuple(hosts.values()), False, why, origins)


def keys_of(sender: Sender) -> list[tuple[str, str]]:
    """Give a sender's ways of sending by client address and name, as `tie_flows` does."""
    return [
        (flow.key.client_ip, flow.key.header_from or flow.key.sender or "")
        for flow in sender.flows
        if flow.key.client_ip
    ]


def name_senders(senders: Sequence[Sender], ties: Ties) -> tuple[Sender, ...]:
    """Give the senders with their hosts, and those that are one known host its name: a label is never a judgement."""
    return tuple(_named(sender, tie_of(keys_of(sender), ties)) for sender in senders)


def _named(sender: Sender, tie: Tie | None) -> Sender:
    if tie is None:
        return sender
    by_people = sender.decided_by is not DecidedBy.EVIDENCE
    if not tie.settled or by_people or sender.kind in _OTHERWISE:
        return replace(sender, tie=tie)
    return replace(sender, tie=tie, label=tie.hosts[0].label)
