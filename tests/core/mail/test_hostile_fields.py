"""No field or record of any length makes a parser slow: each costs about as much as it is long."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from portero.core.exchange.headers import read_exchange_headers
from portero.core.mail.authres import parse_authentication_results, parse_received_spf
from portero.core.mail.dkim_key import parse_key
from portero.core.mail.dmarc_record import parse_record as parse_dmarc
from portero.core.mail.received import parse_received
from portero.core.mail.spf_record import parse_record as parse_spf

LENGTH = 65_000
CPU_SECONDS = 2.0

PARSERS: dict[str, Callable[[str], object]] = {
    "spf": lambda text: parse_spf("v=spf1 a:x." + text + " a:" + text),
    "dmarc": lambda text: parse_dmarc("v=DMARC1; p=" + text),
    "dkim key": lambda text: parse_key("p=" + text),
    "authentication-results": lambda text: parse_authentication_results("spf=pass (" + text + ") x=" + text),
    "received-spf": lambda text: parse_received_spf("pass (" + text + ") x=" + text),
    "received": lambda text: parse_received("from a (" + text + ") by " + text),
    "exchange": lambda text: read_exchange_headers(
        [("X-Forefront-Antispam-Report", text), ("Authentication-Results", text),
         ("X-MS-Exchange-CrossTenant-OriginalAttributedTenantConnectingIp", text)]
    ),
}  # fmt: skip
UNITS = ["a", " ", "(", ")", ":", "a:", ".", "%", "%{s}", '"', 'a="', ";", "a=b;", "\\", "-", "1.", "[", "TenantId=;Ip=[", "\r\n ", "helo= ", "compauth="]  # fmt: skip


@pytest.mark.parametrize("parser", PARSERS)
@pytest.mark.parametrize("unit", UNITS, ids=repr)
def test_cost_follows_length(parser: str, unit: str) -> None:
    text = (unit * LENGTH)[:LENGTH] + "é"
    start = time.process_time()
    PARSERS[parser](text)

    assert time.process_time() - start < CPU_SECONDS
