"""DS-05: a probe from outside."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from portero.core.checks.ds_05 import CHECK
from portero.core.finding import Finding, Outcome, find

Build = Callable[..., Any]
PASS, WARN, FAIL = Outcome.PASS, Outcome.WARN, Outcome.FAIL
UNKNOWN, NOT_APPLICABLE = Outcome.UNKNOWN, Outcome.NOT_APPLICABLE


def judged(posture: Build, *replies: str, sender: str = "probe@contoso.com") -> Finding:
    probes = [
        {"Identity": str(number), "host": "contoso-com.mail.protection.outlook.com", "mail_from": sender,
         "reply": reply, "at": f"2026-11-2{number}T10:00:00Z"}
        for number, reply in enumerate(replies)
    ]  # fmt: skip
    return find(CHECK, posture({"smtp-probe": probes}))


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        ("550 5.7.68 TenantInboundAttribution; Direct Send not allowed", PASS),
        ("250 2.1.5 Recipient OK", FAIL),
        ("550 5.7.51 TenantInboundAttribution; restricted", UNKNOWN),
        ("550 5.7.680 something", UNKNOWN),
        ("451 4.7.500 busy", UNKNOWN),
        ("", UNKNOWN),
    ],
)
def test_each_reply_has_its_outcome(posture: Build, reply: str, outcome: Outcome) -> None:
    assert judged(posture, reply).outcome is outcome


def test_the_newest_probe_counts(posture: Build) -> None:
    assert judged(posture, "250 OK", "550 5.7.68 TenantInboundAttribution").outcome is PASS


def test_a_probe_as_somebody_else_proves_nothing_and_none_is_unknown(posture: Build) -> None:
    assert judged(posture, "550 5.7.68 no", sender="x@other.example").outcome is UNKNOWN
    assert judged(posture).outcome is UNKNOWN
    assert find(CHECK, posture({})).outcome is UNKNOWN
