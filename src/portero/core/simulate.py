"""Replay: every flow put to the settings a control would leave, one gate after the other as the service does."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property, lru_cache
from operator import attrgetter
from typing import TypeVar

from portero.core.controls import Control, apply_controls
from portero.core.exchange.attribution import (
    Attribution,
    By,
    Seen,
    attribute,
    author_domain,
    envelope_domain,
    seen_connectors,
)
from portero.core.exchange.author_policy import dmarc_policy
from portero.core.exchange.decision import Decision, kept, undetermined
from portero.core.exchange.direct_send import reject_direct_send
from portero.core.exchange.own_name_rule import own_name_rule, rule_changes
from portero.core.exchange.partner import partner_restriction
from portero.core.exchange.settings import Settings
from portero.core.exchange.spoof_pairs import allowed_pair, blocked_pair, pair_changes
from portero.core.exchange.submission import submission
from portero.core.flow import Flow, OutsideFlow
from portero.core.records import Records, Replayed
from portero.core.sender import Kind, Sender, by_client_address
from portero.core.simulation import Command, Effect, SenderEffect, Simulation, Turn
from portero.core.text import Text
from portero.core.ways_in import must_keep


def decide(flow: Flow, settings: Settings, seen: Seen) -> Decision:
    """
    Decide what becomes of a flow's mail under settings.

    The gates stand in the order of the protocol: submission, Partner restriction, RejectDirectSend, DMARC, spoof pairs,
    mail flow rules. A refusal at any gate is a refusal; otherwise a doubt at any gate is a doubt.
    """
    records = Records(settings)
    attribution = attribute(records.moved(flow), settings, seen)
    return _Gates(settings, records).decide(flow, attribution, _replay(records, flow, attribution))


def _replay(records: Records, flow: Flow, attribution: Attribution) -> Replayed | None:
    """Say what changed records make of the mail; None where no record is changed."""
    if not records.changed:
        return None
    return records.replay(flow, signed_by_exchange=attribution.by is By.SUBMITTED)


class _Gates:
    """The gates under some settings; what these leave open to everybody is asked of no flow."""

    def __init__(self, settings: Settings, records: Records) -> None:
        self._settings, self._records = settings, records
        self._submission = settings.smtp_auth_off_for is not None or settings.smtp_basic_off
        # The locks that stand matter again for what a removed connector used to take.
        self._standing = bool(settings.removed)
        self._partner = any(held.presumed or self._standing for held in settings.locks)
        self._author = bool(settings.policies) or records.changed
        self._enforced = settings.mail_rule is not None and settings.mail_rule.enforced

    def decide_alike(
        self,
        flows: Sequence[Flow],
        alike: Sequence[int],
        attributed: Sequence[Attribution],
        known: dict[Decision, Decision],
    ) -> list[Decision]:
        """
        Decide about many flows under unchanged records, of those that are alike and attributed alike only once.

        alike:  the same number for flows that `_alike` gives the same of.
        known:  every decision so far, by itself; of equal ones the first is given.
        """
        by_domains = not (self._partner or self._enforced or self._settings.spoof_pairs)
        decided: dict[tuple[int, int], Decision] = {}
        decisions = []
        for flow, number, attribution in zip(flows, alike, attributed, strict=True):
            mark = number, id(attribution)
            decision = decided.get(mark)
            if decision is None:
                made = self.decide(flow, attribution, None)
                decision = known.setdefault(made, made)
                # Submission is asked by mailbox and address.
                if by_domains and not (self._submission and attribution.by in {By.SUBMITTED, By.UNKNOWN}):
                    decided[mark] = decision
            decisions.append(decision)
        return decisions

    def decide(self, flow: Flow, attribution: Attribution, replayed: Replayed | None) -> Decision:
        """Decide about a flow, given what changed records make of it."""
        settings, records = self._settings, self._records
        key = records.moved(flow).key
        asked: list[Decision | None] = []
        if self._submission:
            asked.append(submission(key, attribution, settings))
        if self._partner:
            asked.append(partner_restriction(key, attribution, settings, standing=self._standing))
        if settings.reject_direct_send:
            asked.append(reject_direct_send(key, attribution, settings))
        policy = None
        if self._author:
            policy = _by_author_policy(flow, attribution, settings, records, replayed)
        if settings.spoof_pairs:
            moved = records.moved(flow)
            if policy is not None and policy.effect is Effect.REFUSED:
                policy = allowed_pair(moved, attribution, settings) or policy
            passes = records.passed(flow) if replayed is None else replayed.passes
            asked += [policy, blocked_pair(moved, attribution, settings, passes)]
        else:
            asked.append(policy)
        if self._enforced:
            asked.append(own_name_rule(key, attribution, settings))
        answers = [answer for answer in asked if answer is not None]
        for effect in (Effect.REFUSED, Effect.UNDETERMINED):
            for answer in answers:
                if answer.effect is effect:
                    return answer
        return answers[0] if answers else _unconcerned(attribution.why)


def _alike(flow: Flow) -> Hashable:
    """Give all that RejectDirectSend and DMARC look at in a flow besides its attribution; most campaigns share it."""
    key, facts = flow.key, flow.facts
    return (
        envelope_domain(key),
        author_domain(key),
        key.header_from is None,
        bool(key.connector),
        # The null reverse-path stands for the EHLO.
        None if key.mail_from_domain else key.ehlo,
        tuple(facts.spf),
        tuple(facts.dmarc),
        tuple(facts.dkim.items()),
        tuple(facts.dkim_domains.items()),
    )


def _by_author_policy(
    flow: Flow,
    attribution: Attribution,
    settings: Settings,
    records: Records,
    replayed: Replayed | None,
) -> Decision | None:
    """Put a flow to DMARC where a control publishes a policy for it, or changes what its records say of it."""
    author = author_domain(flow.key)
    if author is None:
        return None
    simulated = records.simulated_policy(author) is not None
    if not simulated and (replayed is None or not replayed.changed):
        return None
    policy = records.policy(author)
    if simulated and policy == "none":
        return None
    passes = records.passed(flow) if replayed is None else replayed.passes
    return dmarc_policy(flow.key, attribution, settings, policy, passes)


@lru_cache(maxsize=1024)
def _unconcerned(why: Text) -> Decision:
    return kept(Text("None of the controls concerns it. {why}", why=why))


def most_refused_first(effects: Iterable[SenderEffect]) -> list[SenderEffect]:
    """Give effects in the order of a `Simulation`; by two sorts without a function of ours in them, a third of the time."""
    by_sender = sorted(effects, key=attrgetter("sender"))
    return sorted(by_sender, key=attrgetter("refused", "undetermined", "kept"), reverse=True)


def simulate(
    senders: Sequence[Sender],
    settings: Settings,
    controls: Sequence[Control],
    outside: Sequence[OutsideFlow] = (),
) -> Simulation:
    """Replay controls together on the recorded mail of senders; see `Replay`."""
    return Replay(senders, settings, outside).of(controls)


class Replay:
    """
    The recorded mail of senders, put to one set of controls after another.

    settings:  as they are now; the controls change them before the replay.
    outside:   mail that other people's receivers reported, on which changed records tell too.
    What controls leave as it is, is worked out once: which connectors were seen, who uses foreign envelopes, and as
    long as the ways in stay the same, how each flow is attributed. A set of controls asked again is not replayed again.
    """

    def __init__(
        self, senders: Sequence[Sender], settings: Settings, outside: Sequence[OutsideFlow] = ()
    ) -> None:
        self.senders, self.settings = tuple(senders), settings
        self._outside = outside
        self._flows = tuple(flow for sender in self.senders for flow in sender.flows)
        self._seen = seen_connectors(self._flows)
        self._foreign = foreign_envelopes(self.senders, settings)
        numbers: dict[Hashable, int] = {}
        self._alike = [numbers.setdefault(_alike(flow), len(numbers)) for flow in self._flows]
        self._answers: dict[tuple[str, ...], Simulation] = {}
        self._decided: dict[tuple[str, ...], _Decided] = {}
        # How each sender fared so far, by which decisions: most fare under the next set of controls as under another one
        # before. Of equal decisions one is kept, so that they are told apart by what they are and not by what they say.
        self._fates: list[dict[Hashable, SenderEffect]] = [{} for _ in self.senders]
        self._known: dict[Decision, Decision] = {}
        self._ways_in: object = None
        self._attributed: list[Attribution] = []

    @cached_property
    def to_keep(self) -> Mapping[str, Sender]:
        """Give, by id and in order, the senders of which no step may refuse mail."""
        return {sender.id: sender for sender in self.senders if must_keep(sender)}

    def of(self, controls: Sequence[Control]) -> Simulation:
        """Replay controls together, in unique mails."""
        texts = tuple(control.text for control in controls)
        if texts not in self._answers:
            self._answers[texts] = self._replayed(texts, self._decide(controls))
        return self._answers[texts]

    def fates(self, sender: Sender, controls: Sequence[Control]) -> tuple[tuple[Flow, Decision], ...]:
        """Give what becomes of each of a sender's flows under controls together; the mails add up to its `of`."""
        changed = apply_controls(self.settings, tuple(controls))
        records = Records(changed)
        gates, found = _Gates(changed, records), []
        for flow in sender.flows:
            attribution = attribute(records.moved(flow), changed, self._seen)
            replayed = _replay(records, flow, attribution) if records.changed else None
            decision = gates.decide(flow, attribution, replayed)
            if decision.effect is Effect.REFUSED and self._foreign.cover(sender, flow):
                decision = _PERHAPS_FOREIGN
            found.append((flow, decision))
        return tuple(found)

    def decisions(self, controls: Sequence[Control]) -> Iterator[tuple[Sender, Sequence[Decision]]]:
        """Give each sender with what controls together do to each of its flows, in their order."""
        decisions, start = self._decide(controls).decisions, 0
        for sender in self.senders:
            end = start + len(sender.flows)
            yield sender, decisions[start:end]
            start = end

    def flows(self) -> Iterator[tuple[Sender, Flow]]:
        """Give each flow with its sender, in their order."""
        return ((sender, flow) for sender in self.senders for flow in sender.flows)

    def refusals(self, controls: Sequence[Control]) -> Iterator[bool]:
        """Tell of each of the `flows` whether controls together surely refuse it."""
        for (sender, flow), decision in zip(self.flows(), self._decide(controls).decisions, strict=True):
            yield self.surely_refused(sender, flow, decision)

    def surely_refused(self, sender: Sender, flow: Flow, decision: Decision) -> bool:
        """Tell whether a decision about a flow refuses it, and no doubt about what a summary shows stands against it."""
        return decision.effect is Effect.REFUSED and not self._foreign.cover(sender, flow)

    def _decide(self, controls: Sequence[Control]) -> _Decided:
        texts = tuple(control.text for control in controls)
        if texts not in self._decided:
            changed = apply_controls(self.settings, tuple(controls))
            records = Records(changed)
            attributed = self._attribute(changed, records)
            replayed = (
                [_replay(records, *each) for each in zip(self._flows, attributed, strict=True)]
                if records.changed
                else []
            )
            gates = _Gates(changed, records)
            decisions = (
                list(map(gates.decide, self._flows, attributed, replayed))
                if records.changed
                else gates.decide_alike(self._flows, self._alike, attributed, self._known)
            )
            rule = changed.mail_rule
            caught = (
                [
                    own_name_rule(records.moved(flow).key, attribution, changed)
                    for flow, attribution in zip(self._flows, attributed, strict=True)
                ]
                if rule is not None and not rule.enforced
                else []
            )
            self._decided[texts] = _Decided(changed, records, decisions, replayed, caught)
        return self._decided[texts]

    def _replayed(self, texts: tuple[str, ...], decided: _Decided) -> Simulation:
        start, effects = 0, []
        records_or_rule = bool(decided.replayed or decided.caught)
        for sender, fates in zip(self.senders, self._fates, strict=True):
            end = start + len(sender.flows)
            mine = decided.decisions[start:end]
            if records_or_rule:
                alone = _sender_effect(sender, mine, decided.replayed[start:end], self._foreign)
                effects.append(_with_caught(alone, sender, decided.caught[start:end]))
            else:
                effects.append(self._fate(sender, mine, fates))
            start = end
        effects = most_refused_first(effects)
        changed = decided.records.changed
        elsewhere = _elsewhere(self.senders, self._outside, decided.records) if changed else ()
        commands = tuple(
            Command(each.do, each.verify, each.undo)
            for each in (*rule_changes(decided.settings), *pair_changes(decided.settings))
        )
        return Simulation(texts, tuple(effects), elsewhere, bool(decided.caught), commands)

    def _fate(
        self, sender: Sender, decisions: Sequence[Decision], fates: dict[Hashable, SenderEffect]
    ) -> SenderEffect:
        which = id(decisions[0]) if len(decisions) == 1 else tuple(map(id, decisions))
        found = fates.get(which)
        if found is None:
            found = fates[which] = _sender_effect(sender, decisions, (), self._foreign)
        return found

    def _attribute(self, changed: Settings, records: Records) -> list[Attribution]:
        """Attribute every flow; the last answer serves again while the ways in are the same."""
        ways_in = (changed.added, changed.removed, changed.moves)
        if ways_in != self._ways_in:
            self._attributed = [attribute(records.moved(flow), changed, self._seen) for flow in self._flows]
            self._ways_in = ways_in
        return self._attributed


