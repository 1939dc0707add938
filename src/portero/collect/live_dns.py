"""Live DNS: bounded questions to resolvers, each answer dated, so that it can be kept as evidence and read again."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import dns.asyncquery
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdata
import dns.rdatatype
import dns.resolver
import dns.rrset

from portero.core.address import a_label
from portero.core.dns import DnsAnswer, DnsStatus
from portero.core.evidence import Origin
from portero.core.mail.conversation import Question
from portero.core.text import Text
from portero.errors import SourceUnavailable

DNS_PORT = 53
# RFC 9715 section 3: larger answers over UDP may be lost in fragments.
UDP_OCTETS = 1232
_LONGEST_CHAIN = 9
_HOSTS = {dns.rdatatype.CNAME, dns.rdatatype.NS, dns.rdatatype.PTR, dns.rdatatype.DNAME}


@dataclass(frozen=True, slots=True)
class Server:
    """A resolver: its address and port."""

    address: str
    port: int = DNS_PORT

    def __str__(self) -> str:
        if self.port == DNS_PORT:
            return self.address
        return f"[{self.address}]:{self.port}" if ":" in self.address else f"{self.address}:{self.port}"


@dataclass(frozen=True, slots=True)
class Limits:
    """
    What a run may cost.

    timeout_seconds:  for one exchange with one server.
    rounds:           how often every server is tried before a question counts as failed.
    at_once:          questions under way together.
    questions:        different questions of the whole run; those beyond it are not asked and stay unknown.
    seconds:          the whole run; what is not under way by then is not asked and stays unknown.
    turns:            how often answers may lead to further questions.
    """

    timeout_seconds: float = 3.0
    rounds: int = 2
    at_once: int = 24
    questions: int = 5000
    seconds: float = 120.0
    turns: int = 40


def read_server(text: str) -> Server:
    """Read ``192.0.2.1``, ``192.0.2.1:5353``, ``2001:db8::1`` or ``[2001:db8::1]:5353``; raises ValueError otherwise."""
    host, colon, port = text.strip().rpartition(":")
    try:
        return Server(str(ipaddress.ip_address(text.strip().strip("[]"))))
    except ValueError:
        if not colon or not port.isascii() or not port.isdigit() or not 0 < int(port) < 65536:
            raise
    return Server(str(ipaddress.ip_address(host.strip("[]"))), int(port))


def system_servers() -> tuple[Server, ...]:
    """Name the resolvers that this machine uses; raises SourceUnavailable where it has none."""
    try:
        held = dns.resolver.Resolver()
    except dns.resolver.NoResolverConfiguration as error:
        raise SourceUnavailable(_NO_RESOLVER) from error
    servers = tuple(
        Server(str(address), held.port) for address in held.nameservers if isinstance(address, str)
    )
    if not servers:
        raise SourceUnavailable(_NO_RESOLVER)
    return servers


_NO_RESOLVER = Text("This machine names no DNS resolver. Name one with --resolver ADDRESS.")


@dataclass
class LiveDns:
    """
    Asks resolvers, each question once in a run.

    servers:  tried in order; the next one is asked where one fails or keeps silent.
    now:      the clock by which answers are dated.
    """

    servers: Sequence[Server]
    limits: Limits = field(default_factory=Limits)
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    _asked: dict[Question, asyncio.Task[tuple[DnsAnswer, ...]]] = field(default_factory=dict, repr=False)
    _until: float | None = field(default=None, repr=False)

    def settle(self, wanted: Callable[[Sequence[DnsAnswer]], Iterable[Question]]) -> tuple[DnsAnswer, ...]:
        """
        Ask what is wanted until the answers lead to no further question; gives all answers.

        wanted:  names the questions that are open, given the answers so far.
        Raises SourceUnavailable where no resolver is there at all.
        """
        return asyncio.run(self._settle(wanted))

    async def _settle(
        self, wanted: Callable[[Sequence[DnsAnswer]], Iterable[Question]]
    ) -> tuple[DnsAnswer, ...]:
        found: list[DnsAnswer] = []
        for _ in range(self.limits.turns):
            fresh = [question for question in dict.fromkeys(wanted(found)) if question not in self._asked]
            if not fresh:
                break
            found += await self.answers(fresh)
        if found and all(answer.status is DnsStatus.TIMEOUT for answer in found) and not await self._alive():
            raise SourceUnavailable(
                Text("No DNS resolver answers: {resolvers}.", resolvers=tuple(map(str, self.servers)))
            )
        return tuple(dict.fromkeys(found))

    async def answers(self, questions: Iterable[Question]) -> tuple[DnsAnswer, ...]:
        """
        Ask all questions; a question may give several answers, for the aliases on its way.

        Every question asked gives an answer with its status: there is none that silently stays away.
        """
        if self._until is None:
            self._until = asyncio.get_running_loop().time() + self.limits.seconds
        gate = asyncio.Semaphore(self.limits.at_once)
        found: dict[Question, Awaitable[tuple[DnsAnswer, ...]]] = {}
        for question in questions:
            if question not in self._asked:
                if len(self._asked) >= self.limits.questions:
                    continue
                self._asked[question] = asyncio.ensure_future(self._ask(question, gate))
            found[question] = self._asked[question]
        return tuple(answer for held in await asyncio.gather(*found.values()) for answer in held)

    async def _ask(self, question: Question, gate: asyncio.Semaphore) -> tuple[DnsAnswer, ...]:
        try:
            query = _query(question)
        except (dns.exception.DNSException, ValueError):
            return ()  # DNS cannot be asked for such a name
        worst: dict[DnsStatus, Server] = {}
        async with gate:
            if self._until is not None and asyncio.get_running_loop().time() > self._until:
                return ()
            for _ in range(self.limits.rounds):
                for server in self.servers:
                    status, response = await self._exchange(query, server)
                    if response is not None:
                        return self._read(question, response, server)
                    worst.setdefault(status, server)
                    if status is DnsStatus.TRUNCATED:
                        break
        # What a server said is worth more than another's silence.
        order = (DnsStatus.TRUNCATED, DnsStatus.SERVFAIL, DnsStatus.TIMEOUT)
        status = next(each for each in order if each in worst)
        return (self._answer(question.name, question.type, status, (), worst[status]),)

    async def _alive(self) -> bool:
        """Tell whether any resolver says anything, so that silence was the questioned zones' and not its own."""
        query = _query(Question("", "NS"))
        statuses = await asyncio.gather(*(self._exchange(query, server) for server in self.servers))
        return any(status is not DnsStatus.TIMEOUT for status, _ in statuses)

    async def _exchange(
        self, query: dns.message.Message, server: Server
    ) -> tuple[DnsStatus, dns.message.Message | None]:
        """Put a question to one server, over TCP where the answer does not fit; gives the response or how it failed."""
        timeout = self.limits.timeout_seconds
        status = DnsStatus.TIMEOUT
        try:
            response = await dns.asyncquery.udp(
                query, server.address, timeout, server.port, ignore_unexpected=True, ignore_errors=True
            )
            if response.flags & dns.flags.TC:
                status = DnsStatus.TRUNCATED
                response = await dns.asyncquery.tcp(query, server.address, timeout, server.port)
        except (dns.exception.Timeout, OSError):
            return status, None
        except (dns.exception.DNSException, EOFError, ValueError):
            return DnsStatus.TRUNCATED if status is DnsStatus.TRUNCATED else DnsStatus.SERVFAIL, None
        if response.flags & dns.flags.TC:
            return DnsStatus.TRUNCATED, None
        if response.rcode() in {dns.rcode.NOERROR, dns.rcode.NXDOMAIN}:
            return DnsStatus.NOERROR, response
        return DnsStatus.SERVFAIL, None

    def _read(
        self, question: Question, response: dns.message.Message, server: Server
    ) -> tuple[DnsAnswer, ...]:
        """Give the aliases on the way and what stands at their end."""
        validated = bool(response.flags & dns.flags.AD)
        sets = {
            (_text_name(rrset.name), dns.rdatatype.to_text(rrset.rdtype)): rrset for rrset in response.answer
        }
        found: list[DnsAnswer] = []
        end = question.name
        for _ in range(_LONGEST_CHAIN):
            alias = sets.get((end, "CNAME")) if question.type != "CNAME" else None
            if alias is None:
                break
            target = _text_name(alias[0].target)
            found.append(
                self._answer(end, "CNAME", DnsStatus.NOERROR, (target,), server, validated=validated)
            )
            end = target
        held = sets.get((end, question.type))
        # Of an alias, NXDOMAIN is about what it points to. Source: RFC 6604 section 3.
        status = DnsStatus.NXDOMAIN if response.rcode() == dns.rcode.NXDOMAIN else DnsStatus.NOERROR
        data = tuple(map(_presented, held)) if held is not None else ()
        found.append(self._answer(end, question.type, status, data, server, validated=validated))
        return tuple(found)

    def _answer(
        self,
        name: str,
        type_: str,
        status: DnsStatus,
        data: tuple[str, ...],
        server: Server,
        *,
        validated: bool | None = None,
    ) -> DnsAnswer:
        at = self.now().replace(microsecond=0)
        return DnsAnswer(name, type_, status, data, Origin(f"dns:{server}"), at, str(server), validated)


