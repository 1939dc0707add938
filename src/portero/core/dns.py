"""DNS answers as evidence: recorded, dated, and never confused with answers nobody asked for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from portero.core.address import a_label, is_at_or_below
from portero.core.evidence import Origin

# A DNS message holds no more records (65,535 octets of at least 12 each). Evidence can claim anything, and an answer
# that no resolver can have given counts as cut.
MAX_RECORDS = 5461


class DnsStatus(StrEnum):
    """How a question ended."""

    NOERROR = "NOERROR"  # answered; an empty list of answers means the name exists without this type
    NXDOMAIN = "NXDOMAIN"  # the name does not exist
    SERVFAIL = "SERVFAIL"  # the servers failed
    TIMEOUT = "TIMEOUT"  # nobody answered in time
    TRUNCATED = "TRUNCATED"  # the answer was cut, and could not be had whole
    UNKNOWN = "UNKNOWN"  # never asked: the evidence holds no answer

    @property
    def answered(self) -> bool:
        """Tell whether it says what there is, or that there is nothing."""
        return self in {DnsStatus.NOERROR, DnsStatus.NXDOMAIN}

    @property
    def failed(self) -> bool:
        """Tell whether it was asked in vain, which says nothing about the record."""
        return not self.answered and self is not DnsStatus.UNKNOWN


@dataclass(frozen=True, slots=True)
class DnsAnswer:
    """
    The recorded answer to one question.

    name, type:  the question; name as A-labels, type upper case.
    answers:     record data as text in presentation form; TXT with its strings joined and unquoted, MX as
                 ``preference host``. Order as received.
    resolver:    who answered, where the evidence names it.
    validated:   whether the resolver vouches for the answer by DNSSEC; None where the evidence does not say.
    """

    name: str
    type: str
    status: DnsStatus
    answers: tuple[str, ...] = ()
    origin: Origin | None = None
    observed_at: datetime | None = None
    resolver: str | None = None
    validated: bool | None = None


@dataclass(frozen=True, slots=True)
class DnsZone:
    """Says that a whole zone was handed over, so a name in it without records does not exist."""

    apex: str
    delegations: frozenset[str]  # names below the apex that other servers answer for
    origin: Origin


class Dns:
    """Recorded DNS, asked like a resolver that never touches the network."""

    def __init__(self, answers: Iterable[DnsAnswer] = (), zones: Iterable[DnsZone] = ()) -> None:
        self._answers: dict[tuple[str, str], DnsAnswer] = {}
        self._names: set[str] = set()
        for given in answers:
            answer = given
            if len(given.answers) > MAX_RECORDS:
                answer = replace(given, status=DnsStatus.TRUNCATED, answers=())
            key = (answer.name, answer.type)
            held = self._answers.get(key)
            # A later failure does not erase an answer; a later answer replaces an earlier one.
            if held is None or answer.status.answered:
                self._answers[key] = answer
            if answer.status is DnsStatus.NOERROR:
                self._names.add(answer.name)
        self._zones = sorted(zones, key=lambda zone: len(zone.apex), reverse=True)

    @property
    def recorded(self) -> tuple[tuple[DnsAnswer, ...], tuple[DnsZone, ...]]:
        """Give what makes the same record again."""
        return tuple(self._answers.values()), tuple(self._zones)

    def lookup(self, name: str, type_: str) -> DnsAnswer:
        """Answer a question from the record, following CNAMEs within it; UNKNOWN where the record is silent."""
        question = a_label(name)
        current = question
        for _ in range(9):
            held = self._answers.get((current, type_))
            if held is not None:
                return held if held.name == question else replace(held, name=question)
            alias = self._answers.get((current, "CNAME"))
            if type_ == "CNAME" or alias is None or not alias.answers:
                break
            current = a_label(alias.answers[0])
        return self._from_zone(question, current, type_)

    def _from_zone(self, question: str, name: str, type_: str) -> DnsAnswer:
        nxdomain = self._answers.get((name, "ANY"))
        if nxdomain is not None and nxdomain.status is DnsStatus.NXDOMAIN:
            return DnsAnswer(question, type_, DnsStatus.NXDOMAIN, (), nxdomain.origin, nxdomain.observed_at)
        for zone in self._zones:
            if not is_at_or_below(name, zone.apex):
                continue
            if any(is_at_or_below(name, cut) for cut in zone.delegations):
                break
            exists = self._exists(name)
            if not exists and (wild := self._wildcard(name)):
                # A wildcard answers for names that do not exist. Source: RFC 4592 section 3.3.1.
                if (wild, "CNAME") in self._answers and type_ != "CNAME":
                    break
                held = self._answers.get((wild, type_))
                return DnsAnswer(
                    question,
                    type_,
                    DnsStatus.NOERROR,
                    held.answers if held else (),
                    held.origin if held else zone.origin,
                )
            status = DnsStatus.NOERROR if exists else DnsStatus.NXDOMAIN
            return DnsAnswer(question, type_, status, (), zone.origin)
        return DnsAnswer(question, type_, DnsStatus.UNKNOWN)

    def _exists(self, name: str) -> bool:
        return any(is_at_or_below(held, name) for held in self._names)

    def _wildcard(self, name: str) -> str | None:
        """Find the wildcard beside the closest name above that exists, where there is one."""
        above = name.partition(".")[2]
        while above and not self._exists(above):
            above = above.partition(".")[2]
        return f"*.{above}" if f"*.{above}" in self._names else None

    def __bool__(self) -> bool:
        return bool(self._answers or self._zones)


class NotedDns(Dns):
    """
    Recorded DNS that notes what it was asked in vain, so that somebody can go and ask.

    open:  the questions, name and type, without an answer, failures among them; each once, in the order they came.
    """

    def __init__(self, recorded: Dns) -> None:
        super().__init__()
        self._recorded = recorded
        self.open: dict[tuple[str, str], None] = {}

    def lookup(self, name: str, type_: str) -> DnsAnswer:
        """Answer from the record; note the question where there is no answer."""
        answer = self._recorded.lookup(name, type_)
        if not answer.status.answered:
            self.open[answer.name, type_] = None
        return answer

    def __bool__(self) -> bool:
        return True  # even an empty record is worth asking here: what it lacks is what is wanted


class ProposedDns(Dns):
    """
    Recorded DNS in which some TXT records are taken as published, for a what-if.

    proposed:  by name (A-labels), the one text that stands there.
    """

    def __init__(self, recorded: Dns, proposed: Mapping[str, str]) -> None:
        super().__init__()
        self._recorded, self._proposed = recorded, proposed

    def lookup(self, name: str, type_: str) -> DnsAnswer:
        """Answer from the proposed records first, else from the recorded ones."""
        text = self._proposed.get(name) if type_ == "TXT" else None
        if text is None:
            return self._recorded.lookup(name, type_)
        return DnsAnswer(name, type_, DnsStatus.NOERROR, (text,))

    def __bool__(self) -> bool:
        return bool(self._proposed or self._recorded)
