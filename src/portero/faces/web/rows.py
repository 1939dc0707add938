"""The inventory as a table that is filtered, sorted, grouped and paged at the server."""

from __future__ import annotations

import ipaddress
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache

from portero.core.sender import Sender
from portero.core.simulation import SenderEffect
from portero.faces.render import Renderer, plain
from portero.faces.report.summary import block_of
from portero.faces.web.cases import View

PAGE = 50
_NEVER = datetime.min.replace(tzinfo=UTC)
# Facets in the order in which the page shows them, each a field of the contract.
FACETS: Mapping[str, Callable[[Sender, SenderEffect | None], str]] = {
    "judgement": lambda sender, _: sender.judgement.value,
    "path": lambda sender, _: sender.path.value,
    "effect": lambda _, effect: effect.effect.value if effect else "undetermined",
    "kind": lambda sender, _: sender.kind.value,
    "decided_by": lambda sender, _: sender.decided_by.value,
    "standing": lambda sender, _: sender.ruling.standing.value if sender.ruling else "none",
}
_ORDER = {"abuse": 0, "undecided": 1, "legitimate": 2}
SORTS: Mapping[str, Callable[[SenderRow], object]] = {
    "messages": lambda row: row.sender.mails,
    "refused": lambda row: row.effect.refused if row.effect else -1,
    "label": lambda row: row.label.casefold(),
    "judgement": lambda row: (_ORDER[row.sender.judgement.value], -row.sender.confidence),
    "path": lambda row: row.sender.path.value,
    "last_seen": lambda row: row.sender.last_seen or _NEVER,
    "first_seen": lambda row: row.sender.first_seen or _NEVER,
}


@lru_cache(1 << 16)
def _wide(network: str) -> str:
    try:
        held = ipaddress.ip_network(network)
    except ValueError:
        return network
    wide = 24 if held.version == 4 else 48
    return str(held.supernet(new_prefix=wide)) if held.prefixlen > wide else network


GROUPS: Mapping[str, Callable[[SenderRow], str]] = {
    "network": lambda row: _wide(row.sender.client_networks[0]) if row.sender.client_networks else "",
    "domain": lambda row: row.sender.header_from_domains[0] if row.sender.header_from_domains else "",
    "kind": lambda row: row.sender.kind.value,
    "path": lambda row: row.sender.path.value,
    "judgement": lambda row: row.sender.judgement.value,
}


@dataclass(frozen=True, slots=True)
class SenderRow:
    """
    A sender as the table shows it.

    search:  everything a reader may search by, in lower case.
    effect:  what closing Direct Send would do to it; None where that was not simulated.
    values:  its value of each facet, in the order of FACETS.
    """

    sender: Sender
    label: str
    search: str
    effect: SenderEffect | None
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Asked:
    """
    What a reader asked of the table; unknown choices are as if not asked.

    facets:  chosen values by facet; a sender must have one of each.
    page:    from 1.
    """

    text: str = ""
    facets: Mapping[str, tuple[str, ...]] | None = None
    sort: str = "messages"
    down: bool = True
    group: str = ""
    page: int = 1


@dataclass(frozen=True, slots=True)
class Group:
    """Senders that share something."""

    name: str
    senders: int
    messages: int
    refused: int
    judgements: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Listing:
    """
    One page of the table.

    counts:  by facet and value, how many senders a choice would leave beside the other choices.
    """

    rows: tuple[SenderRow, ...]
    groups: tuple[Group, ...]
    matching: int
    messages: int
    pages: int
    page: int
    counts: Mapping[str, Mapping[str, int]]


def rows_of(view: View, renderer: Renderer) -> tuple[SenderRow, ...]:
    """Give the rows of an audit in a language; made once for each audit."""

    def make() -> tuple[SenderRow, ...]:
        block = block_of(view.audit)
        effects = {each.sender: each for each in block.senders} if block else {}
        return tuple(_row(each, renderer, effects.get(each.id)) for each in view.audit.senders)

    return view.made.once(("rows", renderer.lang), make)


