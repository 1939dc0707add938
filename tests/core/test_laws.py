"""Laws of the judgement and the replay: names mean nothing, and what more evidence changes it says."""

from __future__ import annotations

import ipaddress
from collections import Counter
from dataclasses import replace
from datetime import timedelta

from hypothesis import HealthCheck, assume, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from portero.core.case import Context
from portero.core.controls import apply_controls, parse_control
from portero.core.exchange.attribution import seen_connectors
from portero.core.exchange.settings import AcceptedDomain, InboundConnector, Settings
from portero.core.flow import Flow, FlowKey
from portero.core.register import Configuration
from portero.core.sender import Sender
from portero.core.senders import find_senders
from portero.core.simulate import decide
from support.flows import START
from support.organisations import SETTINGS, organisations
from support.senders import OURS, anonymous

WINDOW = (START, START + timedelta(days=60))
THEIRS = "fabrikam.example"
CONTROLS = st.lists(
    st.sampled_from(
        [
            "reject-direct-send",
            "lock-gateway",
            "allow=203.0.113.10/32",
            "remove-connector=Lists",
            "smtp-basic-off",
        ]
    ),
    max_size=3,
    unique=True,
)


def moved(address: str | None) -> str | None:
    """Rename a public address so that whatever shared a network with it still does."""
    if not address:
        return address
    parsed = ipaddress.ip_address(address)
    if parsed.version == 6:
        return str(ipaddress.IPv6Address(int(parsed) ^ (0xBEEF << 80)))
    return (
        address
        if parsed.is_private and address.startswith("10.")
        else str(ipaddress.IPv4Address(int(parsed) ^ (7 << 24)))
    )


def renamed(text: str | None) -> str | None:
    return None if text is None else text.replace(OURS, THEIRS)


def renamed_flow(flow: Flow) -> Flow:
    key = flow.key
    return Flow(
        FlowKey(
            client_ip=moved(key.client_ip),
            mail_from_domain=renamed(key.mail_from_domain),
            header_from=renamed(key.header_from),
            sender=renamed(key.sender),
            ehlo=key.ehlo,
            connector=key.connector,
            direction=key.direction,
        ),
        flow.facts,
    )


def renamed_settings(settings: Settings) -> Settings:
    def of(network: str) -> str:
        address, _, length = network.partition("/")
        return f"{moved(address)}/{length}"

    connectors = settings.inbound_connectors
    return replace(
        settings,
        accepted_domains=tuple(
            replace(each, name=renamed(each.name) or "") for each in settings.accepted_domains
        ),
        inbound_connectors=None
        if connectors is None
        else tuple(replace(each, addresses=tuple(map(of, each.addresses))) for each in connectors),
        gateway_networks=tuple(map(of, settings.gateway_networks)),
    )


def judged(flows: list[Flow], settings: Settings) -> Counter[tuple[object, ...]]:
    found = find_senders(flows, (), Context(settings, WINDOW), Configuration())
    return Counter(
        (
            each.kind,
            each.judgement,
            round(each.confidence, 9),
            each.path,
            each.mails,
            tuple(sorted(reason.code for reason in each.because)),
        )
        for each in found
    )


@examples(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(organisations(), SETTINGS)
def test_judgement_is_the_same_under_other_domains_and_addresses(
    senders: tuple[Sender, ...], settings: Settings
) -> None:
    flows = [flow for sender in senders for flow in sender.flows]

    assert judged(flows, settings) == judged(list(map(renamed_flow, flows)), renamed_settings(settings))


@examples(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(organisations(), organisations(), SETTINGS, CONTROLS)
def test_more_evidence_changes_no_answer_without_a_reason_that_says_so(
    senders: tuple[Sender, ...], more: tuple[Sender, ...], settings: Settings, controls: list[str]
) -> None:
    held = [flow for sender in senders for flow in sender.flows]
    added = [flow for sender in more for flow in sender.flows]
    assume(held)
    changed = apply_controls(settings, tuple(map(parse_control, controls)))
    before, after = seen_connectors(held), seen_connectors([*held, *added])
    for flow in held:
        first, second = decide(flow, changed, before), decide(flow, changed, after)
        assert first.effect is second.effect or first.why != second.why


def test_what_another_witness_shows_of_an_address_turns_the_answer_and_says_by_which_connector() -> None:
    settings = Settings(
        accepted_domains=(AcceptedDomain(OURS, match_subdomains=False),),
        inbound_connectors=(InboundConnector("Lists", "OnPremises", certificate="mail.contoso.com"),),
        reject_direct_send=True,
    )
    summary = anonymous("203.0.113.9", connector=None)
    witness = anonymous("203.0.113.9", connector="Lists")
    alone = decide(summary, settings, seen_connectors([summary]))
    together = decide(summary, settings, seen_connectors([summary, witness]))

    assert (alone.effect.value, together.effect.value) == ("undetermined", "kept")
    assert "Lists" in str(together.why)
