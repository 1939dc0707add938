"""DS-07: names below our domains."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from portero.core.checks.ds_07 import CHECK
from portero.core.finding import Finding, Outcome, find
from portero.core.sender import DecidedBy

Build = Callable[..., Any]
PASS, WARN, FAIL = Outcome.PASS, Outcome.WARN, Outcome.FAIL
UNKNOWN, NOT_APPLICABLE = Outcome.UNKNOWN, Outcome.NOT_APPLICABLE

NONE = {
    ("_dmarc.news.contoso.com", "TXT"): [],
    ("_dmarc.contoso.com", "TXT"): ["v=DMARC1; p=none"],
    ("_dmarc.com", "TXT"): [],
}
REJECT = {**NONE, ("_dmarc.contoso.com", "TXT"): ["v=DMARC1; p=reject"]}


def judged(posture: Build, matching: object, senders: Any = (), dns: Any = NONE) -> Finding:
    domain = {"DomainName": "contoso.com", "DomainType": "Authoritative", "MatchSubDomains": matching}
    held = {name: value for name, value in domain.items() if value != "absent"}
    return find(CHECK, posture({"Get-AcceptedDomain": [held]}, dns=dns, senders=senders, mail_seen=True))


@pytest.mark.parametrize(
    ("matching", "outcome"), [(False, PASS), (None, PASS), (True, WARN), ("absent", UNKNOWN)]
)
def test_matching_decides(posture: Build, matching: object, outcome: Outcome) -> None:
    assert judged(posture, matching).outcome is outcome


def test_a_name_below_in_envelopes_must_be_known_or_covered(posture: Build, sender: Build) -> None:
    using = sender(mail_from_domains=("news.contoso.com",))
    known = sender(mail_from_domains=("news.contoso.com",), decided_by=DecidedBy.REGISTER)

    assert judged(posture, False, (using,)).outcome is WARN
    assert judged(posture, False, (using,), REJECT).outcome is PASS
    assert judged(posture, False, (known,)).outcome is PASS
    assert judged(posture, False, (using,), {("x.example", "A"): []}).outcome is UNKNOWN


def test_without_mail_or_dns_it_is_unknown(posture: Build) -> None:
    assert find(CHECK, posture({})).outcome is UNKNOWN
