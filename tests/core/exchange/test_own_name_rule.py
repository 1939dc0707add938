"""The mail flow rule finds what is surely anonymous in the own name, and says where no document tells."""

from __future__ import annotations

from dataclasses import replace

import pytest

from portero.core.controls import apply_controls, parse_control
from portero.core.exchange.attribution import Seen, attribute
from portero.core.exchange.own_name_rule import own_name_rule, rule_changes
from portero.core.exchange.settings import AcceptedDomain, InboundConnector, Settings
from portero.core.flow import Flow
from portero.core.sender import Judgement, Kind
from portero.core.simulate import simulate
from portero.core.simulation import Effect
from support.senders import OURS, a_sender, anonymous

OPEN = Settings(accepted_domains=(AcceptedDomain(OURS, match_subdomains=False),), inbound_connectors=())
PARTNER = InboundConnector(
    "P", "Partner", sender_domains=("*",), addresses=("203.0.113.5/32",), restrict_to_addresses=True
)
OWN = InboundConnector("O", "OnPremises", sender_domains=("*",), addresses=("203.0.113.5/32",))


def found(flow: Flow, settings: Settings = OPEN, control: str = "mail-flow-rule=quarantine") -> Effect | None:
    held = apply_controls(settings, (parse_control(control),))
    decision = own_name_rule(flow.key, attribute(flow, held, Seen()), held)
    return None if decision is None else decision.effect


@pytest.mark.parametrize(
    ("given", "effect"),
    [
        ({}, Effect.REFUSED),
        ({"mail_from_domain": "vendor.example"}, Effect.REFUSED),  # From alone is enough
        ({"header_from": "x@vendor.example"}, Effect.REFUSED),  # and so is the envelope
        ({"header_from": f"x@sub.{OURS}", "mail_from_domain": "v.example"}, Effect.REFUSED),
        ({"header_from": "x@v.example", "mail_from_domain": "v.example"}, None),
        ({"header_from": None, "mail_from_domain": None, "sender": f"y@{OURS}"}, Effect.REFUSED),
        ({"header_from": None, "mail_from_domain": "v.example"}, Effect.UNDETERMINED),
        ({"direction": "originating"}, None),
        ({"dmarc": {"pass": 7}}, Effect.REFUSED),  # the rule does not ask for DMARC
    ],
)
def test_it_goes_by_from_or_envelope_and_by_anonymity(
    given: dict[str, object], effect: Effect | None
) -> None:
    assert found(anonymous("203.0.113.5", **given)) is effect


@pytest.mark.parametrize(
    ("connector", "effect"),
    [
        (PARTNER, Effect.UNDETERMINED),
        (OWN, Effect.UNDETERMINED),
        (replace(OWN, treat_as_internal=True), None),
    ],
)
def test_what_a_connector_takes_is_not_known_to_be_anonymous(
    connector: InboundConnector, effect: Effect | None
) -> None:
    settings = replace(OPEN, inbound_connectors=(connector,))

    assert found(anonymous("203.0.113.5", connector=connector.name), settings) is effect


def test_exceptions_go_by_the_last_hop() -> None:
    control = "mail-flow-rule=quarantine:203.0.113.0/28"

    assert found(anonymous("203.0.113.5"), control=control) is None
    assert found(anonymous("203.0.113.77"), control=control) is Effect.REFUSED
    assert found(anonymous(None), control=control) is Effect.UNDETERMINED


def test_audit_mode_refuses_nothing_and_counts_what_it_would_report() -> None:
    senders = [
        a_sender("mfp", Kind.DEVICE, Judgement.LEGITIMATE, anonymous("203.0.113.5", 7)),
        a_sender("forger", Kind.SPOOFER, Judgement.ABUSE, anonymous("198.51.100.9", 5)),
    ]

    dry = simulate(senders, OPEN, [parse_control("mail-flow-rule=audit")])
    real = simulate(senders, OPEN, [parse_control("mail-flow-rule=quarantine")])

    assert dry.dry_run
    assert not real.dry_run
    assert (dry.refused, dry.kept) == (0, 12)
    assert dry.caught_by_judgement() == real.refused_by_judgement() == {"legitimate": 7, "abuse": 5}


def test_the_rule_is_made_and_removed_by_the_same_name_and_audits_without_quarantine() -> None:
    [audit] = rule_changes(apply_controls(OPEN, (parse_control("mail-flow-rule=audit:203.0.113.0/24"),)))
    [enforced] = rule_changes(apply_controls(OPEN, (parse_control("mail-flow-rule=quarantine"),)))

    assert "-Mode 'Audit'" in audit.do
    assert "-ExceptIfSenderIpRanges @('203.0.113.0/24')" in audit.do
    assert "Quarantine" not in audit.do
    assert "-Quarantine $true" in enforced.do
    assert (
        audit.undo
        == enforced.undo
        == "Remove-TransportRule -Identity 'portero anonymous own name' -Confirm:$false"
    )
    assert rule_changes(OPEN) == ()
