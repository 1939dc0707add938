"""Charts as inline SVG: stacked columns, a flow between three columns, spans of time; text and colours by class."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

# The fewest pixels in which a small amount is still seen.
_THINNEST = 1.5


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a stacked chart: its name, its amounts by series, and what a pointer shows."""

    name: str
    amounts: tuple[int, ...]
    title: str


@dataclass(frozen=True, slots=True)
class Node:
    """
    A box of a flow.

    column:  0, 1 or 2 from the left.
    style:   class that colours it.
    """

    key: str
    column: int
    name: str
    style: str


@dataclass(frozen=True, slots=True)
class Link:
    """An amount that flows from one node to another."""

    source: str
    target: str
    amount: int
    style: str
    title: str


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of a time line, as fractions 0 to 1 of its length."""

    name: str
    start: float
    end: float
    title: str


def stacked_columns(
    columns: Sequence[Column], styles: Sequence[str], name: str, number: Callable[[int], str]
) -> Markup:
    """
    Draw columns of stacked amounts over a scale that starts at zero.

    styles:  a class for each series, from the bottom up.
    name:    what a screen reader calls the chart; its numbers belong in a table beside it.
    """
    width, height, left, top, bottom = 960, 240, 56, 12, 28
    highest = _round_up(max((sum(each.amounts) for each in columns), default=0))
    scale = (height - top - bottom) / highest
    parts = [
        Markup('<line class="grid" x1="{}" x2="{}" y1="{y}" y2="{y}"/><text class="tick end" x="{}" y="{}">{}</text>').format(
            left, width, left - 8, _px(height - bottom - amount * scale + 4), number(amount),
            y=_px(height - bottom - amount * scale),
        )
        for amount in (0, highest // 2, highest)
    ]  # fmt: skip
    pitch = (width - left) / max(1, len(columns))
    every = max(1, -(-len(columns) // 9))
    for index, column in enumerate(columns):
        x, y = left + index * pitch, float(height - bottom)
        parts.append(Markup("<g><title>{}</title>").format(column.title))
        # The empty box gives the pointer the whole column to rest on.
        parts.append(Markup('<rect class="hover" x="{}" y="{}" width="{}" height="{}"/>').format(
            _px(x), top, _px(pitch), height - top - bottom))  # fmt: skip
        for style, amount in zip(styles, column.amounts, strict=True):
            if amount:
                tall = max(_THINNEST, amount * scale)
                y -= tall
                parts.append(
                    Markup('<rect class="{}" x="{}" y="{}" width="{}" height="{}"/>').format(
                        style, _px(x + pitch * 0.12), _px(y), _px(pitch * 0.76), _px(tall)
                    )
                )
        parts.append(Markup("</g>"))
        if index % every == 0:
            parts.append(
                Markup('<text class="tick" x="{}" y="{}">{}</text>').format(
                    _px(x + pitch / 2), height - 8, column.name
                )
            )
    return _figure(width, height, name, parts)


def flow(nodes: Sequence[Node], links: Sequence[Link], name: str) -> Markup:
    """
    Draw amounts that flow through three columns of nodes, each as tall as what passes through it.

    Nodes keep the order given. A node too thin for its name still gets the room of a line.
    """
    width, line, gap, box = 960, 17, 7, 9
    edges = (330, 490, 765)
    into: Mapping[str, int] = _sums(links, "target")
    out: Mapping[str, int] = _sums(links, "source")
    amounts = {each.key: max(into[each.key], out[each.key]) for each in nodes}
    by_column = [[each for each in nodes if each.column == column] for column in range(3)]
    total = max(1, max(sum(amounts[each.key] for each in column) for column in by_column))
    scale = 340 / total
    tops: dict[str, float] = {}
    height = 0.0
    for column in by_column:
        y = 4.0
        for node in column:
            tall = max(_THINNEST, amounts[node.key] * scale)
            room = max(line, tall)
            tops[node.key] = y + (room - tall) / 2
            y += room + gap
        height = max(height, y)
    parts: list[Markup] = []
    used_out: dict[str, float] = defaultdict(float)
    used_in: dict[str, float] = defaultdict(float)
    column_of = {each.key: each.column for each in nodes}
    order = {each.key: index for index, each in enumerate(nodes)}
    for link in sorted(links, key=lambda each: (order[each.source], order[each.target])):
        thick = link.amount * scale
        start = edges[column_of[link.source]] + box
        end = edges[column_of[link.target]]
        y1 = tops[link.source] + used_out[link.source] + thick / 2
        y2 = tops[link.target] + used_in[link.target] + thick / 2
        used_out[link.source] += thick
        used_in[link.target] += thick
        middle = (start + end) / 2
        parts.append(
            Markup('<path class="link {}" stroke-width="{}" d="M{},{} C{},{} {},{} {},{}"><title>{}</title></path>').format(
                link.style, _px(max(_THINNEST, thick)), start, _px(y1), middle, _px(y1), middle, _px(y2), end, _px(y2),
                link.title,
            )
        )  # fmt: skip
    for node in nodes:
        x, y = edges[node.column], tops[node.key]
        tall = max(_THINNEST, amounts[node.key] * scale)
        text_x, anchor = (x - 8, "node end") if node.column == 0 else (x + box + 8, "node")
        parts.append(
            Markup('<rect class="{}" x="{}" y="{}" width="{}" height="{}"/><text class="{}" x="{}" y="{}">{}</text>').format(
                node.style, x, _px(y), box, _px(tall), anchor, text_x, _px(y + tall / 2 + 4), node.name
            )
        )  # fmt: skip
    return _figure(width, round(height) + 4, name, parts)


def lanes(
    rows: Sequence[tuple[str, Sequence[Span]]], ticks: Sequence[tuple[float, str]], name: str
) -> Markup:
    """Draw a line for each name with the stretches of the time line that it covers; what it does not cover is empty."""
    width, left, row = 960, 300, 26
    length = width - left - 10
    bottom = len(rows) * row + 6
    parts = _time_line(ticks, left, length, bottom)
    for index, (title, held) in enumerate(rows):
        y = index * row + 5
        parts.append(
            Markup('<text class="node end" x="{}" y="{}">{}</text>').format(left - 10, y + 13, title)
        )
        parts += [
            Markup('<g><title>{}</title><rect class="span" x="{}" y="{}" width="{}" height="16" rx="2"/></g>').format(
                each.title, _px(left + each.start * length), y, _px(max(2, (each.end - each.start) * length))
            )
            for each in held
        ]  # fmt: skip
    return _figure(width, bottom + 22, name, parts)


def _time_line(ticks: Sequence[tuple[float, str]], left: int, length: int, bottom: int) -> list[Markup]:
    return [
        Markup('<line class="grid" x1="{x}" x2="{x}" y1="0" y2="{}"/><text class="tick" x="{x}" y="{}">{}</text>').format(
            bottom, bottom + 16, text, x=_px(left + at * length)
        )
        for at, text in ticks
    ]  # fmt: skip


def _figure(width: int, height: int, name: str, parts: Sequence[Markup]) -> Markup:
    return Markup('<svg class="chart" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>').format(
        width, height, name, Markup("").join(parts)
    )


def _sums(links: Sequence[Link], end: str) -> Mapping[str, int]:
    sums: dict[str, int] = defaultdict(int)
    for link in links:
        sums[getattr(link, end)] += link.amount
    return sums


def _round_up(highest: int) -> int:
    """Give the next of 2, 4, 10, 20, 40, 100 … so that the scale and its half are round numbers."""
    step = 1
    while True:
        for factor in (2, 4, 6, 8, 10):
            if highest <= factor * step:
                return factor * step
        step *= 10


def _px(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")
