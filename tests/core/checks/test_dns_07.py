"""DNS-07: DKIM keys."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import pytest

from portero.core.checks.dns_07 import CHECK
from portero.core.dns import DnsStatus
from portero.core.finding import Finding, Outcome, find

Build = Callable[..., Any]
PASS, WARN, FAIL = Outcome.PASS, Outcome.WARN, Outcome.FAIL
UNKNOWN, NOT_APPLICABLE = Outcome.UNKNOWN, Outcome.NOT_APPLICABLE

CONFIG: dict[str, object] = {
    "Domain": "contoso.com", "Enabled": True, "KeyCreationTime": "2026-06-01T00:00:00Z",
    "RotateOnDate": "2026-06-05T00:00:00Z", "SelectorBeforeRotateOnDate": "selector2",
    "SelectorAfterRotateOnDate": "selector1",
}  # fmt: skip
ACTIVE = ("selector1._domainkey.contoso.com", "TXT")


def judged(posture: Build, answer: Any, **changed: object) -> Finding:
    dns = {("contoso.com", "MX"): []} | ({} if answer is None else {ACTIVE: answer})
    return find(CHECK, posture({"Get-DkimSigningConfig": [{**CONFIG, **changed}]}, dns=dns))


def key(bits: int) -> str:
    number = (1 << (bits - 1) | 1).to_bytes(bits // 8, "big")
    integer = b"\x02" + length(len(number) + 1) + b"\x00" + number
    inner = b"\x30" + length(len(integer) + 5) + integer + b"\x02\x03\x01\x00\x01"
    return "v=DKIM1; k=rsa; p=" + base64.b64encode(inner).decode()


def length(number: int) -> bytes:
    if number < 128:
        return bytes([number])
    octets = number.to_bytes(2, "big").lstrip(b"\x00")
    return bytes([0x80 | len(octets)]) + octets


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        ([key(2048)], PASS),
        ([key(2048).removeprefix("v=DKIM1; ")], PASS),
        ([key(1024)], WARN),
        (["v=DKIM1; p="], FAIL),
        ([key(2048) + "; t=y"], FAIL),
        ([], FAIL),
        (DnsStatus.NXDOMAIN, FAIL),
        (DnsStatus.SERVFAIL, UNKNOWN),
        (None, UNKNOWN),
    ],
)
def test_each_key_has_its_outcome(posture: Build, answer: Any, outcome: Outcome) -> None:
    assert judged(posture, answer).outcome is outcome


def test_an_old_key_warns_and_one_of_unknown_age_is_unknown(posture: Build) -> None:
    assert judged(posture, [key(2048)], KeyCreationTime="2024-01-01T00:00:00Z").outcome is WARN
    assert judged(posture, [key(2048)], KeyCreationTime=None, RotateOnDate=None).outcome is UNKNOWN


def test_the_selector_in_use_is_asked_for(posture: Build) -> None:
    assert judged(posture, [key(2048)], RotateOnDate="2027-01-01T00:00:00Z").outcome is UNKNOWN


def test_what_is_not_signed_does_not_apply(posture: Build) -> None:
    assert judged(posture, [key(2048)], Enabled=False).outcome is NOT_APPLICABLE
    assert find(CHECK, posture({})).outcome is UNKNOWN
