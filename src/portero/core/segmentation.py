"""Segmentation: which hosts inside may open the mail ports to the internet, and what a rule would have blocked."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from portero.core.address import client_address
from portero.core.hosts import Host
from portero.core.sender import Judgement, Kind, Sender
from portero.core.text import Text

# SMTP, submission over TLS, submission. Source: controls catalogue NET-01 and NET-02.
PORTS = (25, 465, 587)
# Where rules count as inside. Source: RFC 1918, RFC 6598, RFC 4193.
INSIDE = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")

# How many of its sender addresses a permit names.
_NAMED = 3
_MACHINES = frozenset({Kind.DEVICE, Kind.APPLICATION, Kind.HYBRID, Kind.UNKNOWN})


@dataclass(frozen=True, slots=True)
class Permit:
    """
    A host that may open the ports.

    why:      what makes it one.
    settled:  False while somebody has still to decide: it is let through and logged, so that no sender to keep is cut
              off by a rule that came before the answer.
    """

    host: Host
    why: Text
    settled: bool


@dataclass(frozen=True, slots=True)
class Blocked:
    """
    A host that a rule would have refused in the recorded traffic.

    opened:   connections to port 25 outside that got through.
    unknown:  its other connections to mail ports, of which the evidence does not say whether they left the organisation.
    """

    host: Host
    opened: int
    unknown: int


@dataclass(frozen=True, slots=True)
class Segmentation:
    """
    Who may open the mail ports, and what the rule would have cost.

    unseen:  senders to keep of which no network evidence shows the host that opens the ports: the rules know nothing of
             where their mail leaves.
    """

    permits: tuple[Permit, ...]
    blocked: tuple[Blocked, ...]
    unseen: tuple[Sender, ...]

    def addresses(self, version: int) -> tuple[str, ...]:
        """Give the permitted addresses of one family, in order; an IPv6 zone, which may hold any text, is left out."""
        canonical = (client_address(each.host.address) for each in self.permits)
        held = {ipaddress.ip_address(each) for each in canonical if each is not None}
        return tuple(str(each) for each in sorted(a for a in held if a.version == version))


def segment(hosts: Sequence[Host], senders: Sequence[Sender]) -> Segmentation:
    """
    Read from the inventory and the network evidence which hosts may open the mail ports.

    Allowed are relays the configuration knows and hosts that are a sender to keep. A host that could be one, that could
    pass its mail on, or is one that nobody has decided about, is allowed until somebody answers; every other host is
    refused.
    Source: controls catalogue NET-01 and NET-02; architecture section 4, nothing cuts off a legitimate sender.
    """
    tied = _tied(senders)
    known = {host.address: host for host in hosts}
    lost = [each for each in senders if _may_stand_inside(each) and not _leaves_by_itself(each, known)]
    permits, blocked = [], []
    for host in sorted(hosts, key=lambda each: (-each.port_25, -each.sessions, each.address)):
        permit = _permit(host, tied.get(host.address, ())) or _carrier(host, lost)
        if permit is not None:
            permits.append(permit)
        else:
            blocked.append(Blocked(host, host.port_25, max(0, host.sessions - host.port_25 - host.denied)))
    carried = {address for each in permits if each.host.port_25 for address in each.host.egress}
    unseen = [
        each
        for each in lost
        if each.legitimate and (each.tie is None or carried.isdisjoint(each.client_addresses))
    ]
    return Segmentation(tuple(permits), tuple(blocked), tuple(unseen))


def _leaves_by_itself(sender: Sender, known: Mapping[str, Host]) -> bool:
    """Tell whether a sender's mail is not known to leave by another host than it is: one of a relay's log never left."""
    if sender.tie is None:
        return False
    held = [known.get(host.address, host) for host in sender.tie.hosts]
    return any(host.port_25 or not host.sessions for host in held)


def _carrier(host: Host, lost: Sequence[Sender]) -> Permit | None:
    """Let a host through that leaves by an address from which a sender to keep comes, but by a host unknown."""
    if not host.port_25:
        return None
    for sender in lost:
        if sender.judgement is not Judgement.ABUSE and not set(host.egress).isdisjoint(
            sender.client_addresses
        ):
            why = Text(
                "It leaves by an address from which {sender} sends, and may pass that mail on: let through until somebody "
                "answers.",
                sender=sender.label,
            )
            return Permit(host, why, settled=False)
    return None


def _may_stand_inside(sender: Sender) -> bool:
    """Tell whether a sender is a machine that may stand in the organisation's network."""
    return sender.kind in _MACHINES and any(flow.key.client_ip for flow in sender.flows)


def _tied(senders: Sequence[Sender]) -> Mapping[str, tuple[tuple[Sender, bool], ...]]:
    """Give by host address the senders that it is (True) or could be (False)."""
    found: dict[str, list[tuple[Sender, bool]]] = {}
    for sender in senders:
        for host in sender.tie.hosts if sender.tie is not None else ():
            found.setdefault(host.address, []).append((sender, bool(sender.tie and sender.tie.settled)))
    return {address: tuple(held) for address, held in found.items()}


def _permit(host: Host, tied: Sequence[tuple[Sender, bool]]) -> Permit | None:
    if host.relay:
        return Permit(host, Text("The configuration calls it a relay."), settled=True)
    known = [sender for sender, settled in tied if settled and sender.legitimate]
    if known:
        names = known[0].header_from[:_NAMED]
        why = (
            Text("It sends as {names}.", names=names)
            if names
            else Text("It is {sender}.", sender=known[0].label)
        )
        return Permit(host, why, settled=True)
    perhaps = [sender for sender, _ in tied if sender.judgement is not Judgement.ABUSE]
    if perhaps:
        why = Text(
            "It could be {sender}, or nobody has decided about it: let through until somebody answers.",
            sender=perhaps[0].label,
        )
        return Permit(host, why, settled=False)
    return None
