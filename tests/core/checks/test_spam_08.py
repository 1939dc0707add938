"""SPAM-08: zero-hour purge."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from portero.core.checks.spam_08 import CHECK
from portero.core.finding import Finding, Outcome, find

Build = Callable[..., Any]
PASS, WARN, FAIL = Outcome.PASS, Outcome.WARN, Outcome.FAIL
UNKNOWN, NOT_APPLICABLE = Outcome.UNKNOWN, Outcome.NOT_APPLICABLE

SPAM: dict[str, object] = {
    "Name": "Default",
    "IsDefault": True,
    "PhishZapEnabled": True,
    "SpamZapEnabled": True,
}
MALWARE: dict[str, object] = {"Name": "Default", "IsDefault": True, "ZapEnabled": True}


def judged(posture: Build, spam: object, malware: object) -> Finding:
    return find(CHECK, posture({"Get-HostedContentFilterPolicy": spam, "Get-MalwareFilterPolicy": malware}))


@pytest.mark.parametrize(
    ("spam", "malware", "outcome"),
    [
        ([SPAM], [MALWARE], PASS),
        ([{**SPAM, "PhishZapEnabled": False}], [MALWARE], FAIL),
        ([SPAM], [{**MALWARE, "ZapEnabled": False}], FAIL),
        ([{**SPAM, "SpamZapEnabled": None}], [MALWARE], UNKNOWN),
        ([SPAM], [{"Name": "Default", "IsDefault": True}], UNKNOWN),
        ([SPAM], [], UNKNOWN),
    ],
)
def test_all_three_must_be_on(posture: Build, spam: object, malware: object, outcome: Outcome) -> None:
    assert judged(posture, spam, malware).outcome is outcome


def test_one_cmdlet_alone_is_unknown(posture: Build) -> None:
    assert find(CHECK, posture({"Get-MalwareFilterPolicy": [MALWARE]})).outcome is UNKNOWN


def test_each_family_is_mended_by_its_own_cmdlet(posture: Build) -> None:
    found = judged(posture, [{**SPAM, "SpamZapEnabled": False}], [{**MALWARE, "ZapEnabled": False}])

    assert "Set-HostedContentFilterPolicy -Identity 'Default' -SpamZapEnabled $true" in str(found.fix)
    assert "Set-MalwareFilterPolicy -Identity 'Default' -ZapEnabled $false" in str(found.undo)