@dataclass(frozen=True, slots=True)
class _Decided:
    """
    What a set of controls does to each flow.

    replayed:  what changed records make of it; empty where none is changed.
    caught:    what a rule in audit mode finds; empty without one.
    """

    settings: Settings
    records: Records
    decisions: list[Decision]
    replayed: list[Replayed | None]
    caught: list[Decision | None]


def _with_caught(effect: SenderEffect, sender: Sender, found: Sequence[Decision | None]) -> SenderEffect:
    counted = {Effect.REFUSED: 0, Effect.UNDETERMINED: 0, Effect.KEPT: 0}
    for flow, decision in zip(sender.flows, found, strict=False):
        if decision is not None:
            counted[decision.effect] += flow.facts.mails
    return replace(effect, caught=counted[Effect.REFUSED], perhaps_caught=counted[Effect.UNDETERMINED])


def _elsewhere(
    senders: Sequence[Sender], outside: Sequence[OutsideFlow], records: Records
) -> tuple[tuple[str, tuple[Turn, ...]], ...]:
    """Give what changed records turn at other people's receivers, by sender; ``""`` stands for nobody known."""
    place = by_client_address(senders)
    counted: dict[str, Counter[tuple[str, str, str]]] = {}
    for row in outside:
        if not row.to_us and row.mails > 0:
            known = place.get(row.source_ip)
            held = counted.setdefault(known.id if known else "", Counter())
            held.update(records.replay_reported(row))
    return tuple((sender, _turns(held)) for sender, held in sorted(counted.items()))


