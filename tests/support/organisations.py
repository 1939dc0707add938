"""Strategies: small organisations with senders of every kind, under settings of every kind."""

from __future__ import annotations

from hypothesis import strategies as st

from portero.core.exchange.settings import AcceptedDomain, InboundConnector, Settings
from portero.core.sender import Judgement, Kind, Sender
from support.senders import OURS, a_sender, anonymous

OPEN = Settings(accepted_domains=(AcceptedDomain(OURS, match_subdomains=False),), inbound_connectors=())
GATEWAY = ("192.0.2.0/24",)

ADDRESSES = st.sampled_from(
    [
        None,
        "",
        "203.0.113.10",
        "203.0.113.11",
        "203.0.113.77",
        "198.51.100.5",
        "192.0.2.9",
        "10.1.2.3",
        "2001:db8::5",
    ]
)
FLOWS = st.builds(
    anonymous,
    ADDRESSES,
    st.integers(1, 50),
    mail_from_domain=st.sampled_from([OURS, "", None, "vendor.example", "sub.contoso.com"]),
    header_from=st.sampled_from([f"x@{OURS}", None]),
    connector=st.sampled_from(["", None, "Lists", "Unheard of"]),
    direction=st.sampled_from(["incoming", "originating", None]),
    sender=st.sampled_from([None, f"y@{OURS}"]),
    spf=st.sampled_from([{}, {"pass": 3}, {"fail": 3}]),
    dkim=st.sampled_from([{}, {"none": 3}]),
    outside=st.sampled_from([0, 2]),
)


@st.composite
def organisations(draw: st.DrawFn) -> tuple[Sender, ...]:
    made = draw(
        st.lists(
            st.tuples(
                st.sampled_from(list(Kind)), st.sampled_from(list(Judgement)), st.lists(FLOWS, max_size=3)
            ),
            max_size=6,
        )
    )
    return tuple(
        a_sender(f"s{number}", kind, judgement, *flows)
        for number, (kind, judgement, flows) in enumerate(made)
    )


SETTINGS = st.builds(
    Settings,
    accepted_domains=st.builds(
        lambda sub: (AcceptedDomain(OURS, match_subdomains=sub),), st.sampled_from([True, False, None])
    ),
    inbound_connectors=st.sampled_from(
        [
            None,
            (),
            (InboundConnector("Lists", "Partner", sender_domains=("*",), addresses=("203.0.113.11/32",)),),
            (InboundConnector("Lists", "OnPremises", addresses=("203.0.113.10/32",)),),
        ]
    ),
    reject_direct_send=st.sampled_from([None, False, True]),
    gateway_networks=st.sampled_from([(), GATEWAY, ("2001:db8::/64",), ("192.0.0.0/14",)]),
    mx_at_microsoft=st.sampled_from([None, True, False]),
)
