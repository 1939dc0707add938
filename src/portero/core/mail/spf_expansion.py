"""An SPF record with everything it includes: look-ups, networks and what nobody could see, whatever the client."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from portero.core.address import client_address, parse_network
from portero.core.dns import Dns, DnsAnswer, DnsStatus
from portero.core.evidence import Origin
from portero.core.mail.conversation import Question
from portero.core.mail.spf import MAX_HOSTS, MAX_LOOKUPS, MAX_VOIDS
from portero.core.mail.spf_record import Fault, Mechanism, Qualifier, SpfRecord, is_spf, parse_record
from portero.core.text import Text

# A hostile tree is cut here; ten terms are the limit that matters.
MAX_QUESTIONS = 200


@dataclass(frozen=True, slots=True)
class SpfNode:
    """
    A record in the tree of includes and redirects.

    via:      the term that led to it, ``""`` for the domain's own.
    status:   how the question for its record ended.
    records:  its SPF records as published: one when all is well.
    lookups:  terms in it and below it that ask DNS, not counting the one that led to it.
    """

    domain: str
    via: str
    status: DnsStatus
    records: tuple[str, ...]
    faults: tuple[Fault, ...]
    lookups: int
    children: tuple[SpfNode, ...] = ()

    @property
    def record(self) -> SpfRecord | None:
        """Give the record, or None where there is none or more than one."""
        return parse_record(self.records[0]) if len(self.records) == 1 else None


@dataclass(frozen=True, slots=True)
class SpfExpansion:
    """
    Everything that a domain's SPF record stands for.

    lookups, voids:  of a client that matches nothing, so at their greatest; lower bounds where `unknown` is not empty
                     or `cut` is true.
    networks:        CIDR texts that pass, sorted by first mention; those that an earlier term fails are among them.
    mentioned:       CIDR texts of all terms, whether they pass or not.
    macros:          terms that cannot be listed because macros or ptr make them.
    open:            terms ``all`` that pass, in the record itself or in an include.
    terminal:        what a client that matches nothing gets, after redirects; None where nothing says.
    terminal_known:  False where the evidence lacks the record that would say.
    failed:          questions that DNS failed to answer, and `unknown` those that nobody recorded.
    """

    root: SpfNode
    lookups: int
    voids: int
    networks: tuple[str, ...]
    macros: tuple[str, ...]
    open: tuple[str, ...]
    terminal: Qualifier | None
    terminal_known: bool
    void_names: tuple[str, ...]
    missing: tuple[str, ...]
    faults: tuple[Fault, ...]
    failed: tuple[Question, ...]
    unknown: tuple[Question, ...]
    origins: tuple[Origin, ...]
    cut: bool = False
    mentioned: tuple[str, ...] = ()

    @property
    def within_limits(self) -> bool:
        """Tell whether the known part stays within ten look-ups and two void ones. Source: RFC 7208 section 4.6.4."""
        return not self.cut and self.lookups <= MAX_LOOKUPS and self.voids <= MAX_VOIDS


@dataclass(slots=True)
class _Walk:
    dns: Dns
    published: Mapping[str, str]
    asked: int = 0
    voids: dict[str, None] = field(default_factory=dict)
    networks: dict[str, None] = field(default_factory=dict)
    mentioned: dict[str, None] = field(default_factory=dict)
    macros: dict[str, None] = field(default_factory=dict)
    open: list[str] = field(default_factory=list)
    missing: dict[str, None] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    failed: dict[Question, None] = field(default_factory=dict)
    unknown: dict[Question, None] = field(default_factory=dict)
    origins: dict[Origin, None] = field(default_factory=dict)
    cut: bool = False

    def ask(self, name: str, type_: str) -> DnsAnswer:
        self.asked += 1
        if self.asked > MAX_QUESTIONS:
            self.cut = True
            return DnsAnswer(name, type_, DnsStatus.UNKNOWN)
        if type_ == "TXT" and name in self.published:
            return DnsAnswer(name, type_, DnsStatus.NOERROR, (self.published[name],))
        answer = self.dns.lookup(name, type_)
        if answer.origin is not None:
            self.origins[answer.origin] = None
        if answer.status is DnsStatus.UNKNOWN:
            self.unknown[Question(name, type_)] = None
        elif answer.status.failed:
            self.failed[Question(name, type_)] = None
        return answer


def expansion(dns: Dns, domain: str, *, published: Mapping[str, str] | None = None) -> SpfExpansion:
    """
    Follow a domain's SPF record to its ends.

    published:  SPF records by domain taken as published in place of the recorded ones, for a what-if.
    Source: RFC 7208 sections 4.6.4 and 5.
    """
    walk = _Walk(dns, published or {})
    root = _node(walk, domain.removesuffix(".").lower(), "", (), passes=True)
    terminal, known = _terminal(root)
    return SpfExpansion(
        root, root.lookups, len(walk.voids), tuple(walk.networks), tuple(walk.macros), tuple(walk.open), terminal,
        known, tuple(walk.voids), tuple(walk.missing), tuple(walk.faults), tuple(walk.failed), tuple(walk.unknown),
        tuple(walk.origins), walk.cut, tuple(walk.mentioned),
    )  # fmt: skip


def _node(walk: _Walk, domain: str, via: str, path: tuple[str, ...], *, passes: bool) -> SpfNode:
    """Expand one record; `passes` says whether a match in it lets mail pass at the top."""
    answer = walk.ask(domain, "TXT")
    records = tuple(text for text in answer.answers if is_spf(text))
    record = parse_record(records[0]) if len(records) == 1 else None
    faults = tuple(
        Fault(fault.term, Text("{domain}: {reason}", domain=domain, reason=fault.reason))
        for fault in (record.faults if record else ())
    )
    if len(records) > 1:
        faults = (Fault(domain, Text("{domain} publishes several SPF records", domain=domain)),)
    answered = answer.status.answered
    if via and not records and answered:
        walk.missing[domain] = None
        faults = (Fault(via, Text("{domain} publishes no SPF record", domain=domain)),)
    walk.faults.extend(faults)
    if record is None:
        return SpfNode(domain, via, answer.status, records, faults, 0)
    lookups, children = 0, []
    for each in record.mechanisms:
        if each.kind == "all":
            if passes and each.qualifier is Qualifier.PASS:
                walk.open.append(f"{domain}: {each.text}")
            break
        lookups += each.asks
        child = _mechanism(walk, each, domain, (*path, domain), passes=passes)
        if child is not None:
            lookups += child.lookups
            children.append(child)
    if record.redirect is not None and record.all is None:
        child = _follow(
            walk, record.redirect.name, f"redirect={record.redirect.text}", (*path, domain), passes=passes
        )
        lookups += 1 + (child.lookups if child else 0)
        children += [child] if child else []
    return SpfNode(domain, via, answer.status, records, faults, lookups, tuple(children))


def _mechanism(
    walk: _Walk, each: Mechanism, domain: str, path: tuple[str, ...], *, passes: bool
) -> SpfNode | None:
    passing = passes and each.qualifier is Qualifier.PASS
    name = domain if each.target is None else each.target.name
    if each.network:
        walk.mentioned[each.network] = None
        if passing:
            walk.networks[each.network] = None
    elif each.kind == "include":
        return _follow(walk, name, each.text, path, passes=passing)
    elif name is None or each.kind in {"ptr", "exists"}:
        walk.macros[f"{domain}: {each.text}"] = None
    elif each.kind == "a":
        _hosts(walk, each, name, counts=True, passing=passing)
    else:
        answer = walk.ask(name, "MX")
        if _is_void(answer):
            walk.voids[f"{name} MX"] = None
        for text in answer.answers[:MAX_HOSTS]:
            host = text.rpartition(" ")[2].removesuffix(".").lower()
            if host:
                _hosts(walk, each, host, counts=False, passing=passing)
    return None


def _follow(
    walk: _Walk, name: str | None, via: str, path: tuple[str, ...], *, passes: bool
) -> SpfNode | None:
    if name is None:
        walk.macros[f"{path[-1]}: {via}"] = None
        return None
    if len(path) > 2 * MAX_LOOKUPS:
        walk.cut = True
        return None
    if name in path:
        fault = Fault(via, Text("{domain} leads back to itself", domain=name))
        walk.faults.append(fault)
        # A loop asks until a limit stops it.
        return SpfNode(name, via, DnsStatus.NOERROR, (), (fault,), MAX_LOOKUPS)
    return _node(walk, name, via, path, passes=passes)


def _hosts(walk: _Walk, each: Mechanism, name: str, *, counts: bool, passing: bool) -> None:
    answers = [walk.ask(name, kind) for kind in ("A", "AAAA")]
    # A client of one family asks one of the two; a name with either is not counted as void.
    if counts and all(_is_void(answer) for answer in answers):
        walk.voids[name] = None
    for answer, mask in zip(answers, (each.mask4, each.mask6), strict=True):
        for text in answer.answers:
            address = client_address(text)
            if address is not None:
                # A server may answer either question with an address of the other family.
                length = min(mask.bit_count(), 128 if ":" in address else 32)
                network = str(parse_network(f"{address}/{length}"))
                walk.mentioned[network] = None
                if passing:
                    walk.networks[network] = None


def _is_void(answer: DnsAnswer) -> bool:
    return answer.status.answered and not answer.answers


def _terminal(node: SpfNode) -> tuple[Qualifier | None, bool]:
    """Give what the record ends with after redirects, and whether the evidence says."""
    record = node.record
    if record is None:
        return None, node.status.answered
    if record.all is not None:
        return record.all.qualifier, True
    if record.redirect is None:
        return None, True
    last = node.children[-1] if node.children else None
    if last is None or not last.via.startswith("redirect="):
        return None, False  # macros decide where it leads
    return _terminal(last)
