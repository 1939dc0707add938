"""Senders as people shaped, named and judged them, and new decisions tried on them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from portero.app.evidence import Evidence, Inventory
from portero.app.inventory import context_of, named
from portero.core.decision import Decision, shape_reasons
from portero.core.flow import Flow
from portero.core.reopening import basis_of
from portero.core.sender import Sender
from portero.core.senders import join_senders, judge_apart
from portero.core.shaping import Workshop, with_decisions
from portero.core.text import Text
from portero.errors import ConfigError


def decided(
    evidence: Evidence, held: Inventory, decisions: Iterable[Decision], now: datetime
) -> tuple[Sender, ...]:
    """
    Give the senders that were found as people shaped, named and judged them.

    decisions:  in the order in which they came to be.
    """

    def workshop() -> Workshop:
        context = context_of(evidence, held.settings, held.window, held.outside, held.mailboxes, held.ties)

        def judge(parts: Mapping[str, Sequence[Flow]]) -> Mapping[str, Sender]:
            made = judge_apart(parts, held.senders, held.outside, context) if parts else {}
            return {each.id: each for each in named(tuple(made.values()), evidence, held.ties)}

        def join(identity: str, senders: Sequence[Sender]) -> Sender:
            return named((join_senders(identity, senders, held.outside, context),), evidence, held.ties)[0]

        return Workshop(judge, join)

    return with_decisions(held.senders, decisions, now, workshop)


def try_decisions(
    evidence: Evidence,
    held: Inventory,
    past: Sequence[Decision],
    new: Sequence[Decision],
    now: datetime,
) -> tuple[tuple[Decision, ...], tuple[Text, ...]]:
    """
    Give new acts with the behaviour they rest on, and say what becomes of the shape of senders by them.

    past:  acts before them.
    Raises ConfigError for an act about a sender that the evidence does not hold.
    """
    before = {each.id: each for each in decided(evidence, held, past, now)}
    known = {*before, *(each.id for each in held.senders), *(each.part for each in new if each.split)}
    wanted = dict.fromkeys(each for line in new for each in (line.sender, *line.merge))
    absent = tuple(
        Text("The evidence holds no sender {sender}.", sender=each) for each in wanted if each not in known
    )
    if absent:
        raise ConfigError(absent)
    said = {reason.text for each in before.values() for reason in shape_reasons(each)}
    after = decided(evidence, held, (*past, *new), now)
    shaped = {each.id: each for each in after}
    lines = tuple(
        replace(line, basis=basis_of(shaped[line.sender]))
        if line.judgement is not None and line.sender in shaped
        else line
        for line in new
    )
    return lines, tuple(
        Text("{sender} ({label}): {reason}", sender=each.id, label=each.label, reason=reason.text)
        for each in after
        for reason in shape_reasons(each)
        if reason.text not in said
    )