@dataclass(frozen=True, slots=True)
class ForeignEnvelopes:
    """
    Who is known to write with a foreign P1 and an own P2: kinds of senders, and names.

    Where DMARC reports give the envelope domains of the same address and domain, they are believed instead.
    A summary that shows an own sender address for another of that kind, or for that name, may be showing its P2.
    Source: contract section 4, the sender column of a trace summary.
    """

    settings: Settings
    kinds: frozenset[Kind]
    names: frozenset[str]
    # Answers by sender, so that a sender of many flows is not looked through for each of them.
    _of_senders: dict[str, tuple[bool | None, bool]] = field(default_factory=dict, compare=False, repr=False)

    def cover(self, sender: Sender, flow: Flow) -> bool:
        """Tell whether a flow that only a summary saw may have a foreign P1 too."""
        if flow.key.header_from is not None or not envelope_domain(flow.key)[1]:
            return False
        if sender.id not in self._of_senders:
            self._of_senders[sender.id] = self._of(sender)
        known, kind = self._of_senders[sender.id]
        if known is not None:
            # Other witnesses saw this very sender's P1.
            return known
        if flow.facts.envelopes:
            return any(self.settings.accepted(domain) is False for domain in flow.facts.envelopes)
        return kind or flow.key.sender in self.names

    def _of(self, sender: Sender) -> tuple[bool | None, bool]:
        """Tell whether a sender is known to have a foreign P1, None if nobody knows; and whether its kind may."""
        known = {
            self.settings.accepted(item.key.mail_from_domain)
            for item in sender.flows
            if item.key.mail_from_domain and item.key.header_from is not None
        }
        kind = sender.kind in self.kinds or (Kind.SERVICE in self.kinds and _several_hosts(sender))
        return (False in known if known else None), kind


