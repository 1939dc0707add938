"""Whether what somebody decided about a sender still fits it: what changed since, and what the decision is worth now."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime, timedelta

from portero.core.address import domain_of, neighbourhood
from portero.core.case import judgement_of
from portero.core.decision import Basis, Decision, shape_reasons, spoken
from portero.core.flow import Facts, Flow, merge_facts
from portero.core.sender import DecidedBy, Judgement, Kind, Path, Reason, Ruling, Sender, Validity
from portero.core.text import Text

# Who writes under a few names takes on no other; a list, a forwarder or a follow-me scanner does.
_FEW_NAMES = 3
# Judgement: an order of magnitude is no longer what was decided on; below these floors it is chance.
_FAR = 10
_LEAST_A_WEEK = 10
_LEAST_PEOPLE = 5

# Ways in on which a client address says nothing about who sends.
_ARRANGED = frozenset({Path.CONNECTOR, Path.AUTHENTICATED, Path.INTERNAL})


def ruled(sender: Sender, decision: Decision, now: datetime) -> Sender:
    """
    Give a sender judged as a person decided, as long as the decision has not run out and still fits its behaviour.

    Where it ran out, evidence judges. Where the behaviour changed as an impostor or a taken-over host would change it, the
    sender is undecided: a person vouched for something else, and yet evidence that a person once overruled must not
    accuse on its own.
    """
    basis = decision.basis or _seen_by(sender.flows, decision.decided_at)
    changes = () if basis is None else tuple(_changes(basis, sender, decision))
    standing = Validity.IN_FORCE
    if not decision.holds(now):
        standing = Validity.EXPIRED
    elif changes and decision.judgement is not Judgement.UNDECIDED:
        standing = Validity.REOPENED
    ruling = Ruling(
        judgement=decision.judgement or Judgement.UNDECIDED,
        by=decision.decided_by,
        at=decision.decided_at,
        standing=standing,
        changes=changes if standing is Validity.REOPENED else (),
        note=decision.note,
        expires_on=decision.expires_on,
    )
    if standing is Validity.IN_FORCE:
        made = replace(spoken(sender, decision), ruling=ruling)
        return made if basis is not None else _with(made, [_unseen(decision)])
    sender = replace(sender, ruling=ruling, owner=decision.owner or sender.owner)
    if standing is Validity.EXPIRED:
        return _with(sender, [_expired(decision)])
    odds = sum(each.weight for each in sender.because)
    # The register speaks for itself, whatever becomes of the decision.
    lift = 0.0 if sender.decided_by is DecidedBy.REGISTER else -odds
    said = Text(
        "{person} decided about it on {day}; that no longer carries, for its behaviour changed.",
        person=decision.decided_by,
        day=decision.decided_at.date(),
    )
    made = _with(
        sender, [Reason("reopened", said, lift), *(Reason("reopened", each, 0.0) for each in changes)]
    )
    if sender.decided_by is DecidedBy.REGISTER:
        return made
    judgement, confidence = judgement_of(0.0)
    kind = Kind.UNKNOWN if made.kind is Kind.SPOOFER else made.kind
    return replace(made, judgement=judgement, confidence=confidence, kind=kind)


def basis_of(sender: Sender) -> Basis:
    """Give what is known of a sender's behaviour, to be recorded with a decision about it."""
    basis = _basis(sender.flows, None)
    return replace(basis, recipients=sender.recipients)


def _seen_by(flows: Iterable[Flow], at: datetime) -> Basis | None:
    """Give the behaviour seen until a time, for a decision that recorded none; None where nothing of then is left."""
    before = [flow for flow in flows if flow.facts.first_seen is None or flow.facts.first_seen <= at]
    return _basis(before, at) if before else None


def _basis(flows: Iterable[Flow], until: datetime | None) -> Basis:
    held = list(flows)
    whole = [
        each
        for each in held
        if until is None or (each.facts.last_seen is not None and each.facts.last_seen <= until)
    ]
    return Basis(
        networks=_sorted(neighbourhood(each.key.client_ip) for each in held if each.key.client_ip),
        domains=_sorted(domain for each in held for domain in _domains(each)),
        names=_sorted(_name(each) for each in held),
        passes=_passes(merge_facts(each.facts for each in whole)),
        weekly=_busiest_week(held, until=until.date() if until else None),
        recipients=None,
    )