def _query(question: Question) -> dns.message.Message:
    # Labels go over as they are: a backslash in a hostile record must not be taken for an escape.
    labels = question.name.split(".") if question.name else ()
    name = dns.name.Name([*(label.encode() for label in labels), b""])
    query = dns.message.make_query(name, question.type, use_edns=0, payload=UDP_OCTETS)
    query.flags |= dns.flags.AD  # asks the resolver to say whether it validated (RFC 6840 section 5.7)
    return query


def _text_name(name: dns.name.Name) -> str:
    labels = (label.decode("utf-8", "replace") for label in name.labels if label)
    return a_label(".".join(labels))


def _presented(data: dns.rdata.Rdata) -> str:
    """Give record data in the form of `DnsAnswer`."""
    if data.rdtype in {dns.rdatatype.TXT, dns.rdatatype.SPF}:
        octets = b"".join(data.strings)  # type: ignore[attr-defined]  # TXT rdata has strings
        try:
            return octets.decode("utf-8")
        except UnicodeDecodeError:
            return octets.decode("latin-1")
    if data.rdtype in _HOSTS:
        return _text_name(data.target)  # type: ignore[attr-defined]  # rdata of a host has a target
    if data.rdtype == dns.rdatatype.MX:
        host = _text_name(data.exchange)  # type: ignore[attr-defined]  # MX rdata has an exchange
        return f"{data.preference} {host or '.'}"  # type: ignore[attr-defined]
    return data.to_text()
