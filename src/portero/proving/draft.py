"""An organisation while it is being drawn: allots networks, people and times, and takes senders and mails."""

from __future__ import annotations

import ipaddress
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import TypeVar
from uuid import UUID

from portero.proving.axes import Axes
from portero.proving.organisation import Connector, Domain, Mail, Outside, Sender, Session
from portero.proving.words import FIRST_NAMES, LAST_NAMES, LURES, SUBJECTS

T = TypeVar("T")
ELSEWHERE = (
    240  # and up: reserved, routed nowhere (RFC 1112); 198.18.0.0/15 has but two /16, and nothing far apart
)
INTERNET = "198.18.0.0/15"  # for benchmarks, routed nowhere (RFC 2544): nobody's real address is accused


@dataclass(frozen=True, slots=True)
class Person:
    """A mailbox of the organisation."""

    name: str
    address: str


@dataclass(slots=True)
class Draft:
    """
    Collects what a roster of senders adds; every choice is made by the one `random`.

    listed:  networks that the organisation's SPF record names, so that SPF passes from them.
    """

    random: Random
    axes: Axes
    start: datetime
    end: datetime
    name: str
    domains: list[Domain]
    people: list[Person] = field(default_factory=list)
    senders: list[Sender] = field(default_factory=list)
    mails: list[Mail] = field(default_factory=list)
    outside: list[Outside] = field(default_factory=list)
    connectors: list[Connector] = field(default_factory=list)
    listed: list[str] = field(default_factory=list)
    includes: list[str] = field(default_factory=list)
    gateway_networks: list[str] = field(default_factory=list)
    answers: dict[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)
    taken: set[int] = field(default_factory=set)
    office: str = ""

    @property
    def domain(self) -> str:
        """Give the name of the default domain."""
        return next(held.name for held in self.domains if held.default)

    @property
    def days(self) -> int:
        """Give the length of the window in whole days."""
        return (self.end - self.start).days

    def network(self) -> str:
        """Allot a /24 that nobody else has, and give its first three octets."""
        while True:
            number = self.random.randrange(512)
            if number not in self.taken:
                self.taken.add(number)
                base = ipaddress.IPv4Network(INTERNET).network_address + number * 256
                return str(base).rpartition(".")[0]

    def address(self, network: str | None = None) -> str:
        """Give an address in a network from `network`, or of a host anywhere: in a /16 where nobody else is."""
        return f"{network or self._anywhere()}.{self.random.randint(2, 250)}"

    def _anywhere(self) -> str:
        """Allot a /24 far from all others, for the hosts of the internet do not lie side by side as an office's do."""
        _, second, third = map(int, self.network().split("."))
        number = (second % 2) * 256 + third
        return f"{ELSEWHERE + number // 256}.{number % 256}.{number * 7 % 256}"

    def pick(self, options: Sequence[T]) -> T:
        """Choose one."""
        return self.random.choice(options)

    def some(self, options: Sequence[T], most: int) -> list[T]:
        """Choose one to `most` different ones."""
        return self.random.sample(options, min(len(options), self.random.randint(1, max(1, most))))

    def subject(self, family: str, when: datetime) -> str:
        """Give a subject of a family of `words`, in the organisation's language."""
        forms = (LURES if family.startswith("lure-") else SUBJECTS)[family.removeprefix("lure-")]
        text = self.pick(forms[self.axes.language])
        return text.format(n=self.random.randint(100, 999), day=f"{when:%d.%m.%Y}", who="")

    def hire(self) -> None:
        """Fill the organisation with people, each with one mailbox in the default domain."""
        names: Counter[str] = Counter()
        for _ in range(self.axes.people):
            first, last = self.pick(FIRST_NAMES), self.pick(LAST_NAMES)
            local = f"{first}.{last}".lower()
            names[local] += 1
            suffix = "" if names[local] == 1 else str(names[local])
            self.people.append(Person(f"{first} {last}", f"{local}{suffix}@{self.domain}"))

    def enlist(self, sender: Sender) -> str:
        """Take a sender and give its id."""
        self.senders.append(sender)
        return sender.id

    def times(
        self,
        per_week: float,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        always: bool = False,
    ) -> Iterator[datetime]:
        """
        Give moments at a mean rate, in office hours of working days, or with `always` round the clock.

        At least one moment comes out, so that no sender of a short window stays invisible.
        """
        first, last = max(since or self.start, self.start), min(until or self.end, self.end)
        seconds = max((last - first).total_seconds(), 3600.0)
        number = max(1, self._poisson(per_week * seconds / 604_800))
        moments = []
        for _ in range(number):
            moment = first + timedelta(seconds=self.random.uniform(0, seconds - 1))
            if not always:
                moment = self._office_hour(moment, first, last)
            moments.append(moment)
        yield from sorted(moments)

    def _office_hour(self, moment: datetime, first: datetime, last: datetime) -> datetime:
        moment = moment.replace(hour=self.random.randint(7, 17))
        for _ in range(2):
            if moment.weekday() > 4:
                moment -= timedelta(days=1)
        return moment if first <= moment < last else first + (last - first) * self.random.random()

    def _poisson(self, mean: float) -> int:
        # Knuth for small means; for large ones the normal form is exact enough.
        if mean > 30:
            return max(0, round(self.random.gauss(mean, math.sqrt(mean))))
        limit, product, number = math.exp(-mean), self.random.random(), 0
        while product > limit:
            product *= self.random.random()
            number += 1
        return number

    def identity(self) -> str:
        """Give a network message id."""
        return str(UUID(int=self.random.getrandbits(128), version=4))

    def ours(self, domain: str) -> bool:
        """Tell whether a domain is one of the organisation's."""
        return any(held.name == domain for held in self.domains)

    def post(
        self,
        sender: str | None,
        when: datetime,
        *,
        mail_from: str,
        recipients: Iterable[str],
        subject: str,
        header_from: str | None = None,
        display_name: str = "",
        session: Session = Session.ANONYMOUS,
        client_ip: str | None = None,
        ehlo: str | None = None,
        certificate: str | None = None,
        by_mx: bool = False,
        dkim_domain: str = "",
        spf: str | None = None,
        outcome: str = "delivered",
        size_octets: int | None = None,
    ) -> None:
        """
        Take one mail.

        by_mx:  it follows the MX record, so it comes through the gateway where the organisation has one.
        spf:    the true result; by default what the organisation's own record says of its own domains, else pass.
        """
        gateway = by_mx and bool(self.gateway_networks)
        if gateway:
            client_ip, ehlo, certificate = (
                self.address(self.pick(self.gateway_networks)),
                "mx.sieve.example",
                None,
            )
        domain = mail_from.rpartition("@")[2]
        if spf is None:
            spf = self._spf(domain, client_ip, gateway=gateway)
        elif gateway:
            spf = "softfail"  # Exchange sees the gateway's address, not the sender's
        host = (ehlo or self.domain).strip("[]").encode("idna").decode("ascii")
        self.mails.append(
            Mail(
                id=self.identity(),
                message_id=f"{self.random.getrandbits(64):016x}@{host}",
                sent_at=when,
                sender=sender,
                session=session,
                mail_from=mail_from,
                header_from=header_from if header_from is not None else mail_from,
                display_name=display_name,
                recipients=tuple(recipients),
                subject=subject,
                size_octets=size_octets or self.random.randint(4_000, 900_000),
                client_ip=client_ip,
                ehlo=ehlo,
                certificate=certificate,
                spf=spf,
                dkim="pass" if dkim_domain else "none",
                dkim_domain=dkim_domain,
                outcome=outcome,
                through_gateway=gateway,
            )
        )

    def _spf(self, domain: str, client_ip: str | None, *, gateway: bool) -> str:
        if client_ip is None or not domain:
            return "none"
        if not self.ours(domain):
            return "softfail" if gateway else "pass"
        address = ipaddress.ip_address(client_ip)
        return "pass" if any(address in ipaddress.ip_network(held) for held in self.listed) else "softfail"
