"""The register and the known networks: what the organisation already says about its senders and places."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from portero.core.acceptance import Acceptance
from portero.core.address import (
    IPNetwork,
    NetworkMap,
    a_label,
    client_address,
    domain_of,
    mailbox_key,
    parse_network,
)
from portero.core.evidence import Origin
from portero.core.flow import FlowKey
from portero.core.limits import LIMITS, Limits

USES = ("devices", "applications", "users", "partner", "guest", "relay")
JUDGEMENTS = ("legitimate", "abuse", "undecided")
MX_PROVIDERS = ("microsoft", "gateway")


class Criticality(StrEnum):
    """How much the organisation loses while a sender is silent, as its people say."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


@dataclass(frozen=True, slots=True)
class KnownNetwork:
    """
    A place the organisation knows.

    networks:  its address ranges.
    use:       one of USES, or None where the configuration does not say.
    """

    name: str
    networks: tuple[IPNetwork, ...]
    use: str | None = None
    origin: Origin | None = None


@dataclass(frozen=True, slots=True)
class Criteria:
    """
    What mail must show to be meant: of each kind that is given any one value, and all kinds given.

    header_from, mail_from:  patterns: a mailbox, or ``@domain`` (also written ``*@domain``) for all of a domain.
    networks:                client address ranges.
    ehlo:                    names the client calls itself.
    """

    header_from: tuple[str, ...] = ()
    mail_from: tuple[str, ...] = ()
    networks: tuple[IPNetwork, ...] = ()
    ehlo: tuple[str, ...] = ()

    def matches(self, key: FlowKey) -> bool:
        """Tell whether a way of sending is meant, as `RegisterEntry.matches` does."""
        return _matches(self, key)

    def document(self) -> dict[str, list[str]]:
        """Give the criteria as JSON holds them, by the names of `portero.toml`; kinds that are not given are left out."""
        held = {
            "header_from": [*self.header_from],
            "mail_from": [*self.mail_from],
            "cidr": [str(each) for each in self.networks],
            "ehlo": [*self.ehlo],
        }
        return {name: values for name, values in held.items() if values}

    @classmethod
    def read(cls, document: Mapping[str, Iterable[object]]) -> Criteria:
        """Read what `document` gives. Raises ValueError for an unknown kind, a value that is none, or no criterion."""
        held = {name: tuple(map(str, values)) for name, values in document.items()}
        if not any(held.values()) or held.keys() - {"header_from", "mail_from", "cidr", "ehlo"}:
            raise ValueError("criteria")
        mailboxes = (*held.get("header_from", ()), *held.get("mail_from", ()))
        names = tuple(name.strip() for name in held.get("ehlo", ()))
        if not all("@" in each for each in mailboxes) or not all(names):
            raise ValueError("criteria")
        return cls(
            header_from=tuple(map(pattern, held.get("header_from", ()))),
            mail_from=tuple(map(pattern, held.get("mail_from", ()))),
            networks=tuple(map(parse_network, held.get("cidr", ()))),
            ehlo=names,
        )


@dataclass(frozen=True, slots=True)
class RegisterEntry:
    """
    A sender that somebody already knows and owns.

    header_from, mail_from:  patterns: a mailbox, or ``@domain`` (also written ``*@domain``) for all of a domain.
    networks:                client address ranges.
    ehlo:                    names the client calls itself.
    judgement:               one of JUDGEMENTS.
    owner:                   who answers for it, as text, or None.
    purpose:                 what its mail is for, or None.
    criticality:             what its silence would cost, or None where nobody said.
    Source: contract section 2.
    """

    label: str
    judgement: str
    header_from: tuple[str, ...] = ()
    mail_from: tuple[str, ...] = ()
    networks: tuple[IPNetwork, ...] = ()
    ehlo: tuple[str, ...] = ()
    owner: str | None = None
    purpose: str | None = None
    criticality: Criticality | None = None
    origin: Origin | None = None

    def matches(self, key: FlowKey) -> bool:
        """
        Tell whether a way of sending is this entry's: all criteria given must match, of each any one value.

        A criterion about something no witness knew does not match: an entry must not vouch for the unknown.
        Where P1 or P2 is not known, the traced sender stands for it, since it is one of the two.
        """
        return _matches(self, key)


