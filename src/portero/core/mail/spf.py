"""SPF as a conversation: the evaluator yields each DNS question, so one evaluator serves recorded and proposed records."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from portero.core.dns import Dns, DnsAnswer, DnsStatus
from portero.core.evidence import Origin
from portero.core.mail.conversation import Conversation, Question, converse
from portero.core.mail.spf_macro import DomainSpec, Parts, expand_name, expand_text, parse_macros
from portero.core.mail.spf_names import address, askable, best, dotted, reverse
from portero.core.mail.spf_record import Mechanism, Qualifier, SpfRecord, is_spf, parse_record
from portero.core.text import Text

# RFC 7208 section 4.6.4.
MAX_LOOKUPS = 10
MAX_VOIDS = 2
MAX_HOSTS = 10
# Longer than any mailbox or host name may be (RFC 5321 section 4.5.3.1); the rest only feeds macros.
MAX_IDENTITY = 1024


class SpfResult(StrEnum):
    """The results of RFC 7208 section 2.6, and one that is ours."""

    NONE = "none"
    NEUTRAL = "neutral"
    PASS = "pass"  # noqa: S105 - a result, not a password
    FAIL = "fail"
    SOFTFAIL = "softfail"
    TEMPERROR = "temperror"
    PERMERROR = "permerror"
    UNKNOWN = "unknown"  # not the RFC's: the evidence holds no answer on which the result depends


_RESULT = {
    Qualifier.PASS: SpfResult.PASS,
    Qualifier.FAIL: SpfResult.FAIL,
    Qualifier.SOFTFAIL: SpfResult.SOFTFAIL,
    Qualifier.NEUTRAL: SpfResult.NEUTRAL,
}


class Step(NamedTuple):
    """
    One term of the trace, in the order of evaluation.

    depth:    0 in the domain's own record, one more in each include or redirect.
    target:   the name it asked about, ``""`` for none.
    outcome:  ``match``, ``no match``, ``unknown``, or the error that ended it.
    """

    depth: int
    domain: str
    term: str
    target: str
    outcome: str


@dataclass(frozen=True, slots=True)
class SpfVerdict:
    """
    What check_host says.

    explanation:  the domain owner's words for a fail, or None.
    problem:      why it is an error, or None.
    lookups:      terms that asked DNS; voids: those of them that got nothing.
    possible:     the results that the evidence leaves open; one unless the result is unknown.
    unknown:      questions the evidence holds no answer to, even where the result does not depend on them.
    """

    result: SpfResult
    domain: str
    explanation: str | None = None
    problem: Text | None = None
    trace: tuple[Step, ...] = ()
    lookups: int = 0
    voids: int = 0
    possible: frozenset[SpfResult] = frozenset()
    unknown: tuple[Question, ...] = ()
    origins: tuple[Origin, ...] = ()


class _Ended(Exception):  # noqa: N818 - control flow inside this file
    """A temperror or permerror, which ends the whole evaluation."""

    def __init__(self, result: SpfResult, problem: Text) -> None:
        super().__init__(result)
        self.result, self.problem = result, problem


def check_host(
    ip: str, domain: str, sender: str, ehlo: str, *, receiver: str = "unknown", at_seconds: int = 0
) -> Conversation[SpfVerdict]:
    """
    Evaluate check_host as a conversation that yields questions and is sent their answers.

    ip:          the client's address; with a text that is none the result is unknown.
    domain:      the MAIL FROM domain, or the EHLO name for the null reverse-path.
    sender:      the MAIL FROM mailbox; without a local part it is ``postmaster`` (RFC 7208 section 4.3).
    receiver, at_seconds:  what ``%{r}`` and ``%{t}`` say in an explanation.
    At most 10 terms ask DNS, 2 of them in vain, each at most 11 questions.
    Source: RFC 7208 sections 4 to 7.
    """
    return _Evaluation(ip, domain, sender, ehlo, receiver, at_seconds).run()


def evaluate(
    dns: Dns, ip: str, domain: str, sender: str, ehlo: str, *, published: Mapping[str, str] | None = None
) -> SpfVerdict:
    """
    Evaluate check_host over recorded answers.

    published:  SPF records by domain (A-labels) taken as published in place of the recorded ones, for a what-if.
    The result is unknown where it depends on an answer that nobody recorded.
    """
    conversation = check_host(ip, domain, sender, ehlo)
    return converse(dns, _overlay(conversation, published) if published else conversation)


def _overlay(
    conversation: Conversation[SpfVerdict], published: Mapping[str, str]
) -> Conversation[SpfVerdict]:
    try:
        question = next(conversation)
        while True:
            record = published.get(question.name) if question.type == "TXT" else None
            if record is None:
                answer = yield question
            else:
                answer = DnsAnswer(question.name, "TXT", DnsStatus.NOERROR, (record,))
            question = conversation.send(answer)
    except StopIteration as end:
        verdict: SpfVerdict = end.value
        return verdict


_Ask = Generator[Question, DnsAnswer, DnsAnswer]


class _Evaluation:
    """One run of check_host and its counters."""

    __slots__ = (
        "_depth", "_domain", "_ehlo", "_host_type", "_local", "_lookups", "_number", "_open", "_origins", "_ptr_names",
        "_receiver", "_seconds", "_sender", "_sender_domain", "_text", "_trace", "_unknown", "_unsure_voids",
        "_version", "_voids",
    )  # fmt: skip

    def __init__(self, ip: str, domain: str, sender: str, ehlo: str, receiver: str, at_seconds: int) -> None:
        self._text, self._version, self._number = address(ip)
        self._host_type = "A" if self._version == 4 else "AAAA"
        local, at, sender_domain = sender[-MAX_IDENTITY:].rpartition("@")
        self._local = local or "postmaster"
        self._domain = domain.removesuffix(".").lower()
        self._sender_domain = sender_domain if at else (sender_domain or self._domain)
        self._sender = f"{self._local}@{self._sender_domain}"
        self._ehlo = ehlo[-MAX_IDENTITY:]
        self._receiver, self._seconds = receiver, at_seconds
        self._lookups = self._voids = self._unsure_voids = self._depth = 0
        self._trace: list[Step] = []
        self._unknown: list[Question] = []
        self._origins: dict[Origin, None] = {}
        self._open: set[SpfResult] = set()  # results that unknown answers leave open besides the one found
        self._ptr_names: tuple[str, ...] | None = None

    def run(self) -> Conversation[SpfVerdict]:
        if not self._version:
            return SpfVerdict(
                SpfResult.UNKNOWN, self._domain, problem=Text("{text} is not an address", text=self._text)
            )
        problem: Text | None = None
        explanation: str | None = None
        try:
            result, domain, record = yield from self._check(self._domain)
            if result is SpfResult.FAIL and record is not None and record.explanation is not None:
                explanation = yield from self._explanation(record.explanation, domain)
        except _Ended as end:
            result, problem = end.result, end.problem
        return self._verdict(result, explanation, problem)

    def _verdict(self, result: SpfResult, explanation: str | None, problem: Text | None) -> SpfVerdict:
        possible = frozenset((*self._open, result))
        # An answer nobody has may be one of the void ones that two are too many of.
        if self._unsure_voids and self._voids + self._unsure_voids > MAX_VOIDS:
            possible |= {SpfResult.PERMERROR}
        if len(possible) > 1 or result is SpfResult.UNKNOWN:
            result, explanation, problem = SpfResult.UNKNOWN, None, None
        return SpfVerdict(
            result, self._domain, explanation, problem, tuple(self._trace), self._lookups, self._voids,
            possible - {SpfResult.UNKNOWN}, tuple(dict.fromkeys(self._unknown)), tuple(self._origins),
        )  # fmt: skip

    # ------------------------------------------------------------------ records

    def _check(self, domain: str) -> Generator[Question, DnsAnswer, tuple[SpfResult, str, SpfRecord | None]]:
        """Evaluate the record of a domain; gives the result, and the domain and record that decided after redirects."""
        if not askable(domain) or "." not in domain:
            return SpfResult.NONE, domain, None
        answer = yield from self._ask(domain, "TXT")
        if answer.status is DnsStatus.UNKNOWN:
            self._open |= set(SpfResult) - {SpfResult.UNKNOWN, SpfResult.TEMPERROR}
            return SpfResult.UNKNOWN, domain, None
        if answer.status in _FAILURES:
            raise _Ended(SpfResult.TEMPERROR, Text("DNS failed for {question}", question=f"{domain} TXT"))
        records = [text for text in answer.answers if is_spf(text)]
        if not records:
            return SpfResult.NONE, domain, None
        if len(records) > 1:
            raise _Ended(SpfResult.PERMERROR, Text("{domain} publishes several SPF records", domain=domain))
        record = parse_record(records[0])
        if record.faults:
            fault = record.faults[0]
            raise _Ended(
                SpfResult.PERMERROR,
                Text("{domain}: {term}: {reason}", domain=domain, term=fault.term, reason=fault.reason),
            )
        result = yield from self._terms(record, domain)
        if result is not None:
            return result, domain, record
        if record.redirect is None:
            return SpfResult.NEUTRAL, domain, record
        return (yield from self._redirect(record.redirect, domain))

    def _terms(self, record: SpfRecord, domain: str) -> Generator[Question, DnsAnswer, SpfResult | None]:
        number, version = self._number, self._version
        for each in record.mechanisms:
            target = ""
            if each.version:
                matched: bool | None = each.version == version and number & each.mask == each.base
            elif each.kind == "all":
                matched = True
            else:
                self._count()
                target = domain
                if each.target is not None:
                    name = each.target.name
                    target = name if name is not None else (yield from self._expand(each.target, domain))
                matched = yield from self._mechanism(each, target)
            outcome = "match" if matched else "no match" if matched is not None else "unknown"
            self._trace.append(Step(self._depth, domain, each.text, target, outcome))
            if matched:
                return _RESULT[each.qualifier]
            if matched is None:
                self._open.add(_RESULT[each.qualifier])
        return None

    def _mechanism(self, each: Mechanism, target: str) -> Generator[Question, DnsAnswer, bool | None]:
        kind = each.kind
        if kind == "include":
            return (yield from self._include(target))
        # RFC 7208 section 4.8 leaves names that DNS cannot be asked for open: they match nothing.
        if kind == "ptr":
            return (yield from self._ptr(target))
        if not askable(target):
            return False
        if kind == "exists":
            answer = yield from self._ask(target, "A", counts=True)
            return self._existing(answer)
        mask = each.mask4 if self._version == 4 else each.mask6
        if kind == "a":
            answer = yield from self._ask(target, self._host_type, counts=True)
            return self._within(answer, mask)
        return (yield from self._mx(target, mask))

    def _existing(self, answer: DnsAnswer) -> bool | None:
        if answer.status in _FAILURES:
            raise _Ended(SpfResult.TEMPERROR, _failed(answer))
        return None if answer.status is DnsStatus.UNKNOWN else bool(answer.answers)

    def _within(self, answer: DnsAnswer, mask: int) -> bool | None:
        if answer.status is DnsStatus.UNKNOWN:
            return None
        if answer.status in _FAILURES:
            raise _Ended(SpfResult.TEMPERROR, _failed(answer))
        wanted = self._number & mask
        version = self._version
        for text in answer.answers:
            _, other, number = address(text)
            if other == version and number & mask == wanted:
                return True
        return False

    def _mx(self, target: str, mask: int) -> Generator[Question, DnsAnswer, bool | None]:
        answer = yield from self._ask(target, "MX", counts=True)
        if answer.status is DnsStatus.UNKNOWN:
            return None
        if answer.status in _FAILURES:
            raise _Ended(SpfResult.TEMPERROR, _failed(answer))
        unsure = False
        for number, text in enumerate(answer.answers):
            if number == MAX_HOSTS:  # RFC 7208 section 4.6.4: the eleventh host is an error, not the tenth
                raise _Ended(
                    SpfResult.PERMERROR, Text("{domain} has more than ten mail exchangers", domain=target)
                )
            host = text.rpartition(" ")[2].removesuffix(".").lower()
            if not askable(host):
                continue
            matched = self._within((yield from self._ask(host, self._host_type)), mask)
            if matched:
                return True
            unsure = unsure or matched is None
        return None if unsure else False

    def _ptr(self, target: str) -> Generator[Question, DnsAnswer, bool | None]:
        before = len(self._unknown)
        names = yield from self._validated(counts=True)
        if any(name == target or name.endswith("." + target) for name in names):
            return True
        return None if len(self._unknown) > before else False

    def _include(self, target: str) -> Generator[Question, DnsAnswer, bool | None]:
        outer, self._open = self._open, set()
        self._depth += 1
        result, _, _ = yield from self._check(target)
        self._depth -= 1
        inner, self._open = self._open | {result}, outer
        inner.discard(SpfResult.UNKNOWN)
        errors = inner & {SpfResult.NONE, SpfResult.PERMERROR}
        if errors == inner:
            raise _Ended(
                SpfResult.PERMERROR,
                Text("{domain} is included and publishes no SPF record", domain=target),
            )
        if errors:
            self._open.add(SpfResult.PERMERROR)
        if inner - errors == {SpfResult.PASS}:
            return True
        return None if SpfResult.PASS in inner else False

    def _redirect(
        self, spec: DomainSpec, domain: str
    ) -> Generator[Question, DnsAnswer, tuple[SpfResult, str, SpfRecord | None]]:
        self._count()
        target = spec.name if spec.name is not None else (yield from self._expand(spec, domain))
        self._trace.append(Step(self._depth, domain, f"redirect={spec.text}", target, "match"))
        self._depth += 1
        held, self._open = self._open, set()
        found = yield from self._check(target)
        self._depth -= 1
        if SpfResult.NONE in self._open:  # RFC 7208 section 6.1: none becomes permerror
            self._open.remove(SpfResult.NONE)
        self._open |= held
        if found[0] is SpfResult.NONE:
            raise _Ended(
                SpfResult.PERMERROR,
                Text("{domain} is the target of redirect and publishes no SPF record", domain=target),
            )
        return found

    # ------------------------------------------------------------------ questions

    def _ask(self, name: str, type_: str, *, counts: bool = False) -> _Ask:
        """Ask; `counts` says that an empty answer is one of the two void ones (RFC 7208 section 4.6.4)."""
        answer = yield Question(name, type_)
        status = answer.status
        if answer.origin is not None:
            self._origins[answer.origin] = None
        if status is DnsStatus.UNKNOWN:
            self._unknown.append(Question(name, type_))
            self._unsure_voids += counts
        elif counts and not answer.answers and status in _VOID:
            self._voids += 1
            if self._voids > MAX_VOIDS:
                raise _Ended(SpfResult.PERMERROR, Text("more than two look-ups found nothing"))
        return answer

    def _count(self) -> None:
        self._lookups += 1
        if self._lookups > MAX_LOOKUPS:
            raise _Ended(SpfResult.PERMERROR, Text("more than ten terms ask DNS"))

    def _validated(self, *, counts: bool = False) -> Generator[Question, DnsAnswer, tuple[str, ...]]:
        """Give the names of the client that lead back to it. Source: RFC 7208 section 5.5."""
        if self._ptr_names is None:
            answer = yield from self._ask(reverse(self._version, self._number), "PTR", counts=counts)
            names: list[str] = []
            for text in answer.answers[:MAX_HOSTS]:
                name = text.removesuffix(".").lower()
                if not askable(name):
                    continue
                forward = yield from self._ask(name, self._host_type)
                # RFC 7208 section 5.5: a name whose look-up fails is skipped.
                if any(address(each)[1:] == (self._version, self._number) for each in forward.answers):
                    names.append(name)
            self._ptr_names = tuple(names)
        return self._ptr_names

    # ------------------------------------------------------------------ macros

    def _expand(self, spec: DomainSpec, domain: str) -> Generator[Question, DnsAnswer, str]:
        values = yield from self._values(spec.letters, domain)
        return expand_name(spec.parts, values.__getitem__)

    def _values(self, letters: frozenset[str], domain: str) -> Generator[Question, DnsAnswer, dict[str, str]]:
        values = {
            "s": self._sender,
            "l": self._local,
            "o": self._sender_domain,
            "d": domain,
            "i": dotted(self._version, self._number),
            "v": "in-addr" if self._version == 4 else "ip6",
            "h": self._ehlo,
            "c": self._text,
            "r": self._receiver,
            "t": str(self._seconds),
        }
        if "p" in letters:
            names = yield from self._validated()
            values["p"] = best(names, domain)
        return values

    def _explanation(self, spec: DomainSpec, domain: str) -> Generator[Question, DnsAnswer, str | None]:
        """Fetch the owner's words; any trouble means none. Source: RFC 7208 section 6.2."""
        target = spec.name if spec.name is not None else (yield from self._expand(spec, domain))
        if not askable(target):
            return None
        answer = yield from self._ask(target, "TXT")
        if len(answer.answers) != 1:
            return None
        parts: Parts | None = parse_macros(answer.answers[0], explanation=True)
        if parts is None:
            return None
        letters = frozenset(part.letter for part in parts if not isinstance(part, str))
        values = yield from self._values(letters, domain)
        return expand_text(parts, values.__getitem__)


# Sets, since these stand in the innermost loop.
_FAILURES = frozenset(status for status in DnsStatus if status.failed)
_VOID = frozenset(status for status in DnsStatus if status.answered)


def _failed(answer: DnsAnswer) -> Text:
    return Text("DNS failed for {question}", question=f"{answer.name} {answer.type}")
