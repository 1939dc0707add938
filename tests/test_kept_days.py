"""Days of a lake: what two share, what moves to which, and how spans are made."""

from datetime import date, timedelta

import pyarrow as pa

from portero.kept_days import Leaf, Span, marked, moves_of, shared_marks, tree_of


def table(*rows):
    return pa.table(
        {
            "network_message_id": pa.array([row[0] for row in rows], pa.string()),
            "message_id": pa.array([row[1] for row in rows], pa.string()),
        }
    )


def test_days_share_what_has_the_same_network_message_id():
    assert shared_marks(table(("a", "x"), ("b", "y")), table(("b", "z"), ("c", "w"))) == {"nb"}


def test_a_message_id_that_a_device_uses_again_shares_nothing_where_both_know_the_other_id():
    assert shared_marks(table(("a", "same")), table(("b", "same"))) == set()


def test_a_message_id_joins_where_one_lacks_the_other_id_and_takes_its_rows_along():
    assert shared_marks(table((None, "x")), table(("b", "x"), ("b", None))) == {"mx", "nb"}
    assert shared_marks(table(("a", "x")), table(("", "x"))) == {"mx", "na"}
    assert shared_marks(table((None, "x")), table((None, "x"))) == {"mx"}


def test_nothing_and_empty_are_no_ids():
    assert shared_marks(table((None, None), ("", "")), table((None, None), ("", ""))) == set()


def test_marks_tell_rows():
    rows = table(("a", "x"), (None, "y"), ("c", None), (None, None)).to_batches()[0]
    assert marked(rows, frozenset({"na", "my"})).to_pylist() == [True, True, False, False]


def test_a_mail_goes_to_the_first_day_of_those_on_end():
    shared = {
        "2026-11-01": frozenset({"na", "nb"}),
        "2026-11-02": frozenset({"na", "nc"}),
    }
    first, second, third = (moves_of(f"2026-11-0{n}", shared) for n in (1, 2, 3))
    assert first.before == frozenset()
    assert first.later == (("2026-11-02", frozenset({"na", "nb"})), ("2026-11-03", frozenset({"na"})))
    assert second.before == frozenset({"na", "nb"})
    assert second.later == (("2026-11-03", frozenset({"nc"})),)
    assert third.before == frozenset({"na", "nc"})
    assert third.later == ()
    assert moves_of("undated", shared) == moves_of("2026-12-01", shared)


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

    assert len(keys(after) - keys(before)) <= 8
    assert len(keys(tree_of(leaves[1:], "k")) - keys(after)) <= 8
    assert tree_of([], "k") is None
    assert tree_of(leaves[:1], "k") == leaves[0]


def test_days_far_apart_make_a_tree_too():
    leaves = [Leaf(day, day) for day in ("0001-01-01", "1970-01-01", "2026-11-24", "9999-12-31")]
    tree = tree_of(leaves, "k")
    assert days_of(tree) == [leaf.day for leaf in leaves]
    assert len({*tree.places()}) == 3