@dataclass(frozen=True, slots=True)
class Detection:
    """
    A detection that runs by itself somewhere.

    check:     the id of the check that asks for it.
    where:     the product or the rule.
    last_run:  aware UTC.
    """

    check: str
    where: str
    last_run: datetime
    origin: Origin | None = None


@dataclass(frozen=True, slots=True)
class Configuration:
    """
    What the configuration says; Configuration() is that of an organisation without one.

    accepted_domains:  as A-labels, added to those of the exports.
    mx_provider:       one of MX_PROVIDERS, or None: ask the DNS evidence.
    keep_days:         how many days a store keeps evidence, or None: until it is dropped.
    time_zone:         the zone of logs that name none, such as ``Europe/Madrid``, or None: their times stay unknown.
    people:            those whose names are worth copying, as ``Name;address``.
    detections:        what runs by itself elsewhere.
    acceptances:       faults that somebody has accepted for a time.
    thresholds:        what the organisation sets in place of the profile's, by name.
    limits:            how far evidence is followed before it is stopped by name.
    origin:            the file it was read from, or None.
    """

    name: str | None = None
    accepted_domains: tuple[str, ...] = ()
    mx_provider: str | None = None
    time_zone: str | None = None
    keep_days: int | None = None
    networks: tuple[KnownNetwork, ...] = ()
    register: tuple[RegisterEntry, ...] = ()
    people: tuple[str, ...] = ()
    detections: tuple[Detection, ...] = ()
    acceptances: tuple[Acceptance, ...] = ()
    thresholds: Mapping[str, int | bool] = field(default_factory=dict)
    limits: Limits = LIMITS
    origin: Origin | None = None

    def entry_for(self, key: FlowKey) -> RegisterEntry | None:
        """Give the first entry, in the order of the file, that matches a way of sending."""
        return next((entry for entry in self.register if entry.matches(key)), None)

    def network_map(self) -> NetworkMap[KnownNetwork]:
        """Give the known networks by address."""
        return NetworkMap((network, place) for place in self.networks for network in place.networks)


def pattern(text: str) -> str:
    """Give an address pattern in its one form: ``local@domain`` or ``@domain``; ``""`` is the null reverse-path."""
    value = mailbox_key(text)
    return value.removeprefix("*") if value.startswith("*@") else value


def _matches(held: Criteria | RegisterEntry, key: FlowKey) -> bool:
    narrowed = bool(held.header_from or held.networks)
    ehlo = None if key.ehlo is None else _label(key.ehlo)
    given: list[bool] = []
    if held.header_from:
        given.append(_named(held.header_from, _author(key)))
    if held.mail_from:
        given.append(_envelope(held.mail_from, key, narrowed))
    if held.networks:
        given.append(_inside(held.networks, key.client_ip))
    if held.ehlo:
        given.append(ehlo in {_label(name) for name in held.ehlo})
    return bool(given) and all(given)


def _author(key: FlowKey) -> str | None:
    return key.header_from if key.header_from is not None else key.sender


def _named(patterns: Iterable[str], mailbox: str | None) -> bool:
    """Tell whether a mailbox, or ``@domain`` for mail folded by domain, falls under one of the patterns."""
    if mailbox is None:
        return False
    value, domain = mailbox_key(mailbox), domain_of(mailbox)
    return any(held in {value, f"@{domain}"} for held in patterns)


def _envelope(patterns: tuple[str, ...], key: FlowKey, narrowed: bool) -> bool:
    """
    Tell whether P1 falls under a pattern.

    Of a known P1 a flow keeps the domain only. A mailbox is compared by its domain there, but never as the only
    criterion (``narrowed``): one registered mailbox must not vouch for everybody who uses its domain.
    """
    if key.mail_from_domain is None:
        return _named(patterns, key.sender)
    if not key.mail_from_domain:
        return "" in patterns
    domains = (domain_of(held) for held in patterns if narrowed or held.startswith("@"))
    return key.mail_from_domain in domains


def _inside(networks: tuple[IPNetwork, ...], client_ip: str | None) -> bool:
    canonical = client_address(client_ip) if client_ip else None
    if canonical is None:
        return False
    address = ipaddress.ip_address(canonical)
    return any(address in network for network in networks)


def _label(ehlo: str) -> str:
    return a_label(ehlo.strip().strip("[]"))
