"""The table finds, counts, sorts, groups and cuts as it says."""

from __future__ import annotations

from typing import Any

import pytest

from portero.faces.render import Renderer
from portero.faces.web import rows as table
from portero.faces.web.rows import PAGE, SORTS, Asked, Listing, SenderRow, ordered, rows_of


@pytest.fixture
def rows(house: Any) -> tuple[SenderRow, ...]:
    return tuple(rows_of(house.desk.cases.newest(house.ours), Renderer("en")))


def listing(rows: tuple[SenderRow, ...], asked: Asked) -> Listing:
    return table.listing(ordered(rows, asked), asked)


def test_every_word_must_be_found_somewhere(rows: tuple[SenderRow, ...]) -> None:
    assert {row.sender.id for row in listing(rows, Asked("SCANNER2F 198.51")).rows} < {
        row.sender.id for row in rows
    }
    assert listing(rows, Asked("scanner2f nonsense")).matching == 0


def test_counts_say_what_a_choice_would_leave(rows: tuple[SenderRow, ...]) -> None:
    chosen = listing(rows, Asked(facets={"judgement": ("abuse",)}))
    assert chosen.matching == chosen.counts["judgement"]["abuse"]
    assert sum(chosen.counts["judgement"].values()) == len(rows)
    assert sum(chosen.counts["path"].values()) == chosen.matching
    both = listing(rows, Asked(facets={"judgement": ("abuse", "legitimate"), "path": ("direct-send",)}))
    assert both.matching == sum(
        row.sender.path == "direct-send" and row.sender.judgement != "undecided" for row in rows
    )


@pytest.mark.parametrize("sort", SORTS)
def test_a_column_is_in_order_both_ways(rows: tuple[SenderRow, ...], sort: str) -> None:
    for down in (True, False):
        shown = [SORTS[sort](row) for row in listing(rows, Asked(sort=sort, down=down)).rows]
        assert shown == sorted(map(SORTS[sort], rows), reverse=down)  # type: ignore[type-var]


def test_what_was_asked_before_is_the_same_again(house: Any) -> None:
    view = house.desk.cases.newest(house.ours)
    for asked in (Asked("scan", {"judgement": ("abuse",)}), Asked(facets={"judgement": ("abuse",)}), Asked()):
        made = table.table(view, Renderer("en"), asked)
        assert made == listing(rows_of(view, Renderer("en")), asked)
        assert table.table(view, Renderer("en"), asked) is made


def test_groups_hold_everybody_once(rows: tuple[SenderRow, ...]) -> None:
    for name in ("network", "domain", "kind", "path", "judgement"):
        groups = listing(rows, Asked(group=name)).groups
        assert sum(each.senders for each in groups) == len(rows)
        assert sum(each.messages for each in groups) == sum(row.sender.mails for row in rows)


def test_a_page_beyond_the_end_is_the_last(rows: tuple[SenderRow, ...]) -> None:
    many = rows * 20
    last = listing(many, Asked(page=10**6))
    assert last.page == last.pages == -(-len(many) // PAGE)
    assert last.rows
    assert len(listing(many, Asked()).rows) == PAGE
