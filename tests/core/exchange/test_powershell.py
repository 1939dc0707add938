"""PowerShell that holds values of an export, which are hostile."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portero.core.exchange.powershell import adding, literal, quote, removing

SINGLE_QUOTES = "'‘’‚‛"


def test_every_sign_that_powershell_takes_for_a_single_quote_is_doubled() -> None:
    assert quote("O'Neil") == "'O''Neil'"
    assert quote("a’; Remove-Mailbox x; ‘") == "'a’’; Remove-Mailbox x; ‘‘'"


@given(st.text())
def test_no_value_ends_its_own_text(value: str) -> None:
    inside = quote(value)[1:-1]
    for pair in (sign * 2 for sign in SINGLE_QUOTES):
        inside = inside.replace(pair, "")

    assert not set(SINGLE_QUOTES) & set(inside)


@pytest.mark.parametrize(
    ("value", "written"),
    [(None, "$null"), (False, "$false"), (True, "$true"), (3, "3"), (["a", "b"], "@('a','b')"), ([], "@()")],
)
def test_exported_values_are_written_so_that_null_false_and_empty_stay_three_things(
    value: object, written: str
) -> None:
    assert literal(value) == written


def test_lists_are_changed_and_not_overwritten() -> None:
    assert removing(["203.0.113.10", "a'b"]) == "@{Remove='203.0.113.10','a''b'}"
    assert adding(["contoso.com"]) == "@{Add='contoso.com'}"