def _changes(basis: Basis, sender: Sender, decision: Decision) -> Iterable[Text]:
    open_flows = [each for each in sender.flows if not _proven(each)]
    if sender.path not in _ARRANGED:
        places = _sorted(each.key.client_ip for each in open_flows if each.key.client_ip)
        fresh = tuple(each for each in places if basis.networks and neighbourhood(each) not in basis.networks)
        if fresh:
            yield Text("It sends from addresses not seen then: {addresses}.", addresses=fresh[:5])
    domains = tuple(each for each in _sorted(_all_domains(open_flows)) if each not in basis.domains)
    if domains:
        yield Text("It sends under domains not seen then: {domains}.", domains=domains[:5])
    names = tuple(each for each in _sorted(map(_name, open_flows)) if each not in basis.names)
    if names and not domains and len(basis.names) <= _FEW_NAMES:
        yield Text("It writes under names not seen then: {names}.", names=names[:5])
    passes = _passes_since(sender, decision.decided_at)
    if decision.judgement is Judgement.ABUSE:
        if basis.passes is not True and passes:
            yield Text("It passes authentication, which it did not then.")
        return
    if basis.passes and passes is False:
        yield Text("It fails authentication, which it passed then.")
    weekly = _busiest_week(sender.flows, since=decision.decided_at.date())
    if weekly > _FAR * max(basis.weekly, _LEAST_A_WEEK):
        yield Text(
            "It sent {number} mails in one week, and {before} in its busiest week then.",
            number=weekly,
            before=basis.weekly,
        )
    if basis.recipients is not None and sender.recipients > _FAR * max(basis.recipients, _LEAST_PEOPLE):
        yield Text(
            "It reached {number} people, and {before} then.",
            number=sender.recipients,
            before=basis.recipients,
        )


def _proven(flow: Flow) -> bool:
    """Tell whether a way of sending shows what no outsider can arrange: authentication, or a connector that took it."""
    dmarc = flow.facts.dmarc
    passes = bool(dmarc.get("pass") or dmarc.get("bestguesspass")) and not dmarc.get("fail")
    return passes or bool(flow.key.connector) or flow.key.direction == "originating"


def _passes(facts: Facts) -> bool | None:
    """Tell whether mail passes authentication for the domain it shows; None where no witness says."""
    passed = facts.dmarc.get("pass", 0) + facts.dmarc.get("bestguesspass", 0)
    failed = facts.dmarc.get("fail", 0)
    if passed or failed:
        return passed >= 9 * failed
    known = sum(number for result, number in facts.spf.items() if result not in {"none", "temperror"})
    return facts.spf.get("pass", 0) * 10 >= known * 9 if known else None


def _passes_since(sender: Sender, at: datetime) -> bool | None:
    since = [each.facts for each in sender.flows if each.facts.first_seen and each.facts.first_seen > at]
    fresh = _passes(merge_facts(since)) if since else None
    return _passes(sender.facts) if fresh is None else fresh


def _busiest_week(flows: Iterable[Flow], since: date | None = None, until: date | None = None) -> int:
    weeks: dict[date, int] = {}
    for flow in flows:
        for day, number in flow.facts.days.items():
            if (since is None or day > since) and (until is None or day <= until):
                monday = day - timedelta(days=day.weekday())
                weeks[monday] = weeks.get(monday, 0) + number
    return max(weeks.values(), default=0)


def _domains(flow: Flow) -> Iterable[str]:
    return (each for each in (flow.key.mail_from_domain, domain_of(_name(flow))) if each)


def _all_domains(flows: Iterable[Flow]) -> Iterable[str]:
    return (domain for each in flows for domain in _domains(each))


def _name(flow: Flow) -> str:
    return flow.key.header_from or flow.key.sender or ""


def _sorted(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted({each for each in values if each}))


def _unseen(decision: Decision) -> Reason:
    text = Text(
        "What was seen when {person} decided is not in this evidence: whether its behaviour changed since is not known.",
        person=decision.decided_by,
    )
    return Reason("decided-unseen", text, 0.0)


def _expired(decision: Decision) -> Reason:
    text = Text(
        "{person} decided about it until {day}; it is to be decided again, and until then evidence judges.",
        person=decision.decided_by,
        day=decision.expires_on or decision.decided_at.date(),
    )
    return Reason("expired", text, 0.0)


def _with(sender: Sender, reasons: Iterable[Reason]) -> Sender:
    # What people did to its shape comes last, as it does for any other sender.
    shape = shape_reasons(sender)
    rest = tuple(each for each in sender.because if each not in shape)
    return replace(sender, because=(*rest, *reasons, *shape))
