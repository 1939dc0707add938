"""Spoof pairs take mail that fails and is surely of the pair; an allowed pair makes nothing certain."""

from __future__ import annotations

from dataclasses import replace

import pytest

from portero.core.controls import UnknownControlError, apply_controls, parse_control
from portero.core.dns import Dns, DnsAnswer, DnsStatus
from portero.core.evidence import ConfigObject, Origin
from portero.core.exchange.settings import AcceptedDomain, Settings, Tenant, read_settings
from portero.core.exchange.spoof_pairs import pair_changes
from portero.core.flow import Flow
from portero.core.sender import Judgement, Kind
from portero.core.simulate import simulate
from portero.core.simulation import Effect
from support.senders import OURS, a_sender, anonymous


def reverse(address: str, *names: str) -> DnsAnswer:
    name = ".".join(reversed(address.split("."))) + ".in-addr.arpa"
    return DnsAnswer(name, "PTR", DnsStatus.NOERROR if names else DnsStatus.NXDOMAIN, names)


NAMELESS, NAMED, OPEN_NAME = "198.51.100.9", "198.51.100.10", "198.51.100.11"
HELD = Settings(
    accepted_domains=(AcceptedDomain(OURS, match_subdomains=False),),
    inbound_connectors=(),
    mx_at_microsoft=True,
    spoof_action="Quarantine",
    dns=Dns([reverse(NAMELESS), reverse(NAMED, "mx1.bulk.example.")]),
)


def fate(flow: Flow, *controls: str, settings: Settings = HELD) -> Effect:
    sender = a_sender("s", Kind.UNKNOWN, Judgement.UNDECIDED, flow)
    return simulate([sender], settings, [parse_control(each) for each in controls]).senders[0].effect


def failing(address: str | None, **given: object) -> Flow:
    return anonymous(address, **{"dmarc": {"fail": 7}, **given})


@pytest.mark.parametrize(
    ("flow", "pair", "effect"),
    [
        (failing(NAMELESS), "*,198.51.100.0/24", Effect.REFUSED),
        (failing(NAMELESS), f"x@{OURS},198.51.100.0/24", Effect.REFUSED),
        (failing(NAMELESS), f"y@{OURS},198.51.100.0/24", Effect.KEPT),
        (failing(NAMELESS), "*,203.0.113.0/24", Effect.KEPT),
        (failing(NAMED), "*,198.51.100.0/24", Effect.UNDETERMINED),  # it has a name, which stands for it
        (failing(OPEN_NAME), "*,198.51.100.0/24", Effect.UNDETERMINED),
        (failing(NAMED), "*,bulk.example", Effect.REFUSED),
        (failing(NAMED), "*,other.example", Effect.KEPT),
        (failing(OPEN_NAME), "*,bulk.example", Effect.UNDETERMINED),
        (failing(None), "*,198.51.100.0/24", Effect.UNDETERMINED),
        (failing(NAMELESS, header_from=None), f"x@{OURS},198.51.100.0/24", Effect.UNDETERMINED),
        (failing(NAMELESS, dmarc={"pass": 7}), "*,198.51.100.0/24", Effect.KEPT),
        (failing(NAMELESS, dmarc={}), "*,198.51.100.0/24", Effect.UNDETERMINED),
        (failing(NAMELESS, direction="originating"), "*,198.51.100.0/24", Effect.KEPT),
    ],
)
def test_a_blocked_pair_takes_what_fails_and_is_surely_of_it(flow: Flow, pair: str, effect: Effect) -> None:
    assert fate(flow, f"spoof-block={pair}") is effect


@pytest.mark.parametrize(
    ("change", "effect"),
    [
        ({"spoof_action": "MoveToJmf"}, Effect.KEPT),
        ({"spoof_action": None}, Effect.UNDETERMINED),
        ({"mx_at_microsoft": False}, Effect.UNDETERMINED),
    ],
)
def test_the_policies_say_what_becomes_of_it(change: dict[str, object], effect: Effect) -> None:
    settings = replace(HELD, **change)  # type: ignore[arg-type]

    assert fate(failing(NAMELESS), "spoof-block=*,198.51.100.0/24", settings=settings) is effect


def test_an_allowed_pair_puts_the_refusal_of_dmarc_in_doubt_and_no_other() -> None:
    allow, dmarc = "spoof-allow=*,198.51.100.0/24", f"dmarc={OURS}:reject"

    assert fate(failing(NAMELESS), dmarc) is Effect.REFUSED
    assert fate(failing(NAMELESS), dmarc, allow) is Effect.UNDETERMINED
    assert fate(failing("203.0.113.5"), dmarc, allow) is Effect.REFUSED
    assert fate(failing(NAMELESS), "reject-direct-send", allow) is Effect.REFUSED
    assert fate(failing(NAMELESS), dmarc, "spoof-block=*,203.0.113.0/24") is Effect.REFUSED


@pytest.mark.parametrize(
    "value", ["", "x", "*,", "nobody,198.51.100.0/24", "*,198.51.0.0/16", "*,2001:db8::/64", "*,1.2.3.4.5"]
)
def test_a_pair_written_wrongly_is_said_so(value: str) -> None:
    with pytest.raises(UnknownControlError, match="spoof-block=SENDER,SOURCE"):
        parse_control(f"spoof-block={value}")


def test_an_address_stands_for_its_block_and_each_pair_is_undone_by_what_it_names() -> None:
    held = apply_controls(HELD, (parse_control("spoof-allow=Scan@Contoso.com,198.51.100.7"),))
    [change] = pair_changes(held)

    assert "-Action Allow" in change.do
    assert "-SpoofedUser 'scan@contoso.com' -SendingInfrastructure '198.51.100.0/24'" in change.do
    assert "'scan@contoso.com'" in change.undo
    assert "Remove-TenantAllowBlockListSpoofItems" in change.undo


@pytest.mark.parametrize(
    ("policies", "action"),
    [
        ([("Quarantine", True)], "Quarantine"),
        ([("MoveToJmf", True), ("MoveToJmf", True)], "MoveToJmf"),
        ([("MoveToJmf", True), ("Quarantine", True)], None),
        ([("Quarantine", False)], None),
        ([], None),
    ],
)
def test_the_action_counts_where_all_policies_share_it(
    policies: list[tuple[str, bool]], action: str | None
) -> None:
    tenant = Tenant(
        ConfigObject(
            "Get-AntiPhishPolicy",
            {"Name": str(n), "AuthenticationFailAction": what, "EnableSpoofIntelligence": on},
            Origin("x"),
        )
        for n, (what, on) in enumerate(policies)
    )

    assert read_settings(tenant).spoof_action == action
