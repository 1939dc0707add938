"""SPAM-09: the tenant's allow list."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from portero.core.address import parse_network
from portero.core.checks.spam_09 import CHECK
from portero.core.finding import Finding, Outcome, find
from portero.core.register import Configuration, KnownNetwork

Build = Callable[..., Any]
PASS, WARN, FAIL = Outcome.PASS, Outcome.WARN, Outcome.FAIL
UNKNOWN, NOT_APPLICABLE = Outcome.UNKNOWN, Outcome.NOT_APPLICABLE

ITEM: dict[str, object] = {
    "Identity": "1", "Value": "partner.example", "Action": "Allow", "ListType": "Sender",
    "ExpirationDate": None, "RemoveAfter": 45, "LastUsedDate": "2026-11-20T00:00:00Z",
}  # fmt: skip


def judged(posture: Build, *items: dict[str, object], **fields: Any) -> Finding:
    return find(CHECK, posture({"Get-TenantAllowBlockListItems": items}, **fields))


@pytest.mark.parametrize(
    ("changed", "outcome"),
    [
        ({}, PASS),
        ({"Value": "contoso.com"}, FAIL),
        ({"Value": "scanner@contoso.com"}, FAIL),
        ({"RemoveAfter": None}, WARN),
        ({"RemoveAfter": None, "ExpirationDate": "2026-12-24T00:00:00Z"}, PASS),
        ({"LastUsedDate": "2026-09-01T00:00:00Z"}, WARN),
        ({"Action": "Block", "Value": "contoso.com"}, NOT_APPLICABLE),
        ({"Action": None}, UNKNOWN),
    ],
)
def test_each_entry_has_its_outcome(posture: Build, changed: dict[str, object], outcome: Outcome) -> None:
    assert judged(posture, {**ITEM, **changed}).outcome is outcome


def test_an_entry_whose_end_was_not_exported_is_unknown(posture: Build) -> None:
    bare = {name: value for name, value in ITEM.items() if name not in {"ExpirationDate", "RemoveAfter"}}

    assert judged(posture, bare).outcome is UNKNOWN


def test_an_empty_list_passes_and_no_list_is_unknown(posture: Build) -> None:
    assert judged(posture).outcome is PASS
    assert find(CHECK, posture({})).outcome is UNKNOWN


def test_an_own_network_is_ours(posture: Build) -> None:
    own = Configuration(networks=(KnownNetwork("HQ", (parse_network("203.0.113.0/24"),), "devices"),))

    assert judged(posture, {**ITEM, "Value": "203.0.113.9"}, configuration=own).outcome is FAIL
    assert judged(posture, {**ITEM, "Value": "192.0.2.9"}, configuration=own).outcome is PASS


def test_the_way_back_makes_the_entry_again_with_its_end(posture: Build) -> None:
    found = judged(posture, {**ITEM, "Value": "contoso.com"})

    assert "Remove-TenantAllowBlockListItems -ListType 'Sender' -Entries 'contoso.com'" in str(found.fix)
    assert (
        "New-TenantAllowBlockListItems -ListType 'Sender' -Entries 'contoso.com' -Allow -RemoveAfter 45"
        in str(found.undo)
    )
