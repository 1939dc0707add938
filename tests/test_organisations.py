"""Exports of several organisations in one folder: what one of them refuses, another may take."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from portero import wiring
from portero.core.audit import Audit
from portero.core.finding import Outcome, Profile
from portero.errors import ConfigError
from portero.wiring import audit
from support.reading import table


def organisation(name: str, reject: bool, guid: str) -> dict[str, object]:
    return {
        "Get-OrganizationConfig": {
            "Guid": guid,
            "Name": f"{name}.onmicrosoft.com",
            "RejectDirectSend": reject,
        },
        "Get-InboundConnector": [],
        "Get-AcceptedDomain": [
            {
                "DomainName": f"{name}.example",
                "Default": True,
                "MatchSubDomains": False,
                "InitialDomain": False,
            }
        ],
    }


def audited(folder: Path, *held: dict[str, object]) -> Audit:
    for number, each in enumerate(held):
        (folder / f"{number}.json").write_text(json.dumps(each))
    row = {
        "MessageTraceId": "a5e6dc0f-23df-4b20-d240-08dab38944a1",
        "MessageId": "<scan-1@mfp.one.example>",
        "Received": "2026-11-20T10:00:00.0000000Z",
        "SenderAddress": "scan@one.example",
        "RecipientAddress": "ana@one.example",
        "Subject": "Scan",
        "Status": "Delivered",
        "FromIP": "203.0.113.8",
    }
    (folder / "trace.csv").write_text(table([row]))
    return audit([folder], config=None, profile=Profile.STANDARD, progress=lambda _: None)


def refused_by_basic_off(found: Audit) -> int:
    return next(each.refused for each in found.simulations if each.controls == ("smtp-basic-off",))


def test_a_setting_of_another_organisation_refuses_no_mail(tmp_path: Path) -> None:
    found = audited(tmp_path, organisation("one", False, "1"), organisation("two", True, "2"))
    assert any("several organisations" in gap.reason.template for gap in found.gaps)
    assert refused_by_basic_off(found) == 0
    (switch,) = (each for each in found.findings if each.id == "DS-01")
    assert switch.outcome is Outcome.UNKNOWN
    assert "reject-direct-send" in {text for step in found.plan for text in step.controls}


def test_the_same_organisation_exported_twice_is_one(tmp_path: Path) -> None:
    found = audited(tmp_path, organisation("one", False, "1"), organisation("one", True, "1"))
    assert not any("several organisations" in gap.reason.template for gap in found.gaps)
    assert refused_by_basic_off(found) == 1


@pytest.mark.parametrize(
    ("control", "says"),
    [
        ("remove-connector=Printer", "no inbound connector"),
        ("dmarc=two.example:reject", "no domain of the organisation"),
    ],
)
def test_a_control_over_what_the_organisation_does_not_have_is_a_wrong_call(
    tmp_path: Path, control: str, says: str
) -> None:
    (tmp_path / "one.json").write_text(json.dumps(organisation("one", False, "1")))
    with pytest.raises(ConfigError) as raised:
        wiring.simulate([tmp_path], [control], config=None, progress=lambda _: None)
    assert says in str(raised.value)
