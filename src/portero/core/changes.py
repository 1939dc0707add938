"""What changed between two runs that somebody should know: who is new, what got worse, what can no longer be seen."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from portero.core.audit import Audit
from portero.core.decision import Decision, judgements
from portero.core.finding import Outcome
from portero.core.sender import DecidedBy, Judgement, Sender, Validity
from portero.core.text import Text, count, sentences


class Kind(StrEnum):
    """What sort of change it is, the gravest first."""

    NEW_ABUSE = "new-abuse"
    REOPENED = "reopened"  # the behaviour is no longer what a person decided about
    CONTRADICTED = "contradicted"  # the evidence turned against what a person decided
    WORSE = "worse"  # a check that fails, or warns, and did not
    NEW_SENDER = "new-sender"
    ENDING = "ending"  # a decision that runs out, or has just done so
    UNSEEN = "unseen"  # days, kinds of evidence or answers that were there before and are not now
    SILENT = "silent"  # a legitimate sender of whom nothing was seen any more


@dataclass(frozen=True, slots=True)
class Change:
    """
    One change.

    what:             a sentence.
    sender, finding:  the id of what it is about, or None.
    """

    kind: Kind
    what: Text
    sender: str | None = None
    finding: str | None = None


# A decision is announced as ending for so many days before its last one, and as ended for so many after it.
NOTICE_DAYS = 14
ENDED_DAYS = 30
# A pass that becomes unknown is no failure, but nobody can see it any more.
_GRAVITY = {Outcome.PASS: 0, Outcome.NOT_APPLICABLE: 0, Outcome.UNKNOWN: 0, Outcome.WARN: 1, Outcome.FAIL: 2}


def changes(before: Audit, after: Audit, was: Iterable[Sender], now: Iterable[Sender]) -> tuple[Change, ...]:
    """
    Compare two runs, gravest first.

    before, after:  the audits, with what people decided.
    was, now:       the senders of each as the evidence alone judges them.
    """
    found = [
        *_senders(before, after),
        *_contradicted(after, _judged(was), _judged(now)),
        *_findings(before, after),
        *_unseen(before, after),
    ]
    order = tuple(Kind)
    return tuple(sorted(found, key=lambda each: order.index(each.kind)))


def reopenings(senders: Iterable[Sender]) -> tuple[Change, ...]:
    """Give the decisions that no longer carry because the sender behaves otherwise, until somebody decides again."""
    found = []
    for each in sorted(senders, key=lambda sender: (-sender.mails, sender.id)):
        ruling = each.ruling
        if ruling is None or ruling.standing is not Validity.REOPENED:
            continue
        text = Text(
            "{sender} is to be decided again: {person} decided about it on {day}, and its behaviour changed. {changes}",
            sender=each.label,
            person=ruling.by,
            day=ruling.at.date(),
            changes=sentences(ruling.changes),
        )
        found.append(Change(Kind.REOPENED, text, each.id))
    return tuple(found)


def endings(decisions: Iterable[Decision], labels: Mapping[str, Text], today: date) -> tuple[Change, ...]:
    """Give the decisions that run out within `NOTICE_DAYS` or did within `ENDED_DAYS`, the earliest first."""
    dated = sorted((each.expires_on, each.sender) for each in decisions if each.expires_on is not None)
    found = []
    for day, sender in dated:
        if not -ENDED_DAYS <= (day - today).days <= NOTICE_DAYS:
            continue
        label = labels.get(sender, sender)
        text = (
            Text(
                "The decision about {sender} ended on {day}; the evidence judges it again.",
                sender=label,
                day=day,
            )
            if day < today
            else Text("The decision about {sender} holds until {day} and no longer.", sender=label, day=day)
        )
        found.append(Change(Kind.ENDING, text, sender))
    return tuple(found)


def _senders(before: Audit, after: Audit) -> Iterator[Change]:
    old = {each.id: each for each in before.senders}
    for each in sorted(after.senders, key=lambda sender: (-sender.mails, sender.id)):
        held = old.pop(each.id, None)
        by_evidence = each.decided_by is not DecidedBy.PERSON
        if (
            by_evidence
            and each.judgement is Judgement.ABUSE
            and (held is None or held.judgement is not Judgement.ABUSE)
        ):
            text = (
                count("{sender} is new and judged abuse: {n} message.",
                      "{sender} is new and judged abuse: {n} messages.", each.mails, sender=each.label)
                if held is None
                else count("{sender} is judged abuse now: {n} message.",
                           "{sender} is judged abuse now: {n} messages.", each.mails, sender=each.label)
            )  # fmt: skip
            yield Change(Kind.NEW_ABUSE, text, each.id)
        elif held is None:
            yield Change(
                Kind.NEW_SENDER,
                count(
                    "{sender} was not in the run before: {n} message.",
                    "{sender} was not in the run before: {n} messages.",
                    each.mails,
                    sender=each.label,
                ),
                each.id,
            )
    if before.last is None or after.last is None or after.last <= before.last:
        return
    for each in sorted(old.values(), key=lambda sender: (-sender.mails, sender.id)):
        if each.judgement is Judgement.LEGITIMATE:
            yield Change(Kind.SILENT, Text("Nothing of {sender} was seen any more.", sender=each.label))


def _judged(senders: Iterable[Sender]) -> Mapping[str, Judgement]:
    return {each.id: each.judgement for each in senders}


def _contradicted(
    after: Audit, was: Mapping[str, Judgement], now: Mapping[str, Judgement]
) -> Iterator[Change]:
    """Give who was decided one way while the evidence, which did not say so before, speaks for the other."""
    against = {Judgement.LEGITIMATE: Judgement.ABUSE, Judgement.ABUSE: Judgement.LEGITIMATE}
    labels = {each.id: each.label for each in after.senders}
    for each in judgements(after.decisions).values():
        turned = against.get(each.judgement) if each.judgement else None
        if turned is None or each.sender not in labels:
            continue
        if now.get(each.sender) is turned and was.get(each.sender) is not turned:
            label = labels[each.sender]
            text = (
                Text(
                    "{sender} was decided to be legitimate, and the evidence now speaks for abuse.",
                    sender=label,
                )
                if turned is Judgement.ABUSE
                else Text(
                    "{sender} was decided to be abuse, and the evidence now speaks for the sender.",
                    sender=label,
                )
            )
            yield Change(Kind.CONTRADICTED, text, each.sender)


def _findings(before: Audit, after: Audit) -> Iterator[Change]:
    old = {each.id: each.outcome for each in before.findings}
    for each in after.findings:
        was = old.get(each.id)
        if was is None:
            continue
        if _GRAVITY[each.outcome] > _GRAVITY[was]:
            yield Change(
                Kind.WORSE,
                Text("{id} is {outcome} now and was {before}: {title}", id=each.id, outcome=each.outcome, before=was, title=each.title),
                finding=each.id,
            )  # fmt: skip
        elif each.outcome is Outcome.UNKNOWN and was in {Outcome.PASS, Outcome.WARN, Outcome.FAIL}:
            yield Change(
                Kind.UNSEEN,
                Text("{id} can no longer be answered and was {before}: {title}", id=each.id, before=was, title=each.title),
                finding=each.id,
            )  # fmt: skip


def _unseen(before: Audit, after: Audit) -> Iterator[Change]:
    if before.last is not None and after.first is not None:
        missed = (after.first.date() - before.last.date()).days - 1
        if missed > 0:
            yield Change(
                Kind.UNSEEN,
                count(
                    "Nobody has seen the mail of {n} day, between {first} and {last}.",
                    "Nobody has seen the mail of {n} days, between {first} and {last}.",
                    missed,
                    first=before.last.date(),
                    last=after.first.date(),
                ),
            )
    held = {each.kind for each in after.coverage if each.rows}
    for kind in sorted({each.kind for each in before.coverage if each.rows} - held):
        yield Change(
            Kind.UNSEEN, Text("Evidence of the kind {kind} was there before and is not now.", kind=kind)
        )
