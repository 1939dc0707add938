"""What the use cases take and make of evidence: tables behind any engine, what was read, and who was found in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from portero.core.audit import Totals
from portero.core.dns import Dns
from portero.core.evidence import Coverage, Gap
from portero.core.exchange.settings import Settings, Tenant
from portero.core.flow import Flow, OutsideFlow
from portero.core.hosts import Host, Inside
from portero.core.message.arrival import TracedMail
from portero.core.naming import Ties
from portero.core.network_names import NetworkMap
from portero.core.register import Configuration
from portero.core.sender import Sender
from portero.core.text import Text


class Arrival(Protocol):
    """A client address that delivers mail of others."""

    @property
    def client_ip(self) -> str:
        """Give the address as evidence writes it."""

    @property
    def domains(self) -> int:
        """Count the different sender domains it delivers for."""

    @property
    def connector(self) -> str:
        """Name the connector that took its mail; "" for none."""


class Folded(Protocol):
    """What the fold gives."""

    @property
    def flows(self) -> tuple[Flow, ...]:
        """Give the ways in which mail claims to be the organisation's."""

    @property
    def outside(self) -> tuple[OutsideFlow, ...]:
        """Give what DMARC reports say."""

    @property
    def totals(self) -> Totals:
        """Count all mail."""

    @property
    def arrivals(self) -> Sequence[Arrival]:
        """Give where other people's mail arrives from."""

    @property
    def mailboxes(self) -> frozenset[str]:
        """Give the own mailboxes whose names mail from elsewhere claims."""


class Tables(Protocol):
    """The evidence tables, behind whatever engine holds them."""

    def own_domains(self) -> tuple[str, ...]:
        """Guess the organisation's domains from mail alone."""

    def reported_domains(self) -> tuple[str, ...]:
        """Name the domains that DMARC reports are about."""

    def fold(self, settings: Settings) -> Folded:
        """Fold all rows to flows."""

    def hosts(self, settings: Settings, own: Callable[[str], bool], zone: str | None) -> Inside:
        """Fold what network evidence shows of hosts; own tells the organisation's public addresses."""

    def traced(self, keys: Sequence[str]) -> Mapping[str, TracedMail]:
        """Give what traces say of mails, by network message id and by Message-ID."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """
    Everything that was read besides rows.

    approved:  the configuration that somebody approved, or None where none was handed over.
    """

    tenant: Tenant
    dns: Dns
    coverage: tuple[Coverage, ...]
    gaps: tuple[Gap, ...]
    configuration: Configuration
    maker_of: Callable[[str], str | None] = lambda _: None
    approved: Tenant | None = None
    services: Mapping[str, str] = field(default_factory=dict)
    networks: tuple[NetworkMap, ...] = ()


@dataclass(frozen=True, slots=True)
class Inventory:
    """
    The senders as evidence and register judge them, with the settings they were judged under.

    Together with the evidence it is all that an audit needs, so whoever keeps both need not read rows again.
    window:     aware UTC bounds of the message evidence; None without any.
    mailboxes:  own mailboxes, of those whose names mail from elsewhere claims.
    ties:       hosts inside, by client address and name.
    """

    settings: Settings
    senders: tuple[Sender, ...]
    outside: tuple[OutsideFlow, ...]
    totals: Totals
    window: tuple[datetime, datetime] | None
    assumptions: tuple[Text, ...]
    hosts: tuple[Host, ...] = ()
    mailboxes: frozenset[str] = frozenset()
    ties: Ties = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Case:
    """Evidence and what was found in it: all that later questions need, without reading rows again."""

    evidence: Evidence
    inventory: Inventory
