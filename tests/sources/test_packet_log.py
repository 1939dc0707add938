"""Packet logs: the administrator's prefix tells the decision only where it is plain."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portero.sources.packet_log import SOURCE
from support.log_reading import reader, survives

read = reader(SOURCE)
PACKET = "IN=br0 OUT=eth8 MAC=de:1c:88:64:10:19:5e:e1:a4:3b:cf:f0:08:00 SRC=10.2.3.14 DST=192.0.2.1 LEN=44 TOS=0x00 TTL=44 ID=2 PROTO={protocol} SPT=52220 DPT=25 WINDOW=1024\n"


@pytest.mark.parametrize(
    ("prefix", "verdict"),
    [
        ("[UFW BLOCK] ", "denied"),
        ("[LAN_OUT-A-2147483647] ", "opened"),
        ("[WAN_LOCAL-D-2147483647] ", "denied"),
        ("policy DROP: ", "denied"),
        ("ACCEPT: ", "opened"),
        ("smtp-watch: ", None),
        ("", None),
    ],
)
def test_the_prefix_tells_the_decision_or_nothing(prefix, verdict):
    (row,) = read("Sep 30 10:09:23 gw kernel: " + prefix + PACKET.format(protocol="TCP")).rows
    assert (row["client_ip"], row["server_ip"], row["client_mac"]) == (
        "10.2.3.14",
        "192.0.2.1",
        "5e:e1:a4:3b:cf:f0",
    )
    assert row.get("verdict") == verdict


def test_mikrotik_writes_an_arrow_and_brackets_version_six():
    line = "2026-05-31T00:00:18+02:00 gw firewall,info drop-smtp forward: in:lan out:WAN, connection-state:new src-mac e4:41:64:93:a8:0f, proto TCP (SYN), [2001:db8::1]:17850->[2001:db8:2::2]:25, len 112\n"
    (row,) = read(line).rows
    assert (row["client_ip"], row["server_ip"], row["server_port"]) == ("2001:db8::1", "2001:db8:2::2", 25)
    assert (row["client_mac"], row["verdict"], str(row["observed_at"])) == (
        "e4:41:64:93:a8:0f",
        "denied",
        "2026-05-30 22:00:18",
    )


def test_udp_is_no_mail():
    assert read("Sep 30 10:09:23 gw kernel: " + PACKET.format(protocol="UDP")).rows == []


@given(st.text(max_size=300))
def test_nothing_raises(tail):
    survives(SOURCE, "Sep 30 10:09:23 gw " + PACKET, tail.encode("utf-8", "replace"))
