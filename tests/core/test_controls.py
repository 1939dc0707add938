"""Controls are read exactly, or refused with what would be right."""

from __future__ import annotations

import pytest

from portero.core.controls import UnknownControlError, apply_controls, parse_control
from portero.core.exchange.settings import Settings


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("reject-directsend", "Did you mean reject-direct-send?"),
        ("allow=300.1.1.1", "300.1.1.1 is no address range"),
        ("allow=2001:db8::/48", "No connector takes 2001:db8::/48"),
        ("lock-gateway=203.0.0.0/8", "No connector takes 203.0.0.0/8"),
        ("dmarc=contoso.com:strict", "dmarc=DOMAIN:quarantine"),
        ("remove-connector", "remove-connector=NAME"),
        ("smtp-basic-off=x", "takes no value"),
        ("spf=contoso.com", "spf=DOMAIN:RECORD"),
        ("spf=contoso.com:v=spf1 ip4:1.2.3 -all", "wrong at ip4:1.2.3"),
        ("spf-without=contoso.com", "spf-without=DOMAIN:TERM"),
        ("dkim=contoso.com:maybe", "dkim=DOMAIN:on"),
        ("move=198.51.100.20/32", "move=NETWORK,ADDRESS"),
        ("move=198.51.100.20,here", "move=NETWORK,ADDRESS"),
    ],
)
def test_a_wrong_control_says_what_would_be_right(text: str, says: str) -> None:
    with pytest.raises(UnknownControlError) as raised:
        parse_control(text)
    assert says in str(raised.value.text)


def test_controls_together_are_one_change_after_the_other() -> None:
    first, second = parse_control("allow=198.51.100.0/28"), parse_control("reject-direct-send")
    start = Settings()
    assert apply_controls(start, (first, second)) == second.apply(first.apply(start))
