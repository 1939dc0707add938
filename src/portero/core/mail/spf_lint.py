"""SPF linted with the evaluator's own grammar and limits: is a record wrong for every client, for some, or for none."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from portero.core.dns import Dns, DnsAnswer, DnsStatus
from portero.core.mail.spf import MAX_HOSTS, MAX_LOOKUPS, MAX_VOIDS
from portero.core.mail.spf_names import askable
from portero.core.mail.spf_record import Fault, Mechanism, Qualifier, is_spf, parse_record
from portero.core.text import Text

# A hostile tree is cut here; ten terms are the limit that matters.
MAX_QUESTIONS = 200


class Soundness(StrEnum):
    """What clients get from a domain's SPF record."""

    SOUND = "sound"  # no client can get permerror
    BROKEN = "broken"  # every client gets permerror
    PARTLY = "partly"  # some clients get permerror, and which depends on their address, name or sender
    NONE = "none"  # there is no record
    UNKNOWN = "unknown"  # the evidence lacks an answer that decides


@dataclass(frozen=True, slots=True)
class Lint:
    """
    What is wrong with a record and with all it leads to.

    faults:    each leads to permerror, for every client or for some.
    cautions:  what is allowed in the domain's own record and still a mistake.
    """

    soundness: Soundness
    faults: tuple[Fault, ...] = ()
    cautions: tuple[Fault, ...] = ()


def lint(dns: Dns, domain: str) -> Lint:
    """
    Lint the SPF record of a domain over recorded answers.

    Source: RFC 7208 sections 4.6.4 and 5, as `check_host` has them.
    """
    walk = _Walk(dns)
    name = domain.removesuffix(".").lower()
    if not askable(name) or "." not in name:
        return Lint(Soundness.NONE)
    answer = dns.lookup(name, "TXT")
    records = [text for text in answer.answers if is_spf(text)]
    if not answer.status.answered:
        return Lint(Soundness.UNKNOWN)
    if not records:
        return Lint(Soundness.NONE)
    walk.record(name, name, (), reached=True)
    faults = tuple(fault for _, fault in walk.faults)
    cautions = parse_record(records[0]).cautions if len(records) == 1 else ()
    if any(certain for certain, _ in walk.faults):
        return Lint(Soundness.BROKEN, faults, cautions)
    if faults:
        return Lint(Soundness.PARTLY, faults, cautions)
    return Lint(Soundness.UNKNOWN if walk.unknown else Soundness.SOUND, (), cautions)


@dataclass(frozen=True, slots=True)
class _Outcome:
    """
    What a record or term does to the clients that reach it.

    may_pass:  whether some client may pass by it.
    ends:      whether no client goes on behind it, because all have matched.
    all_pass:  whether every client passes.
    """

    may_pass: bool = False
    ends: bool = False
    all_pass: bool = False


