"""Flow records: whatever they call an address, a port and the octets."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portero.sources.netflow import SOURCE
from support.log_reading import reader, survives

read = reader(SOURCE)
OLD = "ts,te,td,sa,da,sp,dp,pr,flg,ipkt,ibyt\n2026-11-20 10:00:00,2026-11-20 10:00:02,2.000,10.2.3.14,52.101.73.1,50000,{port},{protocol},.AP.SF,40,48213\n"
NEW = "firstSeen,duration,proto,srcAddr,srcPort,dstAddr,dstPort,packets,bytes,bps,bpp,flows\n2026-11-20 10:00:00.000,2.0,TCP,10.2.3.14,50000,52.101.73.1,25,40,48213,1,1,2\n"
COLLECTOR = "FIRST_SWITCHED,IPV4_SRC_ADDR,IPV4_DST_ADDR,L4_SRC_PORT,L4_DST_PORT,PROTOCOL,IN_BYTES\n1795168800,10.2.3.14,52.101.73.1,50000,25,6,48213\n"
RAW = """
Flow Record:
  RecordCount  =                  1
  first        =      1562833800235 [2019-07-11 10:30:00.235]
  proto        =                  6 TCP
  src port     =              12345
  dst port     =                 25
  in bytes     =                222
  src addr     =        172.16.1.66
  dst addr     =    192.168.170.100
  src xlt ip   =        203.0.113.9

Flow Record:
  RecordCount  =                  2
  proto        =                 17 UDP
  dst port     =                 25
  src addr     =        172.16.1.66
"""
SAME = {"client_ip": "10.2.3.14", "server_ip": "52.101.73.1", "server_port": 25, "octets": 48213}


@pytest.mark.parametrize(
    "text", [OLD.format(port=25, protocol="TCP"), OLD.format(port=25, protocol=6), NEW, COLLECTOR]
)
def test_every_generation_says_the_same(text):
    (row,) = read(text).rows
    assert SAME.items() <= row.items()
    assert str(row.get("local_at", row.get("observed_at"))) == "2026-11-20 10:00:00"


def test_seconds_are_utc_and_nfdumps_texts_are_local():
    assert "observed_at" in read(COLLECTOR).rows[0]
    assert "local_at" in read(NEW).rows[0]
    assert read(NEW).rows[0]["sessions"] == 2


def test_json_with_translation():
    flow = {"type": "FLOW", "first": "2026-11-20T10:00:00.000", "proto": 6, "src4_addr": "10.2.3.14", "dst4_addr": "52.101.73.1", "src_port": 5, "dst_port": 25, "in_bytes": 48213, "src4_xlt_ip": "203.0.113.9"}  # fmt: skip
    (row,) = read(json.dumps([flow])).rows
    assert (SAME | {"egress_ip": "203.0.113.9"}).items() <= row.items()


def test_the_raw_form():
    (row,) = read(RAW).rows
    assert (row["client_ip"], row["server_ip"], row["octets"], row["egress_ip"]) == (
        "172.16.1.66",
        "192.168.170.100",
        222,
        "203.0.113.9",
    )
    assert (str(row["observed_at"]), row["line"]) == ("2019-07-11 08:30:00.235000", 2)


@pytest.mark.parametrize(("port", "protocol"), [(443, "TCP"), (25, "UDP")])
def test_other_traffic_is_counted(port, protocol):
    found = read(OLD.format(port=port, protocol=protocol))
    assert (found.rows, len(found.notes)) == ([], 1)


@given(st.binary(max_size=300))
def test_nothing_raises(tail):
    for head in (OLD, NEW, RAW):
        survives(SOURCE, head, tail)
