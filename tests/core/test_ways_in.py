"""What a connector by address can list."""

from __future__ import annotations

import pytest

from portero.core.ways_in import listable


@pytest.mark.parametrize(
    ("address", "can"),
    [
        ("203.0.113.9", True),
        ("2001:db8::9", False),
        ("10.1.2.3", False),
        # Exchange Online's own: every other tenant sends from there too.
        ("40.107.21.40", False),
        ("104.47.2.36", False),
    ],
)
def test_only_an_ipv4_address_of_a_client_can_be_listed(address: str, can: bool) -> None:
    assert listable(address) is can
