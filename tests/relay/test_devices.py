"""Who a device is, and what is outside its rule."""

from datetime import time

import pytest

from portero.core.address import parse_network
from portero.relay.devices import (
    Device,
    Devices,
    Organisation,
    Outside,
    Pattern,
    judge_content,
    judge_recipient,
    judge_sender,
    within,
)

SCAN = Pattern(mailboxes=frozenset({"scan@contoso.com"}))
FLOOR = Device("floor", (parse_network("10.1.0.0/16"),), mail_from=SCAN, header_from=SCAN)
SCANNER = Device("scanner", (parse_network("10.1.2.0/24"),), ehlo=frozenset({"mfp"}), mail_from=SCAN)
KNOWN = Device("known", login="erp", mail_from=SCAN)
SHOWN = Device("shown", certificate="sha256:ab", mail_from=SCAN)


def test_the_narrowest_rule_whose_words_all_match() -> None:
    devices = Devices([FLOOR, SCANNER, KNOWN, SHOWN])
    assert devices.find("10.1.2.3", "MFP") is SCANNER
    assert devices.find("10.1.2.3", "other") is FLOOR
    assert devices.find("192.0.2.1") is None
    assert devices.find("192.0.2.1", login="erp") is KNOWN
    assert devices.find("192.0.2.1", certificate=("sha256:ab", "name")) is SHOWN
    assert devices.find("not an address") is None


def test_an_empty_rule_allows_nothing() -> None:
    bare = Device("bare")
    assert judge_sender(bare, "a@b.example", 0, None) == Outside("mail-from", "a@b.example")
    assert judge_recipient(bare, "a@b.example") == Outside("recipient", "a@b.example")
    assert judge_content(bare, "a@b.example", 0) == Outside("header-from", "a@b.example")


def test_patterns_compare_as_exchange_does() -> None:
    pattern = Pattern(frozenset({"scan@contoso.com"}), frozenset({"xn--mnchen-3ya.example"}))
    assert "Scan@Contoso.COM" in pattern
    assert "any@münchen.example" in pattern
    assert "any@sub.xn--mnchen-3ya.example" not in pattern
    assert "" not in pattern
    assert "" in Pattern(frozenset({""}))


@pytest.mark.parametrize(
    ("now", "good"), [(time(6), True), (time(21, 59), True), (time(22), False), (time(3), False)]
)
def test_hours(now: time, good: bool) -> None:
    device = Device("day", mail_from=SCAN, hours=(time(6), time(22)))
    assert (judge_sender(device, "scan@contoso.com", 0, now) is None) == good


def test_hours_over_midnight() -> None:
    assert within((time(22), time(6)), time(23))
    assert within((time(22), time(6)), time(5))
    assert not within((time(22), time(6)), time(12))


def test_a_message_without_one_author_is_outside() -> None:
    assert judge_content(FLOOR, None, 0) == Outside("header-from", "")
    assert judge_content(FLOOR, "scan@contoso.com", 0) is None


def test_inside_is_what_is_listed() -> None:
    organisation = Organisation(frozenset({"contoso.com"}))
    assert organisation.inside("a@CONTOSO.com")
    assert not organisation.inside("a@sub.contoso.com")
    assert organisation.belongs("a@sub.contoso.com")
