"""DNS-12: the tenant's own onmicrosoft.com domain."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from portero.core.checks.dns_12 import CHECK
from portero.core.dns import DnsStatus
from portero.core.finding import Finding, Outcome, find

Build = Callable[..., Any]
PASS, WARN, FAIL = Outcome.PASS, Outcome.WARN, Outcome.FAIL
UNKNOWN, NOT_APPLICABLE = Outcome.UNKNOWN, Outcome.NOT_APPLICABLE

NAME = "_dmarc.contoso.onmicrosoft.com"
DOMAINS = ("contoso.com", "contoso.onmicrosoft.com")


def judged(posture: Build, answer: Any, **fields: Any) -> Finding:
    return find(
        CHECK, posture({"Get-AcceptedDomain": []}, dns={(NAME, "TXT"): answer}, domains=DOMAINS, **fields)
    )


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (["v=DMARC1; p=reject"], PASS),
        (["v=DMARC1; p=quarantine"], PASS),
        (["v=DMARC1; p=none"], FAIL),
        ([], FAIL),
        (["v=DMARC1; p=reject", "v=DMARC1; p=none"], FAIL),
        (DnsStatus.NXDOMAIN, FAIL),
        (DnsStatus.SERVFAIL, UNKNOWN),
    ],
)
def test_each_answer_has_its_outcome(posture: Build, answer: Any, outcome: Outcome) -> None:
    assert judged(posture, answer, mail_seen=True).outcome is outcome


def test_whoever_sends_from_it_warns_and_without_mail_nobody_knows(posture: Build, sender: Build) -> None:
    using = sender(header_from_domains=("contoso.onmicrosoft.com",))

    assert judged(posture, ["v=DMARC1; p=reject"], senders=(using,)).outcome is WARN
    assert judged(posture, ["v=DMARC1; p=reject"]).outcome is UNKNOWN


def test_without_such_a_domain_it_does_not_apply_only_where_the_list_is_known(posture: Build) -> None:
    dns = {("contoso.com", "MX"): []}

    assert find(CHECK, posture({}, dns=dns)).outcome is UNKNOWN
    assert find(CHECK, posture({"Get-AcceptedDomain": []}, dns=dns)).outcome is NOT_APPLICABLE
