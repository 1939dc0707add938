"""Differences between two exports, in terms of mail."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from portero.core.drift import drift
from portero.core.evidence import ConfigAnswer, ConfigObject, Origin
from portero.core.exchange.settings import Tenant
from portero.core.sender import DecidedBy, Judgement, Kind, Path, Sender
from portero.core.text import Text


def tenant(objects: dict[str, list[dict[str, Any]]], cut: frozenset[str] = frozenset()) -> Tenant:
    items = [
        ConfigObject(cmdlet, each, Origin(f"{cmdlet}.json", number))
        for cmdlet, found in objects.items()
        for number, each in enumerate(found, 1)
    ]
    return Tenant(items, [ConfigAnswer(name, Origin(f"{name}.json"), name not in cut) for name in objects])


CONNECTOR: dict[str, Any] = {
    "Name": "X",
    "Enabled": True,
    "SenderIPAddresses": ["203.0.113.10"],
    "WhenChanged": "1",
}
LOG = {
    "Identity": "r1",
    "AuditData": '{"Id": "r1", "CreationTime": "2026-11-20T10:00:00", "Operation": "Set-InboundConnector", '
    '"UserId": "eve@contoso.com", "ObjectId": "X", "Parameters": []}',
}  # fmt: skip


def sender(address: str, judgement: Judgement) -> Sender:
    seen = datetime(2026, 11, 20, tzinfo=UTC)
    return Sender(
        address, Text("x"), Kind.SPOOFER, judgement, 0.9, DecidedBy.EVIDENCE, Path.DIRECT_SEND, None, (f"{address}/32",),
        (), (), (), (), 1, 0, {}, 1, seen, seen, (),
    )  # fmt: skip


def said(before: dict[str, Any], after: dict[str, Any], *senders: Sender) -> list[str]:
    return [str(each.sentence) for each in drift(tenant(before), tenant(after), senders)]


def test_what_a_connector_admits_now_is_counted_with_the_abuse_seen_there() -> None:
    wide = {**CONNECTOR, "SenderIPAddresses": ["203.0.113.10", "198.51.100.0/24"], "WhenChanged": "2"}
    abuse = [sender(f"198.51.100.{number}", Judgement.ABUSE) for number in (1, 2, 3)]
    fine = sender("198.51.100.9", Judgement.LEGITIMATE)
    found = said({"Get-InboundConnector": [CONNECTOR]}, {"Get-InboundConnector": [wide]}, *abuse, fine)

    assert found == ["InboundConnector “X” now admits 198.51.100.0/24, 256 addresses, 3 of them seen abusing"]


def test_who_did_it_stands_beside_where_the_log_tells() -> None:
    after = {"Get-InboundConnector": [{**CONNECTOR, "Enabled": False}], "Search-UnifiedAuditLog": [LOG]}
    [found] = said({"Get-InboundConnector": [CONNECTOR]}, after)

    assert found == "Enabled of InboundConnector “X” went from True to False (eve@contoso.com, 2026-11-20)"


def test_the_switch_is_said_in_words() -> None:
    on, off = {"Name": "c", "RejectDirectSend": True}, {"Name": "c", "RejectDirectSend": False}

    [found] = said({"Get-OrganizationConfig": [on]}, {"Get-OrganizationConfig": [off]})
    assert found == "Reject Direct Send was switched off: anybody may deliver in our name again"


def test_null_becoming_false_is_a_change_and_null_becoming_an_empty_list_is_none() -> None:
    before = {"Name": "c", "RejectDirectSend": None, "List": None, "Text": None}
    after = {"Name": "c", "RejectDirectSend": False, "List": [], "Text": ""}

    assert len(said({"Get-OrganizationConfig": [before]}, {"Get-OrganizationConfig": [after]})) == 1


def test_new_and_gone_objects_are_named() -> None:
    new = said({"Get-InboundConnector": []}, {"Get-InboundConnector": [CONNECTOR]})

    assert new[0] == "InboundConnector “X” is new"
    assert "admits 203.0.113.10, 1 address" in new[1]
    assert said({"Get-InboundConnector": [CONNECTOR]}, {"Get-InboundConnector": []}) == [
        "InboundConnector “X” is gone"
    ]


def test_what_one_side_lacks_or_holds_cut_is_not_compared() -> None:
    whole = {"Get-InboundConnector": [CONNECTOR]}

    assert said(whole, {}) == []
    assert (
        drift(tenant(whole), tenant({"Get-InboundConnector": []}, frozenset({"Get-InboundConnector"}))) == ()
    )


def test_the_same_state_has_no_difference() -> None:
    assert (
        said(
            {"Get-InboundConnector": [CONNECTOR]},
            {"Get-InboundConnector": [{**CONNECTOR, "WhenChanged": "9"}]},
        )
        == []
    )
