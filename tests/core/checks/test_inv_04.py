"""INV-04: platforms that send as us."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from portero.core.checks.inv_04 import CHECK
from portero.core.finding import Finding, Outcome, find
from portero.core.flow import Facts, OutsideFlow
from portero.core.sender import DecidedBy, Kind

Build = Callable[..., Any]
PASS, WARN, FAIL = Outcome.PASS, Outcome.WARN, Outcome.FAIL
UNKNOWN, NOT_APPLICABLE = Outcome.UNKNOWN, Outcome.NOT_APPLICABLE

REJECT = {("_dmarc.contoso.com", "TXT"): ["v=DMARC1; p=reject"], ("_dmarc.com", "TXT"): []}
NONE = {("_dmarc.contoso.com", "TXT"): ["v=DMARC1; p=none"], ("_dmarc.com", "TXT"): []}


def row(aligned: int) -> OutsideFlow:
    when = datetime(2026, 11, 20, tzinfo=UTC)
    return OutsideFlow(
        "203.0.113.10", "contoso.com", None, "r.example", False, 3, aligned, 0, None, None, when, when
    )


def platform(sender: Build, **fields: Any) -> Any:
    held = {
        "kind": Kind.SERVICE,
        "decided_by": DecidedBy.REGISTER,
        "owner": "marketing@contoso.com",
        **fields,
    }
    return (sender(**held),)


def judged(posture: Build, senders: Any, outside: Any, dns: Any = REJECT) -> Finding:
    return find(CHECK, posture({}, senders=senders, outside=outside, dns=dns))


def test_registered_and_aligned_passes_and_unregistered_warns(posture: Build, sender: Build) -> None:
    assert judged(posture, platform(sender), (row(3),)).outcome is PASS
    loose = platform(sender, decided_by=DecidedBy.EVIDENCE, owner=None)
    assert judged(posture, loose, (row(3),)).outcome is WARN


@pytest.mark.parametrize(
    ("dns", "outcome"), [(REJECT, FAIL), (NONE, WARN), ({("x.example", "A"): []}, UNKNOWN)]
)
def test_unaligned_depends_on_the_policy(posture: Build, sender: Build, dns: Any, outcome: Outcome) -> None:
    assert judged(posture, platform(sender), (row(0),), dns).outcome is outcome


def test_our_own_receivers_word_counts_where_no_report_names_the_address(
    posture: Build, sender: Build
) -> None:
    passing = platform(sender, facts=Facts(dmarc={"pass": 3}), client_networks=("192.0.2.9/32",))

    assert judged(posture, passing, (row(0),)).outcome is PASS


def test_nobody_says_is_unknown_and_no_platform_does_not_apply(posture: Build, sender: Build) -> None:
    assert judged(posture, platform(sender), ()).outcome is UNKNOWN
    assert judged(posture, platform(sender, client_networks=("192.0.2.9/32",)), (row(3),)).outcome is UNKNOWN
    assert judged(posture, (sender(),), (row(3),)).outcome is NOT_APPLICABLE
    assert find(CHECK, posture({})).outcome is UNKNOWN
