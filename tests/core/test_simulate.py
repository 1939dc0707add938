"""Replays: one after the other they answer as each alone, and controls together as one applied after the other."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portero.core.controls import apply_controls, parse_control
from portero.core.exchange.attribution import seen_connectors
from portero.core.exchange.settings import AcceptedDomain, InboundConnector, Settings
from portero.core.sender import Judgement, Kind, Sender
from portero.core.simulate import Replay, decide, simulate
from support.senders import OURS, a_sender, anonymous

ERP = InboundConnector("ERP", "OnPremises", sender_domains=("*",), addresses=("198.51.100.7/32",))
HELD = Settings(
    accepted_domains=(AcceptedDomain(OURS, match_subdomains=False),),
    inbound_connectors=(ERP,),
    gateway_networks=("192.0.2.0/24",),
)
CONTROLS = (
    "reject-direct-send",
    "lock-gateway",
    "allow=203.0.113.5/32",
    "remove-connector=ERP",
    f"dmarc={OURS}:reject",
    "smtp-basic-off",
    "smtp-auth-off",
    "move=203.0.113.0/24,198.51.100.7",
    f"dkim={OURS}:off",
    "mail-flow-rule=audit",
    "mail-flow-rule=quarantine:203.0.113.9/32",
    "spoof-block=*,203.0.113.0/24",
    f"spoof-allow=x@{OURS},203.0.113.0/24",
)
ADDRESSES = ("203.0.113.5", "203.0.113.9", "198.51.100.7", "192.0.2.4", None, "")

some_flows = st.builds(
    anonymous,
    st.sampled_from(ADDRESSES),
    st.integers(1, 9),
    mail_from_domain=st.sampled_from((OURS, "vendor.example", "", None)),
    connector=st.sampled_from(("", "ERP", None)),
    direction=st.sampled_from(("incoming", "originating", None)),
    dmarc=st.sampled_from(({}, {"pass": 1}, {"fail": 1})),
)
# Ways of sending that differ in a little, whatever it is.
A_LITTLE = (
    {},
    {"mail_from_domain": ""},
    {"mail_from_domain": "", "ehlo": f"mail.{OURS}"},
    {"mail_from_domain": None, "header_from": None, "sender": f"x@{OURS}"},
    {"mail_from_domain": None, "header_from": None},
    {"header_from": f"x@mail.{OURS}"},
    {"header_from": "x@vendor.example"},
    {"connector": "ERP"},
    {"connector": "Unheard of"},
    {"direction": "originating"},
    {"direction": "originating", "header_from": f"y@{OURS}"},
    {"dmarc": {"pass": 1}},
    {"dmarc": {"fail": 1}},
    {"dmarc": {"fail": 1}, "header_from": None, "sender": f"x@{OURS}"},
    {"spf": {"pass": 1}},
    {"spf": {"pass": 1}, "mail_from_domain": ""},
    {"spf": {"pass": 1}, "mail_from_domain": "", "ehlo": f"mail.{OURS}"},
    {"spf": {"fail": 1}},
    {"spf": {"fail": 1}, "dkim": {"none": 1}},
    {"spf": {"fail": 1}, "dkim": {"pass": 2}, "dkim_domains": {OURS: 2}},
    {"spf": {"fail": 1}, "dkim": {"pass": 2}, "dkim_domains": {"vendor.example": 2}},
    {"spf": {"fail": 1}, "dkim": {"pass": 2}, "dkim_domains": {OURS: 1, "vendor.example": 1}},
)
some_senders = st.lists(
    st.builds(
        lambda kind, flows: (kind, tuple(flows)), st.sampled_from(Kind), st.lists(some_flows, max_size=3)
    ),
    max_size=4,
)
some_controls = st.lists(st.sampled_from(CONTROLS), max_size=3, unique=True)


def senders_of(drawn: list[tuple[Kind, tuple[object, ...]]]) -> list[Sender]:
    return [
        a_sender(f"s{number}", kind, Judgement.UNDECIDED, *flows)  # type: ignore[arg-type]
        for number, (kind, flows) in enumerate(drawn)
    ]


@given(some_senders, st.lists(some_controls, max_size=6))
def test_what_is_kept_between_replays_changes_no_answer(
    drawn: list[tuple[Kind, tuple[object, ...]]], asked: list[list[str]]
) -> None:
    senders = senders_of(drawn)
    replay = Replay(senders, HELD)
    for texts in asked:
        controls = [parse_control(text) for text in texts]
        assert replay.of(controls) == simulate(senders, HELD, controls)


@pytest.mark.parametrize("gateway", [True, False])
@pytest.mark.parametrize("text", ["", *CONTROLS])
def test_a_replay_of_all_mail_decides_on_each_way_of_sending_as_if_it_were_alone(
    text: str, gateway: bool
) -> None:
    settings = replace(
        HELD,
        mx_at_microsoft=not gateway,
        accepted_domains=(*HELD.accepted_domains, AcceptedDomain(f"mail.{OURS}", match_subdomains=None)),
        smtp_auth_protocols={f"x@{OURS}": "basic", f"y@{OURS}": "oauth"},
    )
    flows = [anonymous(address, **each) for each in A_LITTLE for address in ("203.0.113.5", "203.0.113.6")]
    controls = (parse_control(text),) if text else ()
    changed, seen = apply_controls(settings, controls), seen_connectors(flows)

    ((_, decisions),) = Replay(
        [a_sender("s", Kind.UNKNOWN, Judgement.UNDECIDED, *flows)], settings
    ).decisions(controls)

    assert list(decisions) == [decide(flow, changed, seen) for flow in flows]


@given(some_senders, some_controls, some_controls)
def test_controls_together_are_one_applied_after_the_other(
    drawn: list[tuple[Kind, tuple[object, ...]]], first: list[str], then: list[str]
) -> None:
    senders = senders_of(drawn)
    before, after = ([parse_control(text) for text in texts] for texts in (first, then))
    together = simulate(senders, HELD, [*before, *after])
    composed = simulate(senders, apply_controls(HELD, tuple(before)), after)
    assert replace(together, controls=()) == replace(composed, controls=())


def test_a_name_whose_envelope_reports_know_to_be_foreign_is_in_doubt_at_its_other_addresses_too() -> None:
    def shop(address: str, name: str, **facts: object) -> Sender:
        summed = anonymous(address, mail_from_domain=None, header_from=None, sender=name, **facts)
        return a_sender(address, Kind.DEVICE, Judgement.LEGITIMATE, summed)

    reported = shop("203.0.113.5", f"shop@{OURS}", envelopes={"em1.vendor.example": 5})
    senders = [reported, shop("203.0.113.6", f"shop@{OURS}"), shop("203.0.113.7", f"scan@{OURS}")]
    found = simulate(senders, HELD, (parse_control("reject-direct-send"),))

    effects = {each.sender: str(each.effect) for each in found.senders}
    assert effects == {
        "203.0.113.5": "undetermined", "203.0.113.6": "undetermined", "203.0.113.7": "refused",
    }  # fmt: skip
