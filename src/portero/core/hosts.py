"""Hosts inside the organisation that hand over mail, and which of them a way of sending is: proven, or said to be open."""

from __future__ import annotations

import ipaddress
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from portero.core.evidence import Origin
from portero.core.flow import Flow
from portero.core.text import Text, count

# Of a sender's mails, the share at which a host must have had a connection open to be the one that sent them. Logs lose
# lines and devices send again, so it is not all.
COVERED = 0.8
# How likely chance alone may explain the meeting of connections and mails, over all hosts together.
CHANCE = 0.001
_NAMED_HOSTS = 3


@dataclass(frozen=True, slots=True)
class Lease:
    """
    What one document says of an address: a lease, or a row of an address plan.

    since, until:  aware UTC; None = the document does not say.
    """

    address: str
    mac: str | None = None
    name: str | None = None
    maker: str | None = None
    remark: str | None = None
    owner: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    origin: Origin | None = None


@dataclass(frozen=True, slots=True)
class Host:
    """
    One address inside that opened connections to mail ports, with what is known of the device.

    names:         by which DHCP, an address plan or a log knows it, the newest first.
    sessions:      connections seen, whichever port and end; where several witnesses saw the same, the fullest counts.
    port_25:       of these, to port 25 outside the organisation and not refused by the firewall.
    denied:        connections that a firewall or a relay refused.
    egress:        its addresses after translation, as firewalls logged them.
    destinations:  servers, most connections first, by name where a log has it.
    shared:        several devices had the address while it was seen, so its name may be another one's.
    relay:         the configuration names its network as one of relays.
    """

    address: str
    names: tuple[str, ...] = ()
    mac: str | None = None
    maker: str | None = None
    remark: str | None = None
    owner: str | None = None
    sessions: int = 0
    port_25: int = 0
    denied: int = 0
    egress: tuple[str, ...] = ()
    destinations: tuple[str, ...] = ()
    first_seen: datetime | None = None
    last_seen: datetime | None = None
    witnesses: Mapping[str, int] = field(default_factory=dict)
    shared: bool = False
    relay: bool = False
    origins: tuple[Origin, ...] = ()

    @property
    def label(self) -> Text:
        """Name it as a person would: ``PRN-3F-KM (10.2.3.14, Konica Minolta)``, with what is known of that."""
        name = self.names[0] if self.names and not self.shared else None
        maker = self.maker if not self.shared else None
        if name and maker:
            return Text("{name} ({address}, {maker})", name=name, address=self.address, maker=maker)
        if name or maker:
            return Text("{name} ({address})", name=name or maker, address=self.address)
        return Text("{address}", address=self.address)


@dataclass(frozen=True, slots=True)
class Meeting:
    """
    How one host's connections meet the mails of one name from one client address.

    client_ip, author:  the mails': canonical address, and P2 (or the traced sender) in lower case.
    mails:     mails in the time that the host's witnesses cover.
    near:      of these, while the host had a connection open that is large enough for the mail.
    alone:     of these, while no other host had one.
    moments:   half hours with such mails, and near_moments those with one of `near`: a burst of mails is one moment.
    same_mail: mails that a log of the host's own session names by Message-ID.
    chance:    the share of the time, in the hours when mail came from there, in which the host had a connection open.
    """

    client_ip: str
    author: str
    address: str
    mails: int
    near: int
    alone: int
    moments: int
    near_moments: int
    same_mail: int
    chance: float
    origins: tuple[Origin, ...] = ()


@dataclass(frozen=True, slots=True)
class Inside:
    """
    All that network evidence says.

    hosts:     by address. A host that only leases know is not among them.
    leases:    what documents say of addresses.
    meetings:  connections beside mails.
    leased:    devices that only leases know, once `describe` has made them out of these.
    untimed:   connections whose log names no time zone, so that they are not compared with mail.
    """

    hosts: tuple[Host, ...] = ()
    leases: tuple[Lease, ...] = ()
    meetings: tuple[Meeting, ...] = ()
    untimed: int = 0
    leased: tuple[Host, ...] = ()


@dataclass(frozen=True, slots=True)
class Tie:
    """
    Which host a way of sending is.

    hosts:    exactly one when settled; else those that it could be.
    why:      what ties them, or why it stays open.
    """

    hosts: tuple[Host, ...]
    settled: bool
    why: Text
    origins: tuple[Origin, ...] = ()