def _several_hosts(sender: Sender) -> bool:
    """
    Tell whether a sender uses several addresses on the same days, as services do and one moving host does not.

    A summary cannot show that it is a service, and so it may be called an application.
    """
    places: dict[str, set[date]] = {}
    for flow in sender.flows:
        if flow.key.client_ip:
            places.setdefault(flow.key.client_ip, set()).update(flow.facts.days)
    days = set[date]().union(*places.values())
    return sum(len(held) for held in places.values()) - len(days) > len(places)


def foreign_envelopes(senders: Sequence[Sender], settings: Settings) -> ForeignEnvelopes:
    """Collect who is known to write with a foreign P1 and an own P2."""
    known = [
        (sender.kind, flow.key.header_from)
        for sender in senders
        for flow in sender.flows
        if flow.key.mail_from_domain
        and flow.key.header_from is not None
        and settings.accepted(flow.key.mail_from_domain) is False
    ]
    # Of the same name at another address reports may know the envelope that a summary here leaves open.
    reported = (
        flow.key.header_from or flow.key.sender
        for sender in senders
        for flow in sender.flows
        if any(settings.accepted(domain) is False for domain in flow.facts.envelopes)
    )
    names = {name for _, name in known} | {name for name in reported if name}
    return ForeignEnvelopes(settings, frozenset(kind for kind, _ in known), frozenset(names))


