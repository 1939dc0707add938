"""Waves: the plan's steps laid out in time, a pilot first, then owner by owner or site by site, each watched before the next."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from portero.core.address import neighbourhood
from portero.core.register import Criticality
from portero.core.sender import Sender
from portero.core.step import Step
from portero.core.text import Text, count
from portero.core.ways_in import addresses


class Stage(StrEnum):
    """What a wave does."""

    PREPARE = "prepare"  # evidence, decisions, records, permissions: nothing moves
    PILOT = "pilot"  # the quietest sender of each way
    MOVE = "move"  # the others, by owner or site
    REFUSE = "refuse"  # one control that refuses mail
    FOLLOW = "follow"  # what comes after it and refuses nothing


# Days that a wave is watched before the next begins. Source: controls catalogue R8 (30 days after a refusing control);
# a week shows each weekday's jobs once.
_WATCH = {Stage.PREPARE: 0, Stage.PILOT: 7, Stage.MOVE: 7, Stage.REFUSE: 30, Stage.FOLLOW: 0}
# More groups than this are done together, the busiest apart.
_MOST_GROUPS = 6
# Tuesday to Thursday: somebody is there the day before and the day after.
_WINDOW_DAYS = (1, 2, 3)
# Month and day: between these nothing that people could feel is begun, and the wave after them says so.
_QUIET_FROM, _QUIET_UNTIL = (12, 20), (1, 6)
_FELT = frozenset({Stage.PILOT, Stage.MOVE, Stage.REFUSE})

# Steps that move nothing and that ways in, or a lock, wait for, wherever they stand.
_BEFORE_WAYS = frozenset({"confirm", "prove", "prove-lock", "try"})

_Draft = tuple[Stage, Text, list["Part"]]


@dataclass(frozen=True, slots=True)
class Part:
    """What a wave does of one step: its number, and the senders that move now."""

    step: int
    senders: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Wave:
    """
    One wave.

    window:  the day of the change; watched is the last day on which it is watched, before the next wave begins.
    probes:  tests of the day, in words or as a command.
    business, operations:  what to tell the people concerned, and those on duty.
    """

    n: int
    stage: Stage
    title: Text
    parts: tuple[Part, ...]
    window: date
    watched: date
    probes: tuple[Text, ...]
    business: Text
    operations: Text

    @property
    def senders(self) -> tuple[str, ...]:
        """Name all senders that this wave concerns."""
        return tuple(dict.fromkeys(each for part in self.parts for each in part.senders))


def lay_out(
    steps: Sequence[Step], senders: Sequence[Sender], start: date, domain: str | None = None
) -> tuple[Wave, ...]:
    """
    Lay a plan's steps out in waves, in the plan's order.

    start:   the earliest day of a change.
    domain:  an accepted domain, for the probe that must be refused.
    No wave begins while the one before is watched, so that whatever breaks has one cause, and a control that refuses mail
    comes after every wave that gives a sender another way in which it waits for. A step with a day of its own goes into the
    last wave that is watched by then; where there is none its wave says so.
    """
    known = {each.id: each for each in senders}
    drafts: list[_Draft] = []
    run: list[Step] = []
    stage = Stage.PREPARE
    for step in steps:
        before, stage = stage, _stage(step, stage)
        if run and stage is not before:
            drafts += _waves(before, run, known)
            run = []
        run.append(step)
    drafts += _waves(stage, run, known)
    by_number = {each.n: each for each in steps}
    drafts = _in_time(drafts, by_number, start)
    found = []
    for number, ((stage, title, parts), (free, window, watched)) in enumerate(
        zip(drafts, _dates(drafts, by_number, start), strict=True), 1
    ):
        held = [by_number[each.step] for each in parts]
        labels = tuple(known[each].label for part in parts for each in part.senders if each in known)
        notes = tuple(_notes(held, free, window))
        found.append(
            Wave(
                number,
                stage,
                title,
                tuple(parts),
                window,
                watched,
                tuple(_probes(stage, held, labels, domain)),
                _business(stage, held, window, labels),
                _operations(held, window, watched, notes),
            )
        )
    return tuple(found)


def duration(steps: Sequence[Step], senders: Sequence[Sender]) -> int:
    """Count the days that steps take one wave after the other, whatever the day of the week they begin on."""
    known = {each.id: each for each in senders}
    waves = _waves(Stage.MOVE, steps, known)
    return sum(_WATCH[stage] + 1 for stage, _, _ in waves)


def _dates(drafts: Sequence[_Draft], steps: Mapping[int, Step], start: date) -> list[tuple[date, date, date]]:
    """Give each wave the first day that is free for it, its day, and the last on which it is watched."""
    found = []
    day = start
    for stage, _, parts in drafts:
        free = window = _window(day)
        if stage in _FELT and _quiet(window):
            later = _window(_after_quiet(window))
            due = min((by for part in parts if (by := steps[part.step].by)), default=None)
            # What ends by itself in these days does not wait for them to pass.
            window = window if due is not None and window <= due < later else later
        watched = window + timedelta(days=_WATCH[stage])
        found.append((free, window, watched))
        day = watched + timedelta(days=1)
    return found


def _in_time(drafts: Sequence[_Draft], steps: Mapping[int, Step], start: date) -> list[_Draft]:
    """Move what would be watched beyond its step's day into the last wave of its kind that is not, else into the first."""
    held = [(stage, title, list(parts)) for stage, title, parts in drafts]
    dates = _dates(held, steps, start)
    for number, (_, _, parts) in enumerate(held):
        for part in list(parts):
            step = steps[part.step]
            if step.by is None or dates[number][2] <= step.by:
                continue
            last = max(
                (at for at, (_, _, others) in enumerate(held) if any(p.step in step.after for p in others)),
                default=-1,
            )
            earlier = [at for at in range(last + 1, number) if held[at][0] in {Stage.PILOT, Stage.MOVE}]
            if not earlier:
                continue
            into = max((at for at in earlier if dates[at][2] <= step.by), default=earlier[0])
            parts.remove(part)
            _join(held[into][2], part)
    return [each for each in held if each[2]]


