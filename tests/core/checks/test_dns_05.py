"""DNS-05: registered senders and SPF."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from portero.core.checks.dns_05 import CHECK
from portero.core.evidence import Coverage
from portero.core.finding import Finding, Outcome, find
from portero.core.sender import Judgement

Build = Callable[..., Any]
PASS, WARN, FAIL = Outcome.PASS, Outcome.WARN, Outcome.FAIL
UNKNOWN, NOT_APPLICABLE = Outcome.UNKNOWN, Outcome.NOT_APPLICABLE

LONG = (
    Coverage(
        "trace.csv",
        "message-trace-extended",
        9,
        datetime(2026, 8, 1, tzinfo=UTC),
        datetime(2026, 11, 24, tzinfo=UTC),
    ),
)


def judged(posture: Build, record: str | None, senders: Any, **fields: Any) -> Finding:
    dns = {("contoso.com", "MX"): []} | ({} if record is None else {("contoso.com", "TXT"): [record]})
    return find(CHECK, posture({}, dns=dns, senders=senders, mail_seen=True, **fields))


@pytest.mark.parametrize(
    ("record", "outcome"),
    [
        ("v=spf1 ip4:203.0.113.10 -all", PASS),
        ("v=spf1 -all", FAIL),
        ("v=spf1 ~all", FAIL),
        (None, UNKNOWN),
        ("v=spf1 include:nobody.example -all", UNKNOWN),
    ],
)
def test_a_direct_sender_must_pass(
    posture: Build, sender: Build, record: str | None, outcome: Outcome
) -> None:
    assert judged(posture, record, (sender(),)).outcome is outcome


def test_a_term_from_which_nothing_came_warns_once_the_evidence_reaches_back(
    posture: Build, sender: Build, month: Any
) -> None:
    record = "v=spf1 ip4:203.0.113.10 ip4:198.51.100.9 -all"
    found = judged(posture, record, (sender(),), coverage=LONG)

    assert found.outcome is WARN
    assert '"v=spf1 ip4:203.0.113.10 -all"' in str(found.fix)
    assert judged(posture, record, (sender(),), coverage=month).outcome is PASS


def test_without_direct_senders_it_does_not_apply(posture: Build) -> None:
    assert judged(posture, "v=spf1 -all", ()).outcome is NOT_APPLICABLE
    assert find(CHECK, posture({})).outcome is UNKNOWN


def test_an_abusive_sender_need_not_pass(posture: Build, sender: Build) -> None:
    assert judged(posture, "v=spf1 -all", (sender(judgement=Judgement.ABUSE),)).outcome is NOT_APPLICABLE
