"""BIMI records, and the DMARC policies that let a logo be shown."""

from __future__ import annotations

import pytest

from portero.core.mail.bimi import lets_logo, parse_bimi
from portero.core.mail.dmarc_record import Policy, parse_record


@pytest.mark.parametrize(
    ("text", "faults", "declined"),
    [
        ("v=BIMI1; l=https://example.com/logo.svg; a=https://example.com/logo.pem", 0, False),
        ("v=BIMI1; l=; a=;", 0, True),
        ("v=BIMI1; l=http://example.com/logo.svg", 1, False),
        ("v=BIMI1; a=https://example.com/logo.pem", 1, False),
        ("v=BIMI1; l=https://example.com/logo.svg; a=logo.pem", 1, False),
    ],
)
def test_a_record(text: str, faults: int, declined: bool) -> None:
    record = parse_bimi(text)

    assert record is not None
    assert (len(record.faults), record.declined) == (faults, declined)


@pytest.mark.parametrize("text", ["", "v=BIMI2; l=", "l=https://example.com/logo.svg; v=BIMI1"])
def test_what_is_none(text: str) -> None:
    assert parse_bimi(text) is None


@pytest.mark.parametrize(
    ("record", "shown"),
    [
        ("v=DMARC1; p=reject", True),
        ("v=DMARC1; p=quarantine; pct=100", True),
        ("v=DMARC1; p=quarantine; pct=50", False),
        ("v=DMARC1; p=reject; sp=none", False),
        ("v=DMARC1; p=reject; t=y", False),
        ("v=DMARC1; p=none", False),
    ],
)
def test_only_an_enforcing_policy_lets_a_logo_be_shown(record: str, shown: bool) -> None:
    held = parse_record(record)

    assert held is not None
    assert lets_logo(held, held.p) is shown
    assert not lets_logo(None, Policy.REJECT)
