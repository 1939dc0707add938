"""What others reported once each where it is too much to be looked at one by one: taken apart before ways of sending are made of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date

from portero.core.address import neighbourhood
from portero.core.flow import Facts, Flow, OutsideFlow, first_origins
from portero.core.grouping import Placed, once_by
from portero.core.reported import WITNESS, counted_here, reported_flow, reported_key
from portero.core.sender import Path

# More single addresses than this nobody looks at one by one.
_ONE_BY_ONE = 100
_NOTHING = Facts()


@dataclass(frozen=True, slots=True)
class Crowd:
    """
    Mail that others reported, shown as one.

    examples:   of each pair of domains the first, by which all are judged: they are alike.
    addresses:  where it came from, each once and in order.
    facts:      of all of it.
    """

    examples: tuple[Placed, ...]
    rows: tuple[OutsideFlow, ...]
    addresses: tuple[str, ...]
    facts: Facts


def find_crowds(
    outside: Sequence[OutsideFlow],
    flows: Sequence[Flow],
    place: Callable[[Flow], Placed],
    known: Callable[[Placed], bool],
) -> tuple[tuple[OutsideFlow, ...], tuple[Crowd, ...]]:
    """
    Give the reported mail that is looked at one by one, and the crowds of what is not.

    That is mail that never came here and failed, one from an address in all, by its domains; whoever writes again, passes,
    or is known keeps a place of its own.

    place:  attributes a flow.
    known:  tells whether register, configuration, network evidence or a published record speaks for the address.
    """
    traced = {flow.key.client_ip for flow in flows if flow.key.client_ip}
    here = counted_here(flows)
    strangers = [
        row
        for row in outside
        if row.mails == 1
        and not row.passed
        and row.source_ip
        and row.source_ip not in traced
        and not here(row)
    ]
    if len(strangers) <= _ONE_BY_ONE:
        return tuple(outside), ()
    mails: Counter[str] = Counter()
    for address in traced:
        mails[_place(address)] += 2
    for row in outside:
        if row.source_ip:
            mails[_place(row.source_ip)] += row.mails
    found: dict[tuple[str, str], list[OutsideFlow]] = {}
    for row in strangers:
        if mails[_place(row.source_ip)] > 1:
            continue
        # How mail came in is told by its address and domains alone.
        item = place(Flow(reported_key(row), _NOTHING))
        if item.place and item.path in {Path.DIRECT_SEND, Path.UNDETERMINED} and not known(item):
            found.setdefault(once_by(item), []).append(row)
    crowds = [rows for rows in found.values() if len(rows) > _ONE_BY_ONE]
    if not crowds:
        return tuple(outside), ()
    taken = {row.source_ip for rows in crowds for row in rows}
    rest = tuple(row for row in outside if row.source_ip not in taken)
    return rest, tuple(_crowd(rows, place) for rows in crowds)


def _place(address: str) -> str:
    return neighbourhood(address) if ":" in address else address


def _crowd(rows: Sequence[OutsideFlow], place: Callable[[Flow], Placed]) -> Crowd:
    rows = sorted(rows, key=lambda row: (row.source_ip, row.header_from, row.envelope or ""))
    first: dict[tuple[str, str | None], OutsideFlow] = {}
    days: Counter[date] = Counter()
    for row in rows:
        first.setdefault((row.header_from, row.envelope), row)
        days.update(row.days)
    examples = tuple(
        replace(place(reported_flow(row, row.days, counts=False)), once=True) for row in first.values()
    )
    facts = Facts(
        witnessed={WITNESS: len(rows)},
        first_seen=min(row.first_seen for row in rows),
        last_seen=max(row.last_seen for row in rows),
        days=days,
        dmarc={"fail": len(rows)},
        dkim_domains=Counter(row.dkim_domain for row in rows if row.dkim_domain),
        origins={WITNESS: first_origins(origin for row in rows for origin in row.origins)},
    )
    return Crowd(examples, tuple(rows), tuple(row.source_ip for row in rows), facts)
