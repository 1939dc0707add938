"""A person's shape of the inventory: senders joined, set apart, named and judged as the record of decisions says."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from portero.core.decision import Act, Decision, described, effective, shown
from portero.core.flow import Flow
from portero.core.reopening import ruled
from portero.core.sender import DecidedBy, Judgement, Reason, Sender
from portero.core.text import Text


@dataclass(frozen=True, slots=True)
class Workshop:
    """
    What makes senders of mail that people part or put together.

    judge:  judges mail that was set apart, by id, on its own evidence beside the senders it was found among.
    join:   gives one sender of several under an id, judged as the one of them that most speaks against it.
    """

    judge: Callable[[Mapping[str, Sequence[Flow]]], Mapping[str, Sender]]
    join: Callable[[str, Sequence[Sender]], Sender]


@dataclass
class _Part:
    """
    Mail that is one sender until people join it to others.

    cut:   whether it lost mail to another part or was made of what others lost, so that it must be judged anew.
    """

    id: str
    sender: Sender
    flows: tuple[Flow, ...]
    cut: bool = False
    notes: list[Reason] = field(default_factory=list)


def with_decisions(
    senders: Iterable[Sender],
    decisions: Iterable[Decision],
    now: datetime,
    workshop: Callable[[], Workshop] | None = None,
) -> tuple[Sender, ...]:
    """
    Give the senders shaped, named and judged as people decided; what nobody decided, or no longer, stays as evidence has it.

    decisions:  in the order in which they came to be.
    now:        the time of the audit, aware UTC.
    workshop:   asked for only where people changed the shape; without it their judgements and names alone count.
    """
    lines = effective(decisions)
    held = tuple(senders)
    words = {each.sender: each for each in lines if each.act is Act.JUDGE}
    names: dict[str, list[Decision]] = {}
    for each in lines:
        if each.act in {Act.DESCRIBE, Act.JUDGE}:
            names.setdefault(each.sender, []).append(each)
    shapes = [each for each in lines if each.act in {Act.MERGE, Act.SPLIT}]
    if workshop is None or not shapes:
        judged = (ruled(each, words[each.id], now) if each.id in words else each for each in held)
        return tuple(described(each, names.get(each.id, ())) for each in judged)
    made = _shaped(held, shapes, words, now, workshop())
    named = (described(each, names.get(each.id, ())) for each in made)
    return tuple(sorted(named, key=lambda each: (-each.mails, each.id)))


class _Groups:
    """Which ids are one sender, and when and by whom each was joined."""

    def __init__(self) -> None:
        self._joined: dict[str, tuple[str, Decision]] = {}

    def of(self, identity: str) -> str:
        while identity in self._joined:
            identity = self._joined[identity][0]
        return identity

    def join(self, line: Decision) -> None:
        whole = self.of(line.sender)
        for each in map(self.of, line.merge):
            if each != whole:
                self._joined[each] = whole, line

    def lines(self, identity: str) -> Iterable[Decision]:
        """Give the acts that brought an id where it is, the last one last."""
        while identity in self._joined:
            identity, line = self._joined[identity]
            yield line


def _shaped(
    senders: Sequence[Sender],
    shapes: Sequence[Decision],
    words: Mapping[str, Decision],
    now: datetime,
    shop: Workshop,
) -> list[Sender]:
    parts = {each.id: _Part(each.id, each, each.flows) for each in senders}
    groups = _Groups()
    for line in shapes:
        if line.act is Act.MERGE:
            groups.join(line)
        else:
            _set_apart(parts, groups, line)
    fresh = shop.judge({each.id: each.flows for each in parts.values() if each.cut})
    together: dict[str, list[_Part]] = {}
    for part in parts.values():
        part.sender = _with(fresh.get(part.id, part.sender), part.notes)
        together.setdefault(groups.of(part.id), []).append(part)
    found: list[Sender] = []
    for whole, members in together.items():
        found += _as_one(whole, members, groups, words, now, shop)
    return found


def _set_apart(parts: dict[str, _Part], groups: _Groups, line: Decision) -> None:
    """Take the mail that a split names out of the parts of its sender; a part of its own unless it is none or all."""
    assert line.split is not None  # noqa: S101 - the record was read with one
    whole = groups.of(line.sender)
    members = [each for each in parts.values() if groups.of(each.id) == whole]
    if not members:
        return
    taken = {
        each.id: tuple(flow for flow in each.flows if line.split.matches(flow.key))
        for each in members
        if each.sender.decided_by is not DecidedBy.REGISTER
    }
    number = sum(map(len, taken.values()))
    person, day, what = line.decided_by, line.decided_at.date(), shown(line.split)
    if not number or number == sum(len(each.flows) for each in members):
        text = (
            Text(
                "{person} set {what} apart on {day}; all of its mail here shows that.",
                person=person,
                what=what,
                day=day,
            )
            if number
            else Text(
                "{person} set {what} apart on {day}; none of its mail here shows that.",
                person=person,
                what=what,
                day=day,
            )
        )
        for each in members:
            each.notes.append(Reason("set-apart", text, 0.0))
        return
    first = next(each for each in members if taken.get(each.id))
    why = Text(
        "{person} set it apart from {label} on {day}: {what}.",
        person=person,
        label=first.sender.label,
        day=day,
        what=what,
    )
    left = Text("{person} set {what} apart from it on {day}.", person=person, what=what, day=day)
    made = _Part(line.part, first.sender, (), cut=True, notes=[Reason("set-apart", why, 0.0)])
    for each in members:
        gone = taken.get(each.id, ())
        if not gone:
            continue
        made.flows += gone
        each.flows = tuple(flow for flow in each.flows if flow not in gone)
        each.cut = True
        if each.flows:
            each.notes.append(Reason("set-apart", left, 0.0))
        else:
            del parts[each.id]
    parts[made.id] = made


def _as_one(
    whole: str,
    members: Sequence[_Part],
    groups: _Groups,
    words: Mapping[str, Decision],
    now: datetime,
    shop: Workshop,
) -> list[Sender]:
    """
    Give the sender that people joined of parts, and apart from it the parts that evidence or somebody calls abuse.

    A judgement counts for what was joined when it was passed, and never for a part that evidence calls abuse: of that
    one somebody has to decide by its own id. So joining can neither hide abuse nor accuse what it is joined with.
    """
    if len(members) == 1 and members[0].id == whole:
        sender = members[0].sender
        return [ruled(sender, words[whole], now)] if whole in words else [sender]
    said: dict[str | None, list[_Part]] = {}
    for part in members:
        word = _word(part, whole, groups, words)
        said.setdefault(word.sender if word else None, []).append(part)
    judged: list[_Judged] = []
    for key, held in said.items():
        if key is None:
            judged += [(each.sender, [each]) for each in held]
        else:
            one = held[0].sender if len(held) == 1 else shop.join(whole, [each.sender for each in held])
            judged.append((ruled(one, words[key], now), held))
    bad = [each for each in judged if each[0].judgement is Judgement.ABUSE]
    good = [each for each in judged if each[0].judgement is not Judgement.ABUSE]
    if not bad or not good:
        return [_put_together(whole, judged, groups, shop)]
    apart = [part for _, held in bad for part in held]
    found = []
    for part in apart:
        word = _word(part, whole, groups, words)
        alone = part.sender if word is None else ruled(part.sender, word, now)
        found.append(_with(alone, [_kept_apart(part, whole, groups)]))
    rest = [part for _, held in good for part in held]
    # Where the id belongs to what is kept apart, the others go by the least of theirs.
    identity = min(each.id for each in rest) if any(each.id == whole for each in apart) else whole
    left = [
        Reason(
            "kept-apart",
            Text(
                "{label} was joined with it and stays apart, because that one is judged to be abuse.",
                label=part.sender.label,
            ),
            0.0,
        )
        for part in apart
    ]
    return [*found, _with(_put_together(identity, good, groups, shop), left)]


_Judged = tuple[Sender, list[_Part]]


def _word(part: _Part, whole: str, groups: _Groups, words: Mapping[str, Decision]) -> Decision | None:
    """Give the newest judgement that counts for a part: its own, or one passed on the whole since it belongs to it."""
    own, common = words.get(part.id), words.get(whole)
    if common is not None and part.id != whole:
        since = max(line.decided_at for line in groups.lines(part.id))
        if common.decided_at < since or part.sender.judgement is Judgement.ABUSE:
            common = None
    return max((each for each in (own, common) if each), key=lambda each: each.decided_at, default=None)


def _put_together(identity: str, judged: Sequence[_Judged], groups: _Groups, shop: Workshop) -> Sender:
    """Give one sender of several that are judged, and say who joined what."""
    parts = [part for _, held in judged for part in held]
    brought: dict[Decision, list[_Part]] = {}
    for part in parts:
        for line in groups.lines(part.id):
            brought.setdefault(line, []).append(part)
    notes = [
        Reason(
            "joined",
            Text(
                "{person} joined {senders} with it on {day}.",
                person=line.decided_by,
                senders=tuple(each.sender.label for each in held),
                day=line.decided_at.date(),
            ),
            0.0,
        )
        for line, held in brought.items()
        if len(parts) > 1
    ]
    if len(judged) == 1:
        return _with(replace(judged[0][0], id=identity), notes)
    if len({sender.judgement for sender, _ in judged}) > 1:
        worst = max((sender for sender, _ in judged), key=odds)
        text = Text(
            "It is judged as the one of them that most speaks against it: {label}.", label=worst.label
        )
        notes.append(Reason("joined", text, 0.0))
    return _with(shop.join(identity, [sender for sender, _ in judged]), notes)


def odds(sender: Sender) -> float:
    """Give the log odds of abuse that a sender's reasons add up to."""
    return sum(each.weight for each in sender.because)


def _kept_apart(part: _Part, whole: str, groups: _Groups) -> Reason:
    against = max(part.sender.because, key=lambda each: each.weight).text
    line = next(iter(groups.lines(part.id)), None)
    if line is None:
        text = Text(
            "Others were joined with it and stay apart, because this one is judged to be abuse: {reason}",
            reason=against,
        )
    else:
        text = Text(
            "{person} joined it with {whole} on {day}. It stays apart, because it is judged to be abuse: {reason} "
            "Whoever knows better decides about this one first.",
            person=line.decided_by,
            whole=whole,
            day=line.decided_at.date(),
            reason=against,
        )
    return Reason("kept-apart", text, 0.0)


def _with(sender: Sender, reasons: Sequence[Reason]) -> Sender:
    return replace(sender, because=(*sender.because, *reasons)) if reasons else sender