def _sender_effect(
    sender: Sender,
    decisions: Sequence[Decision],
    replayed: Sequence[Replayed | None],
    foreign: ForeignEnvelopes,
) -> SenderEffect:
    if len(decisions) == 1 and not replayed and (mails := sender.flows[0].facts.mails):
        return _only_effect(sender, decisions[0], mails, foreign)
    counted = {Effect.REFUSED: 0, Effect.UNDETERMINED: 0, Effect.KEPT: 0}
    reply: str | None = None
    answers: list[tuple[Decision, int]] = []
    for flow, decision in zip(sender.flows, decisions, strict=True):
        answer, mails = decision, flow.facts.mails
        if decision.effect is Effect.REFUSED and foreign.cover(sender, flow):
            answer = _PERHAPS_FOREIGN
        counted[answer.effect] += mails
        answers.append((answer, mails))
        reply = answer.reply or reply
    present = [effect for effect, mails in counted.items() if mails]
    effect = present[0] if len(present) == 1 else Effect.MIXED if present else Effect.UNDETERMINED
    return SenderEffect(
        sender=sender.id,
        effect=effect,
        refused=counted[Effect.REFUSED],
        kept=counted[Effect.KEPT],
        undetermined=counted[Effect.UNDETERMINED],
        judgement=sender.judgement,
        reply=reply,
        because=_leading(answers, present[0] if present else Effect.UNDETERMINED),
        turns=_turned(sender, replayed) if replayed else (),
    )


def _only_effect(sender: Sender, decision: Decision, mails: int, foreign: ForeignEnvelopes) -> SenderEffect:
    """Give the effect on a sender of one flow, as most of an attack are."""
    if decision.effect is Effect.REFUSED and foreign.cover(sender, sender.flows[0]):
        decision = _PERHAPS_FOREIGN
    effect = decision.effect
    return SenderEffect(
        sender.id,
        effect,
        mails if effect is Effect.REFUSED else 0,
        mails if effect is Effect.KEPT else 0,
        mails if effect is Effect.UNDETERMINED else 0,
        sender.judgement,
        decision.reply or None,
        decision.why,
    )


_PERHAPS_FOREIGN = undetermined(
    Text(
        "Only a trace summary saw it, and its sender column may be the visible From: others of its kind "
        "use a foreign envelope sender."
    )
)


def _turned(sender: Sender, replayed: Sequence[Replayed | None]) -> tuple[Turn, ...]:
    counted: dict[tuple[str, str, str], int] = {}
    for flow, found in zip(sender.flows, replayed, strict=True):
        if found is not None:
            for before, number in found.spf.items():
                _more(counted, ("spf", before, found.spf_after or before), number)
            _more(counted, ("dmarc", found.dmarc, found.dmarc_after), flow.facts.mails)
    return _turns(counted)


_Counted = TypeVar("_Counted", bound=Hashable)


def _more(counted: dict[_Counted, int], what: _Counted, mails: int) -> None:
    # A Counter takes several times as long to make, and there is one for every sender of every replay.
    counted[what] = counted.get(what, 0) + mails


def _leading(answers: Sequence[tuple[Decision, int]], effect: Effect) -> Text:
    """Give the reason behind most mail of an effect; of several behind as many, the last by the alphabet."""
    if len(answers) == 1 and answers[0][0].effect is effect:
        return answers[0][0].why
    reasons: dict[Text, int] = {}
    for answer, mails in answers:
        if answer.effect is effect:
            _more(reasons, answer.why, mails)
    if len(reasons) == 1:
        return next(iter(reasons))
    if not reasons:
        return Text("No mail of it reached this tenant within the evidence.")
    most = max(reasons.values())
    return max((why for why, number in reasons.items() if number == most), key=str)


def _turns(counted: Mapping[tuple[str, str, str], int]) -> tuple[Turn, ...]:
    # SPF before DMARC, most mail first.
    order = sorted(counted.items(), key=lambda item: (item[0][0] == "dmarc", -item[1], item[0]))
    return tuple(Turn(*which, mails) for which, mails in order if mails)
