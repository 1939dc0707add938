"""What each device may send, and whether a message is what its device may send; the default is to refuse."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import time

from portero.core.address import IPNetwork, NetworkMap, domain_of, is_at_or_below, mailbox_key


@dataclass(frozen=True, slots=True)
class Pattern:
    """
    Mailboxes that are allowed.

    mailboxes:  in comparison form (`mailbox_key`); ``""`` is the null reverse-path.
    domains:    every mailbox of them, sub-domains not among them.
    anything:   no restriction.
    """

    mailboxes: frozenset[str] = frozenset()
    domains: frozenset[str] = frozenset()
    anything: bool = False

    def __contains__(self, mailbox: str) -> bool:
        if self.anything or mailbox in self.mailboxes:
            return True
        key = mailbox_key(mailbox)
        return key in self.mailboxes or domain_of(key) in self.domains


@dataclass(frozen=True, slots=True)
class Device:
    """
    One rule: who it is about, what that device may send, and what happens to the rest.

    networks, ehlo, login, certificate:  all that are given must match.
    mail_from, header_from:              allowed P1 and P2.
    recipients:                          allowed forward-paths.
    outside:                             ``quarantine`` keeps what is outside the rule, ``refuse`` answers 550.
    hours:                               when it may send, local time, the end not included; None is always.
    rewrite_mail_from, rewrite_header_from:  addresses to put in place, or None.
    ways:                                names of ways out in order of preference; empty leaves it to the routes.
    owner:                               who is told of what could not be delivered.
    """

    name: str
    networks: tuple[IPNetwork, ...] = ()
    ehlo: frozenset[str] = frozenset()
    login: str | None = None
    certificate: str | None = None
    mail_from: Pattern = Pattern()
    header_from: Pattern = Pattern()
    recipients: Pattern = Pattern()
    size_octets: int | None = None
    messages_per_minute: int | None = None
    hours: tuple[time, time] | None = None
    tls_required: bool = False
    outside: str = "quarantine"
    rewrite_mail_from: str | None = None
    rewrite_header_from: str | None = None
    add_headers: tuple[tuple[str, str], ...] = ()
    remove_headers: frozenset[str] = frozenset()
    ways: tuple[str, ...] = ()
    owner: str = ""
    habit: bool = True
    learning: bool = False


class Devices:
    """The rules, found by address: the narrowest network first, then those that name no address."""

    def __init__(self, devices: Iterable[Device]) -> None:
        self.all = tuple(devices)
        self._by_network: NetworkMap[Device] = NetworkMap(
            (network, device) for device in self.all for network in device.networks
        )
        self._elsewhere = tuple(device for device in self.all if not device.networks)
        self._candidates: dict[str, tuple[Device, ...]] = {}

    def find(
        self, client: str, ehlo: str = "", login: str = "", certificate: Sequence[str] = ()
    ) -> Device | None:
        """Give the rule for who is connected, or None where nobody wrote one."""
        candidates = self._candidates.get(client)
        if candidates is None:
            candidates = (*self._by_network.covering(client), *self._elsewhere)
            # A scan through an IPv6 network must not fill the memory.
            if len(self._candidates) >= 65536:
                self._candidates.clear()
            self._candidates[client] = candidates
        for device in candidates:
            if (
                (not device.ehlo or ehlo.lower() in device.ehlo)
                and (device.login is None or device.login == login)
                and (device.certificate is None or device.certificate in certificate)
            ):
                return device
        return None


@dataclass(frozen=True, slots=True)
class Outside:
    """
    One way in which a message leaves its device's rule.

    code:   ``mail-from``, ``header-from``, ``recipient``, ``size``, ``rate``, ``hours`` or a habit's code.
    value:  what was seen.
    """

    code: str
    value: str = ""


@dataclass(frozen=True, slots=True)
class Organisation:
    """Which domains are inside."""

    accepted_domains: frozenset[str] = field(default_factory=frozenset)

    def inside(self, mailbox: str) -> bool:
        """Tell whether a mailbox is the organisation's; sub-domains count only where they are listed."""
        return domain_of(mailbox) in self.accepted_domains

    def belongs(self, mailbox: str) -> bool:
        """Tell whether a mailbox is of an accepted domain or below one."""
        domain = domain_of(mailbox)
        return any(is_at_or_below(domain, each) for each in self.accepted_domains)


def judge_sender(device: Device, mail_from: str, declared_octets: int, now: time | None) -> Outside | None:
    """Judge what MAIL says; `declared_octets` is 0 where the client declared none, `now` the local time of day."""
    if mail_from not in device.mail_from:
        return Outside("mail-from", mail_from)
    if device.size_octets is not None and declared_octets > device.size_octets:
        return Outside("size", str(declared_octets))
    if device.hours is not None and now is not None and not within(device.hours, now):
        return Outside("hours", f"{now:%H:%M}")
    return None


def judge_recipient(device: Device, address: str) -> Outside | None:
    """Judge one forward-path."""
    return None if address in device.recipients else Outside("recipient", address)


def judge_content(device: Device, header_from: str | None, octets: int) -> Outside | None:
    """Judge the author that the message names, None where it names none or several, and its size."""
    if header_from is None or header_from not in device.header_from:
        return Outside("header-from", header_from or "")
    if device.size_octets is not None and octets > device.size_octets:
        return Outside("size", str(octets))
    return None


def within(hours: tuple[time, time], now: time) -> bool:
    """Tell whether a time lies in the hours; an end before the start is on the next day."""
    start, end = hours
    return start <= now < end if start <= end else now >= start or now < end
