"""One domain's mail records, whoever's it is: a line each, judged with its reason, by published answers alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, Protocol, TypeVar

from portero.core.address import a_label, is_at_or_below
from portero.core.checks import checks
from portero.core.dmarc_road import Road, road
from portero.core.dns import Dns, DnsAnswer, DnsStatus, NotedDns
from portero.core.evidence import Origin
from portero.core.exchange.exchangers import MxPosture, mx_posture, read_exchangers
from portero.core.exchange.selectors import SELECTORS, AliasForm, read_alias
from portero.core.exchange.settings import AcceptedDomain, Settings, Tenant
from portero.core.finding import Outcome, Posture, find
from portero.core.flow import OutsideFlow
from portero.core.mail.bimi import lets_logo, parse_bimi
from portero.core.mail.conversation import Question
from portero.core.mail.dkim_key import parse_key
from portero.core.mail.dmarc import effective_policy
from portero.core.mail.spf_expansion import expansion
from portero.core.mail.spf_lint import Soundness, lint
from portero.core.mail.spf_record import is_spf
from portero.core.mail.transport import parse_sts_record, parse_tls_reporting, parse_tlsa
from portero.core.sender import Sender
from portero.core.spf_authoring import SpfDraft, draft_spf
from portero.core.text import Text

SMTP_PORT = 25
# Checks of what a tenant owns besides the domain.
_TENANTS = frozenset({"DNS-12"})
# What a check may need and a bare domain can give.
_GIVEN = frozenset({"dns", "domains"})


@dataclass(frozen=True, slots=True)
class Line:
    """
    What is said of one kind of record.

    id:       a check's id, or the record's own: ``SPF``, ``DKIM-selector1``, ``MTA-STS``, ``TLS-RPT``, ``DANE``, ``BIMI``.
    fix:      what to publish, or None where nothing is wrong.
    records:  what stands in DNS, as text.
    """

    id: str
    title: Text
    outcome: Outcome
    because: Text
    fix: Text | None = None
    records: tuple[str, ...] = ()
    origins: tuple[Origin, ...] = ()


@dataclass(frozen=True, slots=True)
class DomainPosture:
    """
    A domain as A-labels, and its lines.

    published:  its own mail records as name, type and text, for a reader who wants to see them.
    """

    domain: str
    lines: tuple[Line, ...]
    published: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class DomainReport:
    """
    A domain's posture, and where the evidence holds its mail, what to do about its records.

    labels:  of the senders that the draft and the road name by id.
    """

    posture: DomainPosture
    spf: SpfDraft | None = None
    road: Road | None = None
    labels: Mapping[str, Text] = field(default_factory=dict)


def domain_report(
    posture: DomainPosture,
    senders: Sequence[Sender],
    outside: Sequence[OutsideFlow],
    settings: Settings,
    *,
    flatten: bool = False,
) -> DomainReport:
    """Add to a posture the least SPF record and the road to p=reject, where any mail under the domain is known."""
    name = posture.domain
    concerned = [
        sender
        for sender in senders
        if any(
            is_at_or_below(held, name) for held in (*sender.mail_from_domains, *sender.header_from_domains)
        )
    ]
    if not concerned and not any(is_at_or_below(row.header_from, name) for row in outside):
        return DomainReport(posture)
    return DomainReport(
        posture,
        draft_spf(settings.dns, name, senders, outside, flatten=flatten),
        road(settings.dns, name, senders, outside, settings),
        {sender.id: sender.label for sender in senders},
    )


def domain_posture(
    dns: Dns, domain: str, now: datetime, selectors: Iterable[str] = SELECTORS
) -> DomainPosture:
    """
    Judge a domain by its records in DNS; what the evidence does not hold is unknown.

    selectors:  DKIM selectors to look at; which a domain uses cannot be asked of DNS.
    """
    name = a_label(domain)
    lines = (*_checked(dns, name, now), *_others(dns, name, tuple(selectors)))
    return DomainPosture(name, lines, tuple(_published(dns, name)))


def open_questions(
    dns: Dns,
    domains: Iterable[str],
    now: datetime,
    selectors: Iterable[str] = SELECTORS,
    proposed: Mapping[str, str] | None = None,
) -> tuple[Question, ...]:
    """
    Name the questions without an answer so far on which the posture of domains depends.

    proposed:  SPF records by domain that are to be replayed, which may lead elsewhere than the published ones.
    """
    noted = NotedDns(dns)
    chosen = tuple(selectors)
    for domain in domains:
        domain_posture(noted, domain, now, chosen)
    for domain in proposed or ():
        expansion(noted, domain, published=proposed)
    return tuple(Question(name, kind) for name, kind in noted.open)


def _checked(dns: Dns, domain: str, now: datetime) -> Iterator[Line]:
    """Put every check that needs nothing but DNS to the domain alone."""
    posture = Posture(
        tenant=Tenant(),
        settings=Settings(accepted_domains=(AcceptedDomain(domain),), dns=dns),
        dns=dns,
        senders=(),
        outside=(),
        simulations=(),
        coverage=(),
        gaps=(),
        now=now,
        mail_seen=False,
    )
    for check in checks():
        if "dns" in check.needs and set(check.needs) <= _GIVEN and check.id not in _TENANTS:
            found = find(check, posture)
            wrong = found.outcome in {Outcome.FAIL, Outcome.WARN}
            yield Line(
                found.id,
                found.title,
                found.outcome,
                found.because,
                found.fix if wrong else None,
                origins=found.origins,
            )


def _others(dns: Dns, domain: str, selectors: tuple[str, ...]) -> Iterator[Line]:
    yield _spf(dns, domain)
    for selector in selectors:
        yield _dkim(dns, domain, selector.lower())
    yield _sts(dns, domain)
    yield _tls_reporting(dns, domain)
    yield _dane(dns, domain)
    yield _bimi(dns, domain)


def _seen(answer: DnsAnswer) -> tuple[Origin, ...]:
    return (answer.origin,) if answer.origin is not None else ()


def _silent(id_: str, title: Text, answer: DnsAnswer) -> Line | None:
    """Say that a question was never answered, and how; None where it was."""
    question = f"{answer.name} {answer.type}"
    if answer.status.answered:
        return None
    if answer.status is DnsStatus.UNKNOWN:
        because = Text("The evidence holds no answer for {question}.", question=question)
    else:
        because = Text(
            "DNS failed to answer {question} ({status}).", question=question, status=answer.status.value
        )
    return Line(id_, title, Outcome.UNKNOWN, because, origins=_seen(answer))


def _spf(dns: Dns, domain: str) -> Line:
    id_, title = "SPF", Text("SPF: what receivers make of the record")
    answer = dns.lookup(domain, "TXT")
    silent = _silent(id_, title, answer)
    if silent is not None:
        return silent
    found = lint(dns, domain)
    records = tuple(text for text in answer.answers if is_spf(text))
    said = tuple(
        Text("{term}: {reason}", term=fault.term, reason=fault.reason)
        for fault in (*found.faults, *found.cautions)
    )

    def line(outcome: Outcome, because: Text) -> Line:
        return Line(id_, title, outcome, because, None, records, _seen(answer))

    if found.soundness is Soundness.NONE:
        return line(Outcome.NOT_APPLICABLE, Text("No SPF record stands at {name}.", name=domain))
    if found.soundness is Soundness.BROKEN:
        return line(Outcome.FAIL, Text("No mail can pass: receivers find permerror. {faults}.", faults=said))
    if found.soundness is Soundness.PARTLY:
        return line(Outcome.WARN, Text("For some mail receivers find permerror. {faults}.", faults=said))
    if found.soundness is Soundness.UNKNOWN:
        return line(Outcome.UNKNOWN, Text("The record leads to names of which the evidence holds no answer."))
    if said:
        return line(Outcome.WARN, Text("The record works, but: {faults}.", faults=said))
    return line(Outcome.PASS, Text("The record and all it leads to are in order for every sender."))


def _dkim(dns: Dns, domain: str, selector: str) -> Line:
    name = f"{selector}._domainkey.{domain}"
    id_, title = f"DKIM-{selector}", Text("DKIM key of selector {selector}", selector=selector)
    alias, answer = dns.lookup(name, "CNAME"), dns.lookup(name, "TXT")
    silent = _silent(id_, title, answer)
    if silent is not None:
        return silent
    texts = [text for text in answer.answers if parse_key(text) is not None]
    target = alias.answers[0] if alias.answers else ""
    records = tuple(each for each in (f"CNAME {target}" if target else "", *texts) if each)
    origins = tuple(dict.fromkeys((*_seen(alias), *_seen(answer))))
    form = read_alias(domain, selector, target) if target else None

    def line(outcome: Outcome, because: Text) -> Line:
        return Line(id_, title, outcome, because, None, records, origins)

    if form is not None and form.form is not AliasForm.OTHER and not form.matches:
        return line(
            Outcome.FAIL,
            Text(
                "{name} is the alias {target}, which is another domain's or another selector's.",
                name=name,
                target=target,
            ),
        )
    if not texts:
        if not target:
            return line(Outcome.NOT_APPLICABLE, Text("No key stands at {name}.", name=name))
        return line(
            Outcome.FAIL,
            Text("{name} is an alias of {target}, where no key stands.", name=name, target=target),
        )
    if len(texts) > 1:
        return line(
            Outcome.FAIL, Text("Several keys stand at {name}, and verifiers may take any of them.", name=name)
        )
    key = parse_key(texts[0])
    if key is None or key.revoked:
        return line(Outcome.WARN, Text("The key at {name} is revoked.", name=name))
    if not key.usable or key.testing:
        return line(
            Outcome.FAIL, Text("The key at {name} does not count: {faults}.", name=name, faults=key.faults)
        )
    if key.faults:
        return line(
            Outcome.WARN, Text("The key at {name} works, but {faults}.", name=name, faults=key.faults)
        )
    return line(Outcome.PASS, _in_order(name, form.form if form else None, key.algorithm, key.bits or 0))


def _in_order(name: str, form: AliasForm | None, algorithm: str, bits: int) -> Text:
    if form is AliasForm.OLD:
        return Text(
            "{name} is Microsoft's alias in its old form, to a key of {bits} bits ({algorithm}).",
            name=name,
            bits=bits,
            algorithm=algorithm,
        )
    if form is AliasForm.NEW:
        return Text(
            "{name} is Microsoft's alias in its new form, to a key of {bits} bits ({algorithm}).",
            name=name,
            bits=bits,
            algorithm=algorithm,
        )
    return Text("The key at {name} has {bits} bits ({algorithm}).", name=name, bits=bits, algorithm=algorithm)


class _Faulty(Protocol):
    """A parsed record that knows what is wrong with it."""

    @property
    def faults(self) -> tuple[Text, ...]: ...


_Record = TypeVar("_Record", bound=_Faulty)


@dataclass(frozen=True, slots=True)
class _Single(Generic[_Record]):
    """The one faultless record of a kind at a name, and how to say something of it."""

    id: str
    title: Text
    record: _Record
    text: str
    answer: DnsAnswer

    def line(self, outcome: Outcome, because: Text) -> Line:
        return Line(self.id, self.title, outcome, because, None, (self.text,), _seen(self.answer))


def _single(
    dns: Dns,
    name: str,
    id_: str,
    title: Text,
    parse: Callable[[str], _Record | None],
    wrong: Outcome = Outcome.FAIL,
) -> Line | _Single[_Record]:
    """Find the one record of a kind at a name; else the line that says why there is none, or what is wrong with it."""
    answer = dns.lookup(name, "TXT")
    silent = _silent(id_, title, answer)
    if silent is not None:
        return silent
    held = [(text, record) for text in answer.answers if (record := parse(text)) is not None]
    if not held:
        because = Text("No such record stands at {name}.", name=name)
        return Line(id_, title, Outcome.NOT_APPLICABLE, because, origins=_seen(answer))
    if len(held) > 1:
        because = Text("Several records stand at {name}, which counts as none.", name=name)
        return Line(id_, title, Outcome.FAIL, because, None, tuple(text for text, _ in held), _seen(answer))
    found = _Single(id_, title, held[0][1], held[0][0], answer)
    if found.record.faults:
        faults = found.record.faults
        return found.line(wrong, Text("The record at {name} is wrong: {faults}.", name=name, faults=faults))
    return found


def _sts(dns: Dns, domain: str) -> Line:
    title = Text("MTA-STS: senders insist on TLS")
    found = _single(dns, f"_mta-sts.{domain}", "MTA-STS", title, parse_sts_record)
    if isinstance(found, Line):
        return found
    host = f"mta-sts.{domain}"
    addresses = [dns.lookup(host, kind) for kind in ("A", "AAAA")]
    if all(each.status.answered and not each.answers for each in addresses):
        because = Text("The policy cannot be fetched: {host} has no address.", host=host)
        return found.line(Outcome.FAIL, because)
    because = Text(
        "The record is in order. The policy itself, at {host}, is not DNS and was not read.",
        host=f"https://{host}/.well-known/mta-sts.txt",
    )
    return found.line(Outcome.UNKNOWN, because)


def _tls_reporting(dns: Dns, domain: str) -> Line:
    title = Text("TLS reporting: failures of TLS become known")
    found = _single(dns, f"_smtp._tls.{domain}", "TLS-RPT", title, parse_tls_reporting)
    if isinstance(found, Line):
        return found
    return found.line(Outcome.PASS, Text("Reports go to {uris}.", uris=found.record.rua))


def _dane(dns: Dns, domain: str) -> Line:
    id_, title = "DANE", Text("DANE: certificates of the mail exchangers")
    answer = dns.lookup(domain, "MX")
    silent = _silent(id_, title, answer)
    if silent is not None:
        return silent
    exchangers = read_exchangers(answer.answers)
    hosts = tuple(dict.fromkeys(each.host for each in exchangers if each.host))
    if mx_posture(exchangers) in {MxPosture.NULL, MxPosture.NONE} or not hosts:
        return Line(
            id_, title, Outcome.NOT_APPLICABLE, Text("{domain} names no mail exchanger.", domain=domain)
        )
    answers = {host: dns.lookup(f"_{SMTP_PORT}._tcp.{host}", "TLSA") for host in hosts}
    unclear = next((each for each in answers.values() if not each.status.answered), None)
    if unclear is not None:
        line = _silent(id_, title, unclear)
        if line is not None:
            return line
    records = tuple(f"{host} {text}" for host, each in answers.items() for text in each.answers)
    origins = tuple(dict.fromkeys(origin for each in (answer, *answers.values()) for origin in _seen(each)))
    if not records:
        return Line(id_, title, Outcome.NOT_APPLICABLE, Text("No mail exchanger of {domain} has TLSA records.", domain=domain), origins=origins)  # fmt: skip
    without = tuple(host for host, each in answers.items() if not _usable(each.answers))
    if without:
        because = Text("Mail exchangers without a usable TLSA record: {hosts}.", hosts=without)
        return Line(id_, title, Outcome.WARN, because, None, records, origins)
    validated = {answer.validated, *(each.validated for each in answers.values())}
    if validated == {True}:
        because = Text("Every mail exchanger has a usable TLSA record, and the resolver validated them.")
        return Line(id_, title, Outcome.PASS, because, None, records, origins)
    because = Text(
        "Every mail exchanger has a usable TLSA record. It counts only with DNSSEC, which no resolver vouched for here."
    )
    return Line(id_, title, Outcome.UNKNOWN, because, None, records, origins)


def _usable(texts: Iterable[str]) -> bool:
    return any(record is not None and record.usable for record in map(parse_tlsa, texts))


def _bimi(dns: Dns, domain: str) -> Line:
    title = Text("BIMI: the logo shown beside the mail")
    found = _single(dns, f"default._bimi.{domain}", "BIMI", title, parse_bimi, Outcome.WARN)
    if isinstance(found, Line):
        return found
    if found.record.declined:
        return found.line(Outcome.PASS, Text("The domain declines to have a logo shown."))
    policy = effective_policy(dns, domain)
    if policy.own.unknown:
        because = Text("Whether DMARC lets the logo be shown is not in the evidence.")
        return found.line(Outcome.UNKNOWN, because)
    if not lets_logo(policy.own.record, policy.exact):
        because = Text("The logo is not shown: the DMARC policy of {domain} does not enforce.", domain=domain)
        return found.line(Outcome.WARN, because)
    return found.line(Outcome.PASS, Text("The record and the DMARC policy let the logo be shown."))


def _published(dns: Dns, domain: str) -> Iterator[tuple[str, str, str]]:
    for name, kind in ((domain, "MX"), (domain, "TXT"), (f"_dmarc.{domain}", "TXT")):
        for text in dns.lookup(name, kind).answers:
            if kind == "MX" or is_spf(text) or name != domain:
                yield name, kind, text
