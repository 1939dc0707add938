"""Many domains' standings become one verdict that never turns silence green."""

from __future__ import annotations

import pytest

from portero.core.checks.standing import Standing, conclude, mx_line
from portero.core.finding import Outcome, Verdict
from portero.core.text import Text


def concluded(*outcomes: Outcome) -> Verdict:
    standings = [Standing(f"{each}.example", each, Text(f"clause of {each}")) for each in outcomes]
    return conclude(standings, Text("All pass."), Text("None applies."))


@pytest.mark.parametrize(
    ("outcomes", "expected"),
    [
        ([Outcome.PASS, Outcome.PASS], Outcome.PASS),
        ([Outcome.PASS, Outcome.WARN], Outcome.WARN),
        ([Outcome.PASS, Outcome.UNKNOWN], Outcome.UNKNOWN),
        ([Outcome.WARN, Outcome.UNKNOWN], Outcome.UNKNOWN),
        ([Outcome.FAIL, Outcome.UNKNOWN, Outcome.WARN, Outcome.PASS], Outcome.FAIL),
        ([Outcome.NOT_APPLICABLE], Outcome.NOT_APPLICABLE),
        ([Outcome.NOT_APPLICABLE, Outcome.PASS], Outcome.PASS),
        ([Outcome.NOT_APPLICABLE, Outcome.UNKNOWN], Outcome.UNKNOWN),
    ],
)
def test_the_gravest_wins_and_unknown_outweighs_a_warning(outcomes: list[Outcome], expected: Outcome) -> None:
    found = concluded(*outcomes)

    assert found.outcome is expected
    for each in {Outcome.FAIL, Outcome.WARN, Outcome.UNKNOWN} & set(outcomes):
        assert f"clause of {each}" in str(found.because)


def test_an_mx_line_ends_in_a_dot_once() -> None:
    assert (
        mx_line("a.example", "10 mx.example.")
        == mx_line("a.example", "10 mx.example")
        == "a.example. MX 10 mx.example."
    )