def table(view: View, renderer: Renderer, asked: Asked) -> Listing:
    """Give the page of the table that a reader asked for; each order and each page is made once for each audit."""
    lang = renderer.lang
    facets = tuple((name, (asked.facets or {}).get(name, ())) for name in FACETS)

    def make() -> Listing:
        rows = view.made.once(
            ("ordered", lang, asked.sort, asked.down), lambda: ordered(rows_of(view, renderer), asked)
        )
        return listing(rows, asked)

    return view.made.once(("table", lang, replace(asked, facets=None), facets), make)


def _row(sender: Sender, renderer: Renderer, effect: SenderEffect | None) -> SenderRow:
    label = plain(renderer.text(sender.label), 200)
    parts = (
        label, sender.id, sender.owner or "", sender.connector or "", *sender.client_networks, *sender.header_from,
        *sender.mail_from_domains, *sender.header_from_domains, *sender.ehlo,
    )  # fmt: skip
    values = tuple(value_of(sender, effect) for value_of in FACETS.values())
    return SenderRow(sender, label, "\n".join(parts).lower(), effect, values)


def ordered(rows: Sequence[SenderRow], asked: Asked) -> tuple[SenderRow, ...]:
    """Sort rows as asked."""
    # Twice stable: by name within equal values, whichever way the values run.
    kept = sorted(rows, key=lambda row: row.sender.id)
    kept.sort(key=SORTS.get(asked.sort, SORTS["messages"]), reverse=asked.down)  # type: ignore[arg-type]  # each key is of one comparable type
    return tuple(kept)


def listing(rows: Sequence[SenderRow], asked: Asked) -> Listing:
    """Filter, count, group and cut rows that are `ordered`."""
    words = asked.text.lower().split()
    found = [row for row in rows if all(word in row.search for word in words)] if words else rows
    kept, counts = _chosen(found, asked)
    groups = _groups(kept, GROUPS[asked.group]) if asked.group in GROUPS else ()
    pages = max(1, -(-len(kept) // PAGE))
    page = min(max(1, asked.page), pages)
    return Listing(
        rows=tuple(kept[(page - 1) * PAGE : page * PAGE]) if not groups else (),
        groups=groups,
        matching=len(kept),
        messages=sum(row.sender.mails for row in kept),
        pages=pages if not groups else 1,
        page=page if not groups else 1,
        counts=counts,
    )


def _chosen(
    rows: Sequence[SenderRow], asked: Asked
) -> tuple[Sequence[SenderRow], Mapping[str, Mapping[str, int]]]:
    """Keep the rows that have a chosen value of each facet, and count what another choice in one facet would leave."""
    chosen = [
        (at, frozenset(values))
        for at, name in enumerate(FACETS)
        if (values := (asked.facets or {}).get(name))
    ]
    kept: Sequence[SenderRow] = rows
    # By facet, the rows that lack a chosen value of this facet alone.
    near: dict[int, list[SenderRow]] = {at: [] for at, _ in chosen}
    if chosen:
        kept = all_of = []
        for row in rows:
            missed = [at for at, values in chosen if row.values[at] not in values]
            if not missed:
                all_of.append(row)
            elif len(missed) == 1:
                near[missed[0]].append(row)
    counts = {}
    for at, name in enumerate(FACETS):
        counts[name] = Counter(row.values[at] for row in kept)
        counts[name].update(row.values[at] for row in near.get(at, ()))
    return kept, counts


def _groups(rows: Sequence[SenderRow], name_of: Callable[[SenderRow], str]) -> tuple[Group, ...]:
    held: dict[str, list[SenderRow]] = {}
    for row in rows:
        held.setdefault(name_of(row), []).append(row)
    made = (
        Group(
            name,
            len(members),
            sum(row.sender.mails for row in members),
            sum(row.effect.refused for row in members if row.effect),
            Counter(row.sender.judgement.value for row in members),
        )
        for name, members in held.items()
    )
    return tuple(sorted(made, key=lambda each: (-each.messages, each.name))[:500])
