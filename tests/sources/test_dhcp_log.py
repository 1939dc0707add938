"""DHCP server's log: only what was acknowledged says who had an address."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portero.sources.dhcp_log import SOURCE
from support.log_reading import reader, survives

read = reader(SOURCE)
START = "2026-11-20T10:00:00+01:00 gw "
ASKED = START + "dhcpd[7]: DHCPREQUEST for 10.2.3.14 (10.2.3.1) from 00:20:6b:aa:bb:cc (PRN-3F-KM) via eth0\n"


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("dhcpd[7]: DHCPACK on 10.2.3.14 to 00:20:6b:aa:bb:cc (PRN-3F-KM) via eth0", "PRN-3F-KM"),
        ("dhcpd[7]: DHCPACK on 10.2.3.14 to 00:20:6b:aa:bb:cc via eth0", None),
        ("dhcpd[7]: DHCPACK to 10.2.3.14 (00:20:6b:aa:bb:cc) via eth0", None),
        ("dnsmasq-dhcp[7]: DHCPACK(br0) 10.2.3.14 00:20:6b:aa:bb:cc PRN-3F-KM", "PRN-3F-KM"),
        ("dnsmasq-dhcp[7]: 123 DHCPACK(br0) 10.2.3.14 00:20:6b:aa:bb:cc", None),
    ],
)
def test_an_acknowledgement_ties_a_device_to_an_address(line, name):
    found = read(ASKED + START + line + "\n")
    (row,) = found.rows
    assert (row["address"], row["mac"], row.get("name")) == ("10.2.3.14", "00:20:6b:aa:bb:cc", name)
    assert (str(row["observed_at"]), row["line"]) == ("2026-11-20 09:00:00", 2)
    assert any("1 line tells" in note for note in found.notes)


def test_an_acknowledgement_that_cannot_be_read_is_named():
    assert [gap.origin.line for gap in read(ASKED + START + "dhcpd[7]: DHCPACK on\n").gaps] == [2]


@given(st.binary(max_size=300))
def test_nothing_raises(tail):
    survives(SOURCE, ASKED + START + "dhcpd[7]: DHCPACK on ", tail)
