"""A domain's road to p=reject: the steps in RFC 9989's terms, each with its precondition measured from evidence."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from portero.core.address import a_label, is_at_or_below
from portero.core.dns import Dns
from portero.core.exchange.attribution import author_domain
from portero.core.exchange.settings import Settings
from portero.core.flow import OutsideFlow
from portero.core.mail.dmarc import EffectivePolicy, effective_policy
from portero.core.mail.dmarc_discovery import Site
from portero.core.mail.dmarc_record import DmarcRecord, Policy
from portero.core.records import Records
from portero.core.sender import Kind, Sender, by_client_address
from portero.core.text import Text, count

# Reports of a month show what runs once a month. Source: controls catalogue DNS-09.
DAYS_NEEDED = 30


class State(StrEnum):
    """How a milestone stands."""

    DONE = "done"
    OPEN = "open"
    UNKNOWN = "unknown"  # the evidence does not say


@dataclass(frozen=True, slots=True)
class Milestone:
    """
    One precondition or step.

    id:       ``record``, ``reports``, ``month``, ``aligned``, ``signed``, ``quarantine``, ``reject``, ``below``.
    because:  what was measured.
    senders:  mails by the id of the sender in the way; ``""`` stands for nobody known.
    """

    id: str
    title: Text
    state: State
    because: Text
    senders: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Road:
    """
    The road of one domain.

    policy:    what is published for the domain now, or None.
    next:      the record to publish next, or None where nothing may be changed yet or nothing is left to do.
    exposure:  what mailing lists and forwarders do to its mail, said in any case.
    """

    domain: str
    policy: Policy | None
    milestones: tuple[Milestone, ...]
    next: str | None
    exposure: tuple[Text, ...]


@dataclass(frozen=True, slots=True)
class _Counted:
    """Mails under the domain: that pass DMARC by a signature, by SPF alone, fail, or are not known; by sender."""

    signed: Mapping[str, int]
    spf_only: Mapping[str, int]
    failing: Mapping[str, int]
    unknown: Mapping[str, int]


def road(
    dns: Dns, domain: str, senders: Sequence[Sender], outside: Sequence[OutsideFlow], settings: Settings
) -> Road:
    """
    Measure how far a domain is from p=reject.

    senders:  those judged legitimate must pass before the policy may refuse; the others are what it is for.
    outside:  what DMARC reports say of the domain.
    Source: RFC 9989 section 5.1 (what owners do), section 7.4 (mailing lists), tag t.
    """
    name = a_label(domain)
    policy = effective_policy(dns, name)
    rows = [row for row in outside if is_at_or_below(row.header_from, name)]
    counted = _count(name, senders, rows, settings)
    record = policy.own.record
    before = [
        _record(name, policy, record),
        _reports(name, policy, record),
        _month(rows),
        _aligned(counted),
        _signed(counted),
    ]
    steps = [*_policies(name, policy, record), _below(policy)]
    ready = all(each.state is State.DONE for each in before)
    return Road(
        name,
        policy.exact,
        (*before, *steps),
        _next(name, policy, record, ready=ready),
        tuple(_exposure(name, senders, rows)),
    )


def _count(name: str, senders: Sequence[Sender], rows: Iterable[OutsideFlow], settings: Settings) -> _Counted:
    records = Records(settings)
    signed: dict[str, int] = {}
    spf_only: dict[str, int] = {}
    failing: dict[str, int] = {}
    unknown: dict[str, int] = {}

    def add(held: dict[str, int], key: str, mails: int) -> None:
        if mails > 0:
            held[key] = held.get(key, 0) + mails

    place = by_client_address(senders)
    for sender in senders:
        for flow in sender.flows:
            author = author_domain(flow.key)
            if not sender.legitimate or author is None or not is_at_or_below(author, name):
                continue
            # What enters by a connector or is submitted meets no DMARC, so it stands in no policy's way.
            if flow.key.direction == "originating" or flow.key.connector:
                continue
            passed = records.passed(flow)
            held = unknown if passed is None else failing if passed is False else spf_only
            if passed and records.signature_carries(flow):
                held = signed
            add(held, sender.id, flow.facts.mails)
    for row in rows:
        if row.to_us:
            continue
        sender_of_row = place.get(row.source_ip)
        if sender_of_row is not None and not sender_of_row.legitimate:
            continue
        if sender_of_row is None and not (row.aligned_dkim or row.aligned_spf):
            continue  # nobody known, and nothing vouches for it: what a policy is for
        key = sender_of_row.id if sender_of_row is not None else ""
        add(signed, key, row.aligned_dkim)
        add(spf_only, key, min(row.aligned_spf, row.mails - row.aligned_dkim))
        add(failing, key, row.mails - max(row.aligned_dkim, row.aligned_spf))
    return _Counted(signed, spf_only, failing, unknown)


def _record(name: str, policy: EffectivePolicy, record: DmarcRecord | None) -> Milestone:
    title = Text("A DMARC record applies to the domain")
    if record is not None and record.usable:
        because = Text("{record} at _dmarc.{name}", record=record.text, name=policy.own.found_at)
        return Milestone("record", title, State.DONE, because, {})
    if policy.own.site in {Site.UNKNOWN, Site.FAILED}:
        return Milestone("record", title, State.UNKNOWN, Text("The evidence holds no answer for it."), {})
    return Milestone("record", title, State.OPEN, Text("None applies to {domain}.", domain=name), {})


def _reports(name: str, policy: EffectivePolicy, record: DmarcRecord | None) -> Milestone:
    title = Text("Receivers are asked for reports")
    if record is not None and record.rua:
        return Milestone("reports", title, State.DONE, Text("They go to {uris}.", uris=record.rua), {})
    if policy.own.site in {Site.UNKNOWN, Site.FAILED}:
        return Milestone("reports", title, State.UNKNOWN, Text("The evidence holds no answer for it."), {})
    return Milestone(
        "reports", title, State.OPEN, Text("The record of {domain} names no rua.", domain=name), {}
    )


def _month(rows: Sequence[OutsideFlow]) -> Milestone:
    title = Text("Reports of a month are in evidence")
    if not rows:
        because = Text("No DMARC report on the domain is in the evidence.")
        return Milestone("month", title, State.UNKNOWN, because, {})
    first = min(row.first_seen for row in rows)
    last = max(row.last_seen for row in rows)
    days = {day for row in rows for day in row.days} or _days(first.date(), last.date())
    because = count(
        "Reports cover {n} day, from {first} to {last}.",
        "Reports cover {n} days, from {first} to {last}.",
        len(days),
        first=first.date(),
        last=last.date(),
    )
    return Milestone("month", title, State.DONE if len(days) >= DAYS_NEEDED else State.OPEN, because, {})


def _days(first: date, last: date) -> set[date]:
    return {first + timedelta(days=number) for number in range((last - first).days + 1)}


def _aligned(counted: _Counted) -> Milestone:
    title = Text("Mail of every legitimate sender passes DMARC")
    passing = sum(counted.signed.values()) + sum(counted.spf_only.values())
    failing, unknown = sum(counted.failing.values()), sum(counted.unknown.values())
    if not passing + failing + unknown:
        return Milestone("aligned", title, State.UNKNOWN, Text("No such mail is in the evidence."), {})
    because = Text(
        "Messages that pass: {passing}. That fail: {failing}. Not known: {unknown}.",
        passing=passing,
        failing=failing,
        unknown=unknown,
    )
    state = State.OPEN if failing else State.UNKNOWN if unknown else State.DONE
    return Milestone("aligned", title, state, because, counted.failing if failing else counted.unknown)


def _signed(counted: _Counted) -> Milestone:
    title = Text("Every legitimate sender signs with an aligned DKIM domain")
    signed, bare = sum(counted.signed.values()), sum(counted.spf_only.values())
    if not signed + bare:
        return Milestone("signed", title, State.UNKNOWN, Text("No mail that passes is in the evidence."), {})
    because = Text(
        "Messages that pass by a signature: {signed}. By SPF alone, which forwarding breaks: {bare}.",
        signed=signed,
        bare=bare,
    )
    # A sender counts as signing where most of what passes does so by its signature.
    lacking = {name: mails for name, mails in counted.spf_only.items() if mails > counted.signed.get(name, 0)}
    return Milestone("signed", title, State.OPEN if lacking else State.DONE, because, lacking)


def _policies(name: str, policy: EffectivePolicy, record: DmarcRecord | None) -> Iterable[Milestone]:
    applied = record.applied(policy.exact) if record is not None and policy.exact is not None else None
    for wanted in (Policy.QUARANTINE, Policy.REJECT):
        title = (
            Text("Failing mail is quarantined (p=quarantine)")
            if wanted is Policy.QUARANTINE
            else Text("Failing mail is rejected (p=reject)")
        )
        if policy.own.site in {Site.UNKNOWN, Site.FAILED}:
            yield Milestone(
                wanted.value, title, State.UNKNOWN, Text("The evidence holds no answer for it."), {}
            )
            continue
        done = applied is not None and applied.strength >= wanted.strength
        full = record is None or record.percent == 100
        if record is None or policy.exact is None:
            because = Text("No policy applies to {domain}.", domain=name)
        elif record.testing:
            because = Text(
                "{policy} is published as a test (t=y), which asks for one level less.",
                policy=policy.exact.value,
            )
        elif not full:
            because = Text(
                "{policy} is published for {number} % of the mail, which only receivers of RFC 7489 heed.",
                policy=policy.exact.value,
                number=record.percent,
            )
        else:
            because = Text("{policy} is published.", policy=policy.exact.value)
        yield Milestone(wanted.value, title, State.DONE if done and full else State.OPEN, because, {})


def _below(policy: EffectivePolicy) -> Milestone:
    title = Text("Names below the domain are as strict as it is")
    if policy.own.site in {Site.UNKNOWN, Site.FAILED} or policy.below.site in {Site.UNKNOWN, Site.FAILED}:
        return Milestone("below", title, State.UNKNOWN, Text("The evidence holds no answer for it."), {})
    exact = (policy.exact or Policy.NONE).strength
    weaker = [
        each for each in (policy.subdomain, policy.nonexistent) if (each or Policy.NONE).strength < exact
    ]
    because = Text(
        "The domain: {exact}. Names below it: {below}. Names that do not exist: {nonexistent}.",
        exact=(policy.exact or Policy.NONE).value,
        below=(policy.subdomain or Policy.NONE).value,
        nonexistent=(policy.nonexistent or Policy.NONE).value,
    )
    return Milestone("below", title, State.OPEN if weaker else State.DONE, because, {})


def _next(name: str, policy: EffectivePolicy, record: DmarcRecord | None, *, ready: bool) -> str | None:
    """Give the next record: reports first, then one level as a test, then in earnest, each for a month of reports."""
    if policy.own.site in {Site.UNKNOWN, Site.FAILED}:
        return None
    own = record if record is not None and not policy.own.inherited else None
    if record is None or policy.exact is None or not record.rua:
        # Receivers of RFC 7489 ignore a record without p, so it is written out.
        tags = dict(own.tags) if own is not None else {}
        tags = {"p": tags.pop("p", "none"), **tags, "rua": f"mailto:dmarc@{name}"}
        return _text(tags)
    if not ready or (policy.exact is Policy.REJECT and not record.testing and record.percent == 100):
        return None
    kept = {tag: value for tag, value in record.tags if tag not in {"p", "t", "pct", "sp", "np"}}
    if record.testing or record.percent < 100:
        return _text({"p": policy.exact.value, **kept})
    # t=y asks for one level less: quarantine under test changes nothing yet, reject under test quarantines.
    step = Policy.QUARANTINE if policy.exact is Policy.NONE else Policy.REJECT
    return _text({"p": step.value, "t": "y", **kept})


def _text(tags: Mapping[str, str]) -> str:
    return "; ".join(["v=DMARC1", *(f"{tag}={value}" for tag, value in tags.items())])


def _exposure(name: str, senders: Sequence[Sender], rows: Sequence[OutsideFlow]) -> Iterable[Text]:
    forwarders = [each for each in senders if each.kind is Kind.FORWARDER]
    mails = sum(
        flow.facts.mails
        for sender in forwarders
        for flow in sender.flows
        if is_at_or_below(author_domain(flow.key) or "", name)
    )
    if forwarders and mails:
        yield count(
            "{n} message under {domain} came through forwarders or mailing lists: {senders}.",
            "{n} messages under {domain} came through forwarders or mailing lists: {senders}.",
            mails,
            domain=name,
            senders=tuple(each.label for each in forwarders),
        )
    broken = [
        row
        for row in rows
        if row.dkim_domain and is_at_or_below(a_label(row.dkim_domain), name) and not row.aligned_dkim
    ]
    if broken:
        yield count(
            "{n} reported message bore a signature of {domain} that no longer matched: something changed it on its way.",
            "{n} reported messages bore a signature of {domain} that no longer matched: something changed them on their "
            "way.",
            sum(row.mails for row in broken),
            domain=name,
        )
    if not rows:
        yield Text(
            "How much mail of {domain} goes through mailing lists is not in the evidence.", domain=name
        )
    yield Text(
        "Under p=reject, posts by people at {domain} to mailing lists that change them are refused at the lists' readers, and "
        "may get those readers taken off the list. RFC 9989 advises against p=reject for domains whose people post to lists, "
        "unless those write from another domain.",
        domain=name,
    )