def is_inside(address: str) -> bool:
    """Tell whether an address is one that only an organisation's own network uses (RFC 1918, 4193, 6598)."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(parsed in network for network in _INSIDE if network.version == parsed.version)


_INSIDE = tuple(
    ipaddress.ip_network(text)
    for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7", "fe80::/10")
)


def describe(
    inside: Inside, maker_of: Callable[[str], str | None], is_relay: Callable[[str], bool]
) -> Inside:
    """
    Give the hosts with what leases say of their addresses.

    maker_of:  gives the maker of a hardware address, or None.
    is_relay:  tells whether the configuration calls an address a relay.
    """
    leases: dict[str, list[Lease]] = {}
    for lease in inside.leases:
        leases.setdefault(lease.address, []).append(lease)
    hosts = tuple(_described(host, leases.get(host.address, []), maker_of, is_relay) for host in inside.hosts)
    seen = {host.address for host in hosts}
    leased = tuple(
        _described(Host(address), held, maker_of, is_relay)
        for address, held in leases.items()
        if address not in seen
    )
    return replace(inside, hosts=hosts, leased=leased)


def _described(
    host: Host, leases: list[Lease], maker_of: Callable[[str], str | None], is_relay: Callable[[str], bool]
) -> Host:
    held = _while_seen(leases, host)
    macs = tuple(dict.fromkeys(lease.mac for lease in held if lease.mac))
    mac = host.mac or (macs[0] if macs else None)
    # A name in an address plan is kept when the device changes, so only hardware addresses tell devices apart.
    shared = len({*macs, *([host.mac] if host.mac else [])}) > 1
    said = next((lease.maker for lease in held if lease.maker), None)
    return replace(
        host,
        names=_names([*host.names, *(lease.name for lease in held if lease.name)]),
        mac=mac,
        maker=(maker_of(mac) if mac else None) or said,
        remark=next((lease.remark for lease in held if lease.remark), None),
        owner=next((lease.owner for lease in held if lease.owner), None),
        shared=shared,
        relay=is_relay(host.address),
        origins=tuple(dict.fromkeys([*host.origins, *(lease.origin for lease in held[:2] if lease.origin)])),
    )


def _while_seen(leases: list[Lease], host: Host) -> list[Lease]:
    """Give the leases that held while the host was seen, the newest first; a dateless row may have held at any time."""
    first, last = host.first_seen, host.last_seen
    dated = sorted((each for each in leases if each.since), key=lambda each: str(each.since))
    held = []
    for index, lease in enumerate(dated):
        # A lease ends where the next one of another device begins, whatever it was meant to last.
        after = next((each.since for each in dated[index + 1 :] if each.mac != lease.mac), None)
        ends = [each for each in (lease.until, after) if each]
        renewed = any(each.mac == lease.mac for each in dated[index + 1 :])
        end = (after if renewed else min(ends)) if ends else None
        if first and last and lease.since and (lease.since > last or (end is not None and end < first)):
            continue
        held.append(lease)
    return [*reversed(held), *(each for each in leases if not each.since)]


def _names(found: Iterable[str]) -> tuple[str, ...]:
    """Give names once each; a name without domain is the same as that with one, of which the short one is kept."""
    kept: dict[str, str] = {}
    for name in found:
        short = name.partition(".")[0] or name
        kept.setdefault(short.lower(), short)
    return tuple(kept.values())


def tie_flows(
    flows: Sequence[Flow], inside: Inside, own: Callable[[str], bool]
) -> dict[tuple[str, str], Tie]:
    """
    Tie ways of sending to hosts, by client address and name.

    own:  tells whether a client address is known as the organisation's own: only there does a name that the client
          gives itself mean anything, since anybody can give it.
    A way of sending that no witness says anything about is absent from the answer.
    """
    hosts = {host.address: host for host in inside.hosts}
    egress = {address for host in inside.hosts for address in host.egress}
    meetings: dict[tuple[str, str], list[Meeting]] = {}
    for meeting in inside.meetings:
        if meeting.address in hosts:
            meetings.setdefault((meeting.client_ip, meeting.author), []).append(meeting)
    called: dict[tuple[str, str], set[str]] = {}
    for flow in flows:
        address, author = flow.key.client_ip, flow.key.header_from or flow.key.sender
        if address and author is not None:
            called.setdefault((address, author), set()).update([flow.key.ehlo] if flow.key.ehlo else [])
    by_name = _Names([*inside.hosts, *inside.leased])
    ties = {}
    for (address, author), names in called.items():
        met = meetings.get((address, author), [])
        itself = hosts.get(address)
        if itself is not None and not is_inside(address):
            why = Text("Its address belongs to a host of the organisation, without translation.")
            ties[address, author] = Tie((itself,), True, why, itself.origins)
            continue
        # A name means something only where the client's address is the organisation's: anybody can give it.
        ours = address in egress or own(address)
        found = (
            _same_mail(met, hosts) or (by_name.tie(names, address) if ours else None) or _by_time(met, hosts)
        )
        if found is not None:
            ties[address, author] = found
    return ties


def _same_mail(met: list[Meeting], hosts: Mapping[str, Host]) -> Tie | None:
    """The log of a relay or a monitor names the very mail."""
    named = sorted((each for each in met if each.same_mail), key=lambda each: -each.same_mail)
    if not named:
        return None
    found = tuple(hosts[each.address] for each in named)
    origins = tuple(origin for each in named for origin in each.origins)[:5]
    number = sum(each.same_mail for each in named)
    if len(found) == 1:
        one = "A log inside names {n} of its mails by Message-ID and the host that sent it."
        many = "Logs inside name {n} of its mails by Message-ID and the host that sent them."
        return Tie(found, True, count(one, many, number), origins)
    why = Text(
        "Logs inside name its mails by Message-ID: {number} hosts send them, among them {hosts}.",
        number=len(found),
        hosts=tuple(each.label for each in found[:_NAMED_HOSTS]),
    )
    return Tie(found, False, why, origins)


class _Names:
    """Hosts by what they are called inside: their names, and their addresses."""

    def __init__(self, hosts: Iterable[Host]) -> None:
        self._hosts: dict[str, list[Host]] = {}
        for host in hosts:
            for name in {host.address, *(name.lower() for name in host.names)}:
                self._hosts.setdefault(name, []).append(host)

    def tie(self, names: set[str], client_ip: str) -> Tie | None:
        """Give the hosts that have inside the name or the address by which the client calls itself."""
        wanted = {name.strip("[]").lower().removeprefix("ipv6:") for name in names}
        wanted |= {name.partition(".")[0] for name in wanted if not _is_address(name)}
        named = {host.address: host for name in sorted(wanted) for host in self._hosts.get(name, ())}
        found = tuple(host for host in named.values() if not host.egress or client_ip in host.egress)
        if not found:
            return None
        origins = tuple(origin for host in found for origin in host.origins)[:5]
        if len(found) == 1:
            return Tie(found, True, Text("It calls itself by the name that its host has inside."), origins)
        why = Text(
            "It calls itself by a name that {number} hosts have inside: {hosts}.",
            number=len(found),
            hosts=tuple(host.label for host in found[:_NAMED_HOSTS]),
        )
        return Tie(found, False, why, origins)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _by_time(met: list[Meeting], hosts: Mapping[str, Host]) -> Tie | None:
    """
    A host that had a connection open whenever a mail arrived, where chance does not explain it, sent the mails.

    Two such hosts are not told apart, and neither is guessed.
    """
    could = sorted(
        (each for each in met if each.mails and each.near >= COVERED * each.mails),
        key=lambda each: -each.near,
    )
    if not could:
        return _split(met, hosts)
    found = tuple(hosts[each.address] for each in could)
    origins = _rows_of(could, hosts)
    if len(could) > 1:
        why = Text(
            "{number} hosts had a connection open when its mails came, and nothing tells which one sent them: {hosts}.",
            number=len(could),
            hosts=tuple(each.label for each in found[:_NAMED_HOSTS]),
        )
        return Tie(found, False, why, origins)
    one = could[0]
    if by_chance(one.moments, one.near_moments, one.chance) * max(1, len(hosts)) > CHANCE:
        why = Text(
            "{host} had a connection open at {near} of its {mails} mails, which may be chance.",
            host=found[0].label,
            near=one.near,
            mails=one.mails,
        )
        return Tie(found, False, why, origins)
    why = Text(
        "Behind this address only {host} had a connection open when its mails came: at {near} of {mails}, at {alone} of"
        " them alone.",
        host=found[0].label,
        near=one.near,
        mails=one.mails,
        alone=one.alone,
    )
    return Tie(found, True, why, origins)


def _split(met: list[Meeting], hosts: Mapping[str, Host]) -> Tie | None:
    """Several hosts share the name: each was alone at some of the mails, together at most of them."""
    parts = sorted((each for each in met if each.alone), key=lambda each: -each.alone)
    if len(parts) < 2 or sum(each.alone for each in parts) < COVERED * parts[0].mails:
        return None
    found = tuple(hosts[each.address] for each in parts)
    why = Text(
        "{number} hosts had connections open at different of its mails; several may send under this name: {hosts}.",
        number=len(parts),
        hosts=tuple(each.label for each in found[:_NAMED_HOSTS]),
    )
    return Tie(found, False, why, _rows_of(parts, hosts))


def _rows_of(met: list[Meeting], hosts: Mapping[str, Host]) -> tuple[Origin, ...]:
    return tuple(origin for each in met for origin in (each.origins or hosts[each.address].origins))[:5]


def by_chance(moments: int, near: int, chance: float) -> float:
    """Give the probability that at least `near` of so many independent moments fall into a share of the time by chance."""
    share = min(1.0, max(0.0, chance))
    total = 0.0
    for number in range(near, moments + 1):
        if share in (0.0, 1.0):
            total += float(number == (moments if share else 0))
            continue
        ways = math.lgamma(moments + 1) - math.lgamma(number + 1) - math.lgamma(moments - number + 1)
        total += math.exp(ways + number * math.log(share) + (moments - number) * math.log1p(-share))
    return min(1.0, total)


def unregistered(hosts: Iterable[Host]) -> tuple[Host, ...]:
    """Give the hosts that open port 25 to the internet and that nobody registered as relays, most connections first."""
    found = [host for host in hosts if host.port_25 and not host.relay]
    return tuple(sorted(found, key=lambda host: (-host.port_25, host.address)))
