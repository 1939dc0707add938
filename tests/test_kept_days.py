"""Days of a lake: what two share, what moves to which, and how spans are made."""

from datetime import date, timedelta

import pyarrow as pa
import pytest

from portero.kept_days import Leaf, Span, in_common, marked, moves_of, prints_of, shared_mails, tree_of


def table(*rows):
    return pa.table(
        {
            "network_message_id": pa.array([row[0] for row in rows], pa.string()),
            "message_id": pa.array([row[1] for row in rows], pa.string()),
        }
    )


def test_days_share_what_has_the_same_network_message_id():
    assert shared_mails(table(("a", "x"), ("b", "y")), table(("b", "z"), ("c", "w"))) == [("nb",)]


def test_a_message_id_that_a_device_uses_again_shares_nothing_where_both_know_the_other_id():
    assert shared_mails(table(("a", "same")), table(("b", "same"))) == []


def test_a_message_id_joins_where_one_lacks_the_other_id_and_takes_its_rows_along():
    assert shared_mails(table((None, "x")), table(("b", "x"), ("b", None))) == [("mx", "nb")]
    assert shared_mails(table(("a", "x")), table(("", "x"))) == [("mx", "na")]
    assert shared_mails(table((None, "x")), table((None, "x"))) == [("mx",)]


def test_nothing_and_empty_are_no_ids():
    assert shared_mails(table((None, None), ("", "")), table((None, None), ("", ""))) == []


def test_prints_of_ids_are_the_same_for_the_same_id_alone():
    prints = prints_of(pa.array(["a", "b", "a", ""]))
    assert prints.type == pa.int64()
    assert prints[0] == prints[2]
    assert len({*prints.to_pylist()}) == 3
    assert len(prints_of(pa.array([], pa.string()))) == 0


def numbers(*given):
    return pa.array(given, pa.int64())


def test_prints_in_common_are_named_with_all_days_that_have_them():
    held = [{"1": numbers(1, 2, 9), "2": numbers(3)}, {"3": numbers(2, 9), "4": numbers()}]
    fresh = {"5": numbers(2, 4, 5), "6": numbers(4, 6), "7": numbers()}
    # 9 is in two days, of which none is fresh: whoever has compared these knows.
    assert in_common(fresh, held) == {2: {"1", "3", "5"}, 4: {"5", "6"}}
    assert in_common(fresh, []) == {4: {"5", "6"}}
    assert in_common({}, held) == in_common({"5": numbers()}, held) == {}


def test_marks_tell_rows():
    rows = table(("a", "x"), (None, "y"), ("c", None), (None, None)).to_batches()[0]
    assert marked(rows, frozenset({"na", "my"})).to_pylist() == [True, True, False, False]


def test_a_mail_goes_to_the_first_day_on_which_it_was_seen():
    moves = moves_of(
        {
            ("2026-11-01", "2026-11-02"): [("na",), ("nb",)],
            ("2026-11-01", "2026-11-05"): [("na",)],
            ("2026-11-02", "2026-11-05"): [("na",), ("nc",)],
            ("2026-11-05", "undated"): [("nd",)],
        }
    )
    first, second, fifth, undated = (moves[day] for day in (*(f"2026-11-0{n}" for n in (1, 2, 5)), "undated"))
    assert first.before == frozenset()
    assert first.later == (("2026-11-02", frozenset({"na", "nb"})), ("2026-11-05", frozenset({"na"})))
    assert second.before == frozenset({"na", "nb"})
    assert second.later == (("2026-11-05", frozenset({"nc"})),)
    assert fifth.before == frozenset({"na", "nc"})
    assert fifth.later == (("undated", frozenset({"nd"})),)
    assert (undated.before, undated.later) == (frozenset({"nd"}), ())
    assert moves.keys() == {"2026-11-01", "2026-11-02", "2026-11-05", "undated"}


def test_what_a_message_id_ties_together_goes_to_one_day_and_counts_once():
    moves = moves_of({("2026-11-01", "2026-11-03"): [("mx", "nb")], ("2026-11-02", "2026-11-03"): [("nb",)]})
    assert moves["2026-11-01"].later == (
        ("2026-11-02", frozenset({"nb"})),
        ("2026-11-03", frozenset({"mx", "nb"})),
    )
    assert (moves["2026-11-02"].before, moves["2026-11-02"].later) == (frozenset({"nb"}), ())
    assert moves["2026-11-03"].before == frozenset({"mx", "nb"})


@pytest.mark.parametrize("number", range(60, 90))
def test_a_day_more_in_the_same_week_keeps_all_days_before_it_merged(number):
    start = date(2026, 2, 20)
    leaves = [Leaf((start + timedelta(days=n)).isoformat(), str(n)) for n in range(number + 1)]
    before, after = tree_of(leaves[:-1], "k"), tree_of(leaves, "k")
    same_week = date.fromisoformat(leaves[-1].day).toordinal() % 8 > 0
    assert (before.left == after.left) is same_week
    assert len(days_of(after.right)) <= 8


def days_of(node):
    return [node.day] if isinstance(node, Leaf) else [*days_of(node.left), *days_of(node.right)]


def test_a_tree_has_every_day_once_in_order_and_a_day_more_changes_only_what_is_above_it():
    start = date(2026, 2, 20)
    leaves = [Leaf((start + timedelta(days=n)).isoformat(), str(n)) for n in range(91)]
    before, after = tree_of(leaves[:-1], "k"), tree_of(leaves, "k")
    assert isinstance(before, Span)
    assert isinstance(after, Span)
    assert days_of(after) == [leaf.day for leaf in leaves]
    places = list(after.places())
    assert len(places) == len(set(places)) == 90

    def keys(node):
        return {node.key} | (keys(node.left) | keys(node.right) if isinstance(node, Span) else set())

    # The day with its key, what is merged of the last week, and the whole; a day at the other end goes the long way.
    assert len(keys(after) - keys(before)) <= 5
    assert len(keys(tree_of(leaves[1:], "k")) - keys(after)) <= 9
    assert tree_of([], "k") is None
    assert tree_of(leaves[:1], "k") == leaves[0]


def test_days_far_apart_make_a_tree_too():
    leaves = [Leaf(day, day) for day in ("0001-01-01", "1970-01-01", "2026-11-24", "9999-12-31")]
    tree = tree_of(leaves, "k")
    assert days_of(tree) == [leaf.day for leaf in leaves]
    assert len({*tree.places()}) == 3
