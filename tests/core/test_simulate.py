"""Replays: one after the other they answer as each alone, and controls together as one applied after the other."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from portero.core.controls import apply_controls, parse_control
from portero.core.exchange.settings import AcceptedDomain, InboundConnector, Settings
from portero.core.sender import Judgement, Kind, Sender
from portero.core.simulate import Replay, simulate
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


@given(some_senders, some_controls, some_controls)
def test_controls_together_are_one_applied_after_the_other(
    drawn: list[tuple[Kind, tuple[object, ...]]], first: list[str], then: list[str]
) -> None:
    senders = senders_of(drawn)
    before, after = ([parse_control(text) for text in texts] for texts in (first, then))
    together = simulate(senders, HELD, [*before, *after])
    composed = simulate(senders, apply_controls(HELD, tuple(before)), after)
    assert replace(together, controls=()) == replace(composed, controls=())
