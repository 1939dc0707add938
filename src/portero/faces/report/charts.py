"""The report's pictures, drawn from an audit: mail over time, the ways in, what the evidence covers."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from markupsafe import Markup

from portero.core.audit import Audit
from portero.core.evidence import Coverage
from portero.core.sender import Judgement, Path, Sender
from portero.core.simulation import Effect, Simulation
from portero.core.text import Text, count
from portero.faces.render import Renderer, plain
from portero.faces.report import svg
from portero.faces.report.summary import UNPROVEN, block_of

ORDER = (Judgement.LEGITIMATE, Judgement.UNDECIDED, Judgement.ABUSE)
# Columns that are still told apart on a screen; a longer window is drawn by week, and then in longer stretches.
_MOST_COLUMNS = 70
# Senders drawn by name in the flow; the rest are folded by judgement.
_NAMED = 12
_LONGEST_NAME = 38
_EFFECTS = (Effect.REFUSED, Effect.UNDETERMINED, Effect.KEPT)


@dataclass(frozen=True, slots=True)
class Stretch:
    """Unauthenticated mails of some days, by judgement in the order of ORDER; `last` is the last day included."""

    first: date
    last: date
    amounts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Way:
    """Mails of one judgement on one way in, by effect of closing Direct Send in the order refused, undetermined, kept."""

    path: Path
    judgement: Judgement
    senders: int
    mails: int
    effects: tuple[int, ...] | None


def stretches(senders: Iterable[Sender], paths: frozenset[Path] = UNPROVEN) -> tuple[Stretch, ...]:
    """
    Count mails over the whole window, by day, or by as many weeks as keep the columns readable.

    paths:  ways in that count; those without proof unless said otherwise.
    """
    by_day: dict[date, Counter[Judgement]] = defaultdict(Counter)
    for sender in senders:
        if sender.path in paths:
            for day, mails in sender.facts.days.items():
                by_day[day][sender.judgement] += mails
    if not by_day:
        return ()
    first, last = min(by_day), max(by_day)
    length = (last - first).days + 1
    step = 1 if length <= _MOST_COLUMNS else 7 * -(-length // (7 * _MOST_COLUMNS))
    made: list[list[int]] = [[0] * len(ORDER) for _ in range(0, length, step)]
    for day, counted in by_day.items():
        for index, judgement in enumerate(ORDER):
            made[(day - first).days // step][index] += counted[judgement]
    return tuple(
        Stretch(start, min(last, start + timedelta(days=step - 1)), tuple(amounts))
        for start, amounts in zip((first + timedelta(days=step * n) for n in range(len(made))), made, strict=True)
    )  # fmt: skip


def ways(audit: Audit) -> tuple[Way, ...]:
    """Count mails by way in, judgement and effect of closing Direct Send; effects are None without that simulation."""
    block = block_of(audit)
    effects = _effects(block)
    found: dict[tuple[Path, Judgement], list[Sender]] = defaultdict(list)
    for sender in audit.senders:
        found[sender.path, sender.judgement].append(sender)
    return tuple(
        Way(
            path,
            judgement,
            len(held),
            sum(each.mails for each in held),
            tuple(sum(effects[each.id][index] for each in held if each.id in effects) for index in range(3))
            if block
            else None,
        )
        for path in Path
        for judgement in ORDER
        if (held := found.get((path, judgement)))
    )


_OVER_TIME = Text("Unauthenticated mail in the organisation's name over time, by judgement")


def over_time(parts: Sequence[Stretch], renderer: Renderer, name: Text = _OVER_TIME) -> Markup:
    """Draw mail over time, stacked by judgement; `name` is what a screen reader calls the picture."""
    columns = [
        svg.Column(
            renderer.date(each.first).rpartition(" ")[0],
            each.amounts,
            " · ".join(
                (
                    _period(each, renderer),
                    *(
                        f"{renderer.label('judgement', judgement)}: {renderer.number(amount)}"
                        for judgement, amount in zip(ORDER, each.amounts, strict=True)
                    ),
                )
            ),
        )
        for each in parts
    ]
    styles = [f"j-{each.value}" for each in ORDER]
    return svg.stacked_columns(columns, styles, renderer.text(name), renderer.number)


def _period(part: Stretch, renderer: Renderer) -> str:
    if part.first == part.last:
        return renderer.date(part.first)
    return f"{renderer.date(part.first)} – {renderer.date(part.last)}"


def through(audit: Audit, renderer: Renderer) -> Markup | None:
    """Draw who enters without proof, how, and what closing Direct Send would do; None without that simulation."""
    block = block_of(audit)
    drawn = [each for each in audit.senders if each.path in UNPROVEN and each.mails]
    if block is None or not drawn:
        return None
    effects = _effects(block)
    nodes: dict[str, svg.Node] = {}
    first: Counter[tuple[str, str, str]] = Counter()
    second: Counter[tuple[str, str, str]] = Counter()
    for key, name, sender in _folded(drawn, renderer):
        style = f"j-{sender.judgement.value}"
        nodes.setdefault(key, svg.Node(key, 0, name, style))
        way = f"path {sender.path.value}"
        first[key, way, style] += sender.mails
        for effect, mails in zip(_EFFECTS, effects.get(sender.id, (0, sender.mails, 0)), strict=True):
            if mails:
                second[way, f"effect {effect.value}", style] += mails
    into = Counter[str]()
    for (_, target, _), mails in (first + second).items():
        into[target] += mails
    for path in Path:
        if into[f"path {path.value}"]:
            name = f"{renderer.label('path', path)} · {renderer.number(into[f'path {path.value}'])}"
            nodes[f"path {path.value}"] = svg.Node(f"path {path.value}", 1, name, "way")
    for effect in _EFFECTS:
        if into[f"effect {effect.value}"]:
            name = f"{renderer.label('effect', effect)} · {renderer.number(into[f'effect {effect.value}'])}"
            nodes[f"effect {effect.value}"] = svg.Node(f"effect {effect.value}", 2, name, f"e-{effect.value}")
    links = [
        svg.Link(source, target, mails, style,
                 f"{nodes[source].name} → {nodes[target].name}: {renderer.number(mails)}")
        for (source, target, style), mails in (*first.items(), *second.items())
    ]  # fmt: skip
    return svg.flow(
        list(nodes.values()),
        links,
        renderer.text(
            Text("Who enters without authenticating, by which way, and what closing Direct Send would do")
        ),
    )


def _folded(senders: Sequence[Sender], renderer: Renderer) -> list[tuple[str, str, Sender]]:
    """Give each sender the box it is drawn in: its own for the largest, one for the rest of its judgement."""
    ranked = sorted(senders, key=lambda each: (ORDER.index(each.judgement), -each.mails, each.id))
    named = {each.id for each in sorted(senders, key=lambda each: (-each.mails, each.id))[:_NAMED]}
    rest = Counter(each.judgement for each in senders if each.id not in named)
    own: list[tuple[str, str, Sender]] = []
    for judgement in ORDER:
        of_judgement = [each for each in ranked if each.judgement is judgement]
        own += [
            (f"sender {each.id}", f"{plain(renderer.text(each.label), _LONGEST_NAME)} · {renderer.number(each.mails)}", each)
            for each in of_judgement
            if each.id in named
        ]  # fmt: skip
        name = renderer.text(_rest(judgement, rest[judgement]))
        own += [(f"rest {judgement.value}", name, each) for each in of_judgement if each.id not in named]
    return own


def _rest(judgement: Judgement, senders: int) -> Text:
    if judgement is Judgement.LEGITIMATE:
        return count("{n} more legitimate sender", "{n} more legitimate senders", senders)
    if judgement is Judgement.ABUSE:
        return count("{n} more abusive sender", "{n} more abusive senders", senders)
    return count("{n} more undecided sender", "{n} more undecided senders", senders)


def _effects(block: Simulation | None) -> dict[str, tuple[int, int, int]]:
    if block is None:
        return {}
    return {each.sender: (each.refused, each.undetermined, each.kept) for each in block.senders}


@dataclass(frozen=True, slots=True)
class Covered:
    """
    What one kind of evidence covers.

    days:     the days within the time of one of its documents; empty where the kind bears no times.
    without:  days of the whole time read on which it has nothing; None where the kind bears no times.
    """

    kind: str
    documents: tuple[Coverage, ...]
    days: frozenset[date]
    without: int | None

    @property
    def rows(self) -> int:
        """Count its records."""
        return sum(each.rows for each in self.documents)


# A document whose clock was wrong would else make a line of a hundred years.
_MOST_DAYS = 1200


def by_kind(coverage: Iterable[Coverage]) -> tuple[Covered, ...]:
    """Put what was read together by kind, with the days that each kind covers; the kinds with times come first."""
    held: dict[str, list[Coverage]] = defaultdict(list)
    for each in coverage:
        held[each.kind].append(each)
    days = {
        kind: frozenset(day for each in documents for day in _days(each)) for kind, documents in held.items()
    }
    every = {day for covered_by in days.values() for day in covered_by}
    whole = min((max(every) - min(every)).days + 1, _MOST_DAYS) if every else 0
    found = [
        Covered(kind, tuple(documents), days[kind], max(0, whole - len(days[kind])) if days[kind] else None)
        for kind, documents in held.items()
    ]
    return tuple(sorted(found, key=lambda each: (not each.days, each.kind)))


def _days(document: Coverage) -> Iterable[date]:
    if document.first is None or document.last is None:
        return ()
    first, last = _utc(document.first).date(), _utc(document.last).date()
    number = min((last - first).days, _MOST_DAYS - 1)
    return (last - timedelta(days=back) for back in range(number + 1))


def by_day(kinds: Sequence[Covered], renderer: Renderer) -> Markup | None:
    """Draw which days each kind of evidence covers; None where none bears times."""
    every = sorted({day for each in kinds for day in each.days})[-_MOST_DAYS:]
    if not every:
        return None
    start, whole = every[0], (every[-1] - every[0]).days + 1

    def stretch(first: date, last: date) -> svg.Span:
        title = renderer.date(first) if first == last else f"{renderer.date(first)} – {renderer.date(last)}"
        return svg.Span("", (first - start).days / whole, ((last - start).days + 1) / whole, title)

    rows = [
        (
            plain(each.kind, _LONGEST_NAME),
            [stretch(*ends) for ends in _stretches(day for day in each.days if day >= start)],
        )
        for each in kinds
        if each.days
    ]
    ticks = [(part / 4, renderer.date(start + timedelta(days=whole * part // 4))) for part in range(4)]
    return svg.lanes(rows, ticks, renderer.text(Text("Days that each kind of evidence covers")))


def _stretches(days: Iterable[date]) -> Sequence[tuple[date, date]]:
    """Join days that follow one another."""
    found: list[tuple[date, date]] = []
    for day in sorted(days):
        if found and day - found[-1][1] == timedelta(days=1):
            found[-1] = (found[-1][0], day)
        else:
            found.append((day, day))
    return found


def _utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