def _join(parts: list[Part], part: Part) -> None:
    for at, each in enumerate(parts):
        if each.step == part.step:
            parts[at] = Part(part.step, (*each.senders, *part.senders))
            return
    parts.append(part)
    parts.sort(key=lambda each: each.step)


def _quiet(day: date) -> bool:
    return not _QUIET_UNTIL < (day.month, day.day) < _QUIET_FROM


def _after_quiet(day: date) -> date:
    return date(day.year + (day.month == _QUIET_FROM[0]), *_QUIET_UNTIL) + timedelta(days=1)


def _stage(step: Step, before: Stage) -> Stage:
    if step.refuses:
        return Stage.REFUSE
    if step.moved or step.controls:
        return Stage.MOVE
    return Stage.PREPARE if before is Stage.PREPARE or step.name in _BEFORE_WAYS else Stage.FOLLOW


def _waves(stage: Stage, run: Sequence[Step], known: Mapping[str, Sender]) -> Iterable[_Draft]:
    """Part consecutive steps of one stage into waves."""
    if not run:
        return
    if stage is Stage.REFUSE:
        for step in run:
            yield stage, step.title, [Part(step.n, step.senders)]
        return
    if stage is not Stage.MOVE:
        title = Text("Prepare") if stage is Stage.PREPARE else Text("Follow up")
        yield stage, title, [Part(step.n, step.senders) for step in run]
        return
    piloted = _pilot(run, known)
    yield Stage.PILOT, Text("Pilot: the quietest sender of each way"), piloted
    done = {(part.step, each) for part in piloted for each in part.senders}
    groups: dict[str, dict[int, list[str]]] = {}
    for step in run:
        for each in step.senders:
            if (step.n, each) not in done:
                groups.setdefault(_group(known.get(each)), {}).setdefault(step.n, []).append(each)
    urgent = {step.n for step in run if step.by}
    for names, parts in _gathered(groups, known, urgent):
        yield Stage.MOVE, Text("Move: {groups}", groups=names), parts


def _pilot(run: Sequence[Step], known: Mapping[str, Sender]) -> list[Part]:
    """
    Take the quietest sender of each step that moves several, and of all steps that move one alone; of these what must be
    done by a day comes first.

    What people called critical is no pilot while anything else is. A step without senders is done whole.
    """

    def mails(identity: str) -> tuple[int, int, str]:
        sender = known.get(identity)
        return _weight(sender), (sender.mails if sender is not None else 0), identity

    single = [step for step in run if len(step.senders) == 1]
    first = min(single, key=lambda step: (step.by is None, *mails(step.senders[0])), default=None)
    return [
        Part(step.n, tuple(sorted(step.senders, key=mails)[:1]))
        for step in run
        if len(step.senders) != 1 or step is first
    ]


# Where nobody said, neither is assumed.
_UNSAID = list(Criticality).index(Criticality.MEDIUM)


def _weight(sender: Sender | None) -> int:
    """Give how critical a sender is, higher is more."""
    if sender is None or sender.criticality is None:
        return _UNSAID
    return list(Criticality).index(sender.criticality)


def _group(sender: Sender | None) -> str:
    """Name the owner of a sender, else its site, so that one person or place is disturbed once."""
    if sender is None:
        return ""
    if sender.owner:
        return sender.owner
    return next(iter(sorted({neighbourhood(each) for each in addresses(sender.flows)})), "")


def _gathered(
    groups: Mapping[str, Mapping[int, Sequence[str]]], known: Mapping[str, Sender], urgent: set[int]
) -> list[tuple[tuple[object, ...], list[Part]]]:
    """
    Give each group its wave: the least critical first, of these in the plan's order, and of one step the quietest; beyond the
    most allowed, those go together.

    urgent:  steps that must be done by a day; groups with one go before the others.
    """

    def turn(name: str) -> tuple[bool, int, int, int, str]:
        held = [known[each] for parts in groups[name].values() for each in parts if each in known]
        return (
            urgent.isdisjoint(groups[name]),
            max(map(_weight, held), default=0),
            min(groups[name]),
            sum(each.mails for each in held),
            name,
        )

    order = sorted(groups, key=turn)
    spare = max(0, len(order) - _MOST_GROUPS)
    together = [order[: spare + 1], *([name] for name in order[spare + 1 :])] if order else []
    found = []
    for names in together:
        parts: dict[int, list[str]] = {}
        for name in names:
            for step, held in groups[name].items():
                parts.setdefault(step, []).extend(held)
        shown: tuple[object, ...] = tuple(name or _NOWHERE for name in names[:_MOST_GROUPS])
        if len(names) > _MOST_GROUPS:
            shown = (*shown, Text("others"))
        found.append((shown, [Part(step, tuple(sorted(held))) for step, held in sorted(parts.items())]))
    return found


