"""What a fix takes, and what it does to recorded mail."""

from __future__ import annotations

import pytest

from portero.core.evidence import ConfigObject, Origin
from portero.core.exchange.change import making, setting
from portero.core.remedy import effect, prerequisites, propagation, roles
from portero.core.sender import Judgement
from portero.core.simulation import Effect, SenderEffect, Simulation
from portero.core.text import Text
from support.powershell_model import parse

PLACE = Origin("tenant.json", 1)
[SWITCH] = setting(
    ConfigObject("Get-OrganizationConfig", {"RejectDirectSend": False}, PLACE), {"RejectDirectSend": True}
)
[CONNECTOR] = setting(
    ConfigObject("Get-InboundConnector", {"Name": "x", "Enabled": True}, PLACE), {"Enabled": False}
)


def test_roles_are_named_once() -> None:
    assert roles([SWITCH, CONNECTOR, CONNECTOR]) == (
        "Organization Configuration",
        "Remote and Accepted Domains",
    )


def test_the_switch_takes_half_an_hour_and_the_rest_no_published_time() -> None:
    assert [str(each) for each in propagation([SWITCH, CONNECTOR])] == [
        "Takes effect within about 30 minutes.",
        "Microsoft publishes no time for it: plan an hour before judging.",
    ]


@pytest.mark.parametrize(
    ("noun", "session"),
    [
        ("InboundConnector", "Connect-ExchangeOnline"),
        ("ProtectionAlert", "Connect-IPPSSession"),
        ("MgIdentityConditionalAccessPolicy", "Connect-MgGraph"),
    ],
)
def test_the_session_fits_and_what_is_there_is_saved_first(noun: str, session: str) -> None:
    held = prerequisites(making(noun, "x", {}))

    assert session in str(held[0])
    assert any(f"Get-{noun} | ConvertTo-Json" in str(each) for each in held)
    for each in held[1:]:
        parse(str(dict(each.values)["commands"]))
    assert prerequisites([]) == ()


def test_the_effect_counts_legitimate_mail_apart() -> None:
    def of(judgement: Judgement, refused: int) -> SenderEffect:
        return SenderEffect("s", Effect.REFUSED, refused, 0, 0, judgement, None, Text("x"))

    held = Simulation(
        controls=("reject-direct-send",),
        senders=(of(Judgement.LEGITIMATE, 3), of(Judgement.ABUSE, 40), of(Judgement.UNDECIDED, 5)),
    )

    assert "refuse 3 legitimate mails and 5 about which nobody has decided, of 48; 0 are undetermined" in str(
        effect(held)
    )