@dataclass(slots=True)
class _Walk:
    dns: Dns
    lookups: int = 0
    voids: int = 0  # that every client finds
    maybe_voids: int = 0  # that clients of one family find
    asked: int = 0
    unknown: bool = False
    faults: list[tuple[bool, Fault]] = field(default_factory=list)

    def ask(self, name: str, type_: str) -> DnsAnswer:
        self.asked += 1
        if self.asked > MAX_QUESTIONS:
            self.unknown = True
            return DnsAnswer(name, type_, DnsStatus.UNKNOWN)
        answer = self.dns.lookup(name, type_)
        self.unknown = self.unknown or not answer.status.answered
        return answer

    def fault(self, certain: bool, term: str, reason: Text) -> None:
        self.faults.append((certain, Fault(term, reason)))

    def record(self, domain: str, via: str, path: tuple[str, ...], *, reached: bool) -> _Outcome:
        """Go through one record; `reached` says whether every client evaluates it."""
        answer = self.ask(domain, "TXT")
        records = [text for text in answer.answers if is_spf(text)]
        if not answer.status.answered:
            return _Outcome(may_pass=True)
        if len(records) != 1:
            reason = (
                Text("{domain} publishes several SPF records", domain=domain)
                if records
                else Text("{domain} publishes no SPF record", domain=domain)
            )
            self.fault(reached, via, reason)
            return _Outcome()
        record = parse_record(records[0])
        if record.faults:
            for fault in record.faults:
                reason = Text("{domain}: {reason}", domain=domain, reason=fault.reason)
                self.fault(reached, fault.term, reason)
            return _Outcome()
        may_pass = False
        for each in record.mechanisms:
            if each.kind == "all":
                passes = each.qualifier is Qualifier.PASS
                # All clients match here, but not all come this far where an earlier term may take some.
                return _Outcome(may_pass or passes, ends=True, all_pass=passes and reached and not may_pass)
            found = self.mechanism(each, domain, (*path, domain), reached=reached)
            passes = each.qualifier is Qualifier.PASS
            may_pass = may_pass or (found.may_pass and passes)
            if found.ends:
                return _Outcome(may_pass or passes, ends=True, all_pass=passes and reached)
            reached = reached and not found.may_pass
        if record.redirect is None:
            return _Outcome(may_pass)
        self.count(f"redirect={record.redirect.text}", reached=reached)
        found = self.follow(
            record.redirect.name, f"redirect={record.redirect.text}", (*path, domain), reached=reached
        )
        return _Outcome(may_pass or found.may_pass, found.ends, found.all_pass and not may_pass)

    def mechanism(self, each: Mechanism, domain: str, path: tuple[str, ...], *, reached: bool) -> _Outcome:
        """Go through one term; `may_pass` of its outcome says whether it may match anybody."""
        if each.network:
            return _Outcome(may_pass=True)
        self.count(each.text, reached=reached)
        name = domain if each.target is None else each.target.name
        if each.kind == "include":
            found = self.follow(name, each.text, path, reached=reached)
            return _Outcome(found.may_pass, ends=found.all_pass)
        if each.kind == "ptr":
            self.maybe_voids += 1
            self.limit(each.text, reached=False)
            return _Outcome(may_pass=True)
        if name is None:
            # What macros make of it is the client's and the sender's doing.
            self.maybe_voids += 1
            self.limit(each.text, reached=False)
            return _Outcome(may_pass=True)
        if not askable(name):
            return _Outcome()
        if each.kind == "mx":
            return self.mx(each, name, reached=reached)
        if each.kind == "exists":
            answer = self.ask(name, "A")
            self.void(each.text, [answer], reached=reached)
            return _Outcome(may_pass=bool(answer.answers), ends=bool(answer.answers))
        answers = [self.ask(name, kind) for kind in ("A", "AAAA")]
        self.void(each.text, answers, reached=reached)
        return _Outcome(may_pass=any(answer.answers or not answer.status.answered for answer in answers))

    def mx(self, each: Mechanism, name: str, *, reached: bool) -> _Outcome:
        answer = self.ask(name, "MX")
        self.void(each.text, [answer], reached=reached)
        hosts = [text.rpartition(" ")[2].removesuffix(".").lower() for text in answer.answers]
        may = not answer.status.answered
        for host in filter(None, hosts[:MAX_HOSTS]):
            may = may or any(self.ask(host, kind).answers for kind in ("A", "AAAA"))
        if len(hosts) > MAX_HOSTS:
            self.fault(reached and not may, each.text, Text("more than ten mail exchangers stand there"))
        return _Outcome(may_pass=may)

    def follow(self, name: str | None, via: str, path: tuple[str, ...], *, reached: bool) -> _Outcome:
        if name is None:
            self.fault(False, via, Text("macros decide whose record it is, which may have none"))
            return _Outcome(may_pass=True)
        if name in path or len(path) > 2 * MAX_LOOKUPS:
            self.fault(reached, via, Text("{domain} leads back to itself", domain=name))
            return _Outcome()
        if not askable(name) or "." not in name:
            self.fault(reached, via, Text("{domain} publishes no SPF record", domain=name))
            return _Outcome()
        return self.record(name, via, path, reached=reached)

    def count(self, term: str, *, reached: bool) -> None:
        self.lookups += 1
        if self.lookups == MAX_LOOKUPS + 1:
            self.fault(reached, term, Text("more than ten terms ask DNS"))

    def void(self, term: str, answers: list[DnsAnswer], *, reached: bool) -> None:
        """Count a term's question where it finds nothing: for every client, or for those of one family."""
        empty = [answer.status.answered and not answer.answers for answer in answers]
        if not any(empty):
            return
        self.voids += all(empty)
        self.maybe_voids += not all(empty)
        self.limit(term, reached=reached)

    def limit(self, term: str, *, reached: bool) -> None:
        if self.voids == MAX_VOIDS + 1 and self.maybe_voids == 0:
            self.fault(reached, term, Text("more than two look-ups found nothing"))
        elif self.voids + self.maybe_voids == MAX_VOIDS + 1:
            self.fault(
                reached and self.voids > MAX_VOIDS, term, Text("more than two look-ups may find nothing")
            )