_NOWHERE = Text("senders without a known address")


def _window(day: date) -> date:
    while day.weekday() not in _WINDOW_DAYS:
        day += timedelta(days=1)
    return day


def _probes(stage: Stage, held: Sequence[Step], labels: Sequence[Text], domain: str | None) -> Iterable[Text]:
    if stage in {Stage.PILOT, Stage.MOVE} and labels:
        yield Text(
            "Send one test from each of {senders}, to an own mailbox, before and after.",
            senders=tuple(labels),
        )
    if domain is not None and any("reject-direct-send" in each.controls for each in held):
        host = domain.replace(".", "-") + ".mail.protection.outlook.com"
        yield Text(
            "From an address outside that no connector lists, to be refused with 550 5.7.68: {command}",
            command=f"Send-MailMessage -SmtpServer {host} -From probe@{domain} -To postmaster@{domain} -Subject probe",
        )
    for step in held:
        yield Text("Step {step}: {verify}", step=step.n, verify=step.verify)


def _notes(held: Sequence[Step], free: date, window: date) -> Iterable[Text]:
    """Say where a date is not the one that the order alone would give."""
    if window != free:
        yield Text(
            "It could begin on {day}, and waits until people are back: between 20 December and 6 January this plan "
            "begins nothing that they could feel. If your organisation works then, or is away at other times, choose your own "
            "days.",
            day=free,
        )
    elif _quiet(window) and any(step.by for step in held):
        yield Text(
            "Its day falls between 20 December and 6 January, because it cannot wait until these are over."
        )
    for step in held:
        if step.by is not None and window > step.by:
            yield Text(
                "Step {step} is due by {by}, before this wave: do it at once, apart from the waves.",
                step=step.n,
                by=step.by,
            )


def _business(stage: Stage, held: Sequence[Step], window: date, labels: Sequence[Text]) -> Text:
    if stage is Stage.PREPARE:
        return Text(
            "Nothing changes for anybody on {day}; some of you will be asked about senders.", day=window
        )
    if stage is Stage.FOLLOW:
        return Text(
            "On {day} this begins: {titles}. Whoever runs a machine or a domain concerned is asked first; nobody else should "
            "notice anything.",
            day=window,
            titles=tuple(step.title for step in held),
        )
    if stage is Stage.REFUSE:
        return Text(
            "{change} If a device or program of yours falls silent, tell the service desk at once: it is taken back "
            "within the hour.",
            change=_refusal(held, window),
        )
    return count(
        "On {day} we change how {senders} sends mail. You should notice nothing. If a mail from there is missing, tell the "
        "service desk.",
        "On {day} we change how {senders} send mail. You should notice nothing. If a mail of theirs is missing, tell the "
        "service desk.",
        len(labels),
        day=window,
        senders=tuple(labels) or (_NOWHERE,),
    )


def _refusal(held: Sequence[Step], window: date) -> Text:
    """Say to people outside the matter what is refused from a day on."""
    controls = [each for step in held for each in step.controls]
    if "reject-direct-send" in controls:
        return Text("From {day} on mail in our name that proves nothing is refused.", day=window)
    if any(each.startswith("lock-gateway") for each in controls):
        return Text(
            "From {day} on only mail that comes by our mail gateway, or from a machine on its list, is taken.",
            day=window,
        )
    if "smtp-basic-off" in controls:
        return Text(
            "From {day} on devices and programs that sign in to send mail with a user name and a password alone are "
            "refused.",
            day=window,
        )
    domains = tuple(
        each.partition("=")[2].partition(":")[0] for each in controls if each.startswith("dmarc=")
    )
    if domains:
        return Text(
            "From {day} on mail in the name of {domains} that fails DMARC is set aside or refused, here and elsewhere.",
            day=window,
            domains=domains,
        )
    return Text("From {day} on this holds: {title}.", day=window, title=held[0].title)


def _operations(held: Sequence[Step], window: date, watched: date, notes: tuple[Text, ...]) -> Text:
    said = count(
        "On {day}: step {steps} of the plan. Watch until {until}. Go back as its undo says when a sender to keep is "
        "silent beyond its usual interval.",
        "On {day}: steps {steps} of the plan. Watch until {until}. Go back as each step's undo says when a sender to keep "
        "is silent beyond its usual interval.",
        len(held),
        day=window,
        steps=tuple(str(each.n) for each in held),
        until=watched,
    )
    for note in notes:
        said = Text("{said} {note}", said=said, note=note)
    return said
