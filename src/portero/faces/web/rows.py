"""The inventory as a table that is filtered, sorted, grouped and paged at the server."""

from __future__ import annotations

import ipaddress
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from portero.core.sender import Sender
from portero.core.simulation import SenderEffect
from portero.faces.render import Renderer, plain
from portero.faces.report.summary import block_of
from portero.faces.web.cases import View

PAGE = 50
_NEVER = datetime.min.replace(tzinfo=UTC)
# Facets in the order in which the page shows them, each a field of the contract.
FACETS: Mapping[str, Callable[[SenderRow], str]] = {
    "judgement": lambda row: row.sender.judgement.value,
    "path": lambda row: row.sender.path.value,
    "effect": lambda row: row.effect.effect.value if row.effect else "undetermined",
    "kind": lambda row: row.sender.kind.value,
    "decided_by": lambda row: row.sender.decided_by.value,
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
    """

    sender: Sender
    label: str
    search: str
    effect: SenderEffect | None


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


def rows_of(view: View, renderer: Renderer) -> Sequence[SenderRow]:
    """Give the rows of an audit in a language; made once for each audit."""
    key = ("senders", renderer.lang)
    if key not in view.rows:
        block = block_of(view.audit)
        effects = {each.sender: each for each in block.senders} if block else {}
        view.rows[key] = tuple(_row(each, renderer, effects.get(each.id)) for each in view.audit.senders)
    made = view.rows[key]
    assert isinstance(made, tuple)  # noqa: S101 - what the line above put there
    return made


def _row(sender: Sender, renderer: Renderer, effect: SenderEffect | None) -> SenderRow:
    label = plain(renderer.text(sender.label), 200)
    parts = (
        label, sender.id, sender.owner or "", sender.connector or "", *sender.client_networks, *sender.header_from,
        *sender.mail_from_domains, *sender.header_from_domains, *sender.ehlo,
    )  # fmt: skip
    return SenderRow(sender, label, "\n".join(parts).lower(), effect)


def listing(rows: Sequence[SenderRow], asked: Asked) -> Listing:
    """Filter, count, sort, group and cut."""
    words = asked.text.lower().split()
    found = [row for row in rows if all(word in row.search for word in words)] if words else list(rows)
    chosen = {
        name: frozenset(values) for name, values in (asked.facets or {}).items() if name in FACETS and values
    }
    counts = {}
    for name, value_of in FACETS.items():
        others = [(FACETS[each], values) for each, values in chosen.items() if each != name]
        counts[name] = Counter(
            value_of(row) for row in found if all(other(row) in values for other, values in others)
        )
    kept = [row for row in found if all(FACETS[name](row) in values for name, values in chosen.items())]
    sort = SORTS.get(asked.sort, SORTS["messages"])
    # Twice stable: by name within equal values, whichever way the values run.
    kept.sort(key=lambda row: row.sender.id)
    kept.sort(key=sort, reverse=asked.down)  # type: ignore[arg-type]  # each key is of one comparable type
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


def _wide(network: str) -> str:
    try:
        held = ipaddress.ip_network(network)
    except ValueError:
        return network
    wide = 24 if held.version == 4 else 48
    return str(held.supernet(new_prefix=wide)) if held.prefixlen > wide else network
