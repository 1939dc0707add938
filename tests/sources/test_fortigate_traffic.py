"""FortiGate: quoted or bare values, and the time that is exact where the log has it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portero.sources.fortigate_traffic import SOURCE
from support.log_reading import reader, survives

read = reader(SOURCE)
HEAD = '<189>date=2026-11-20 time=10:00:00 devname="fw" devid="FG100" {time}logid="0000000013" type="traffic" subtype="forward" '
REST = 'srcip=10.2.3.14 srcname="PRN-3F-KM" srcport=50000 srcintf="lan" dstip=52.101.73.1 dstport={port} proto=6 action="{action}" trandisp="{nat}" transip=203.0.113.9 service="SMTP" sentbyte=48213 rcvdbyte=900 srcmac="00:20:6b:aa:bb:cc"\n'
LINE = HEAD + REST


def line(port=25, action="close", nat="snat", time='eventtime=1795168800123456789 tz="+0100" '):
    return LINE.format(port=port, action=action, nat=nat, time=time)


def test_every_cell_of_a_connection_is_read():
    (row,) = read(line()).rows
    assert (row["client_ip"], row["client_name"], row["client_mac"]) == (
        "10.2.3.14",
        "PRN-3F-KM",
        "00:20:6b:aa:bb:cc",
    )
    assert (row["egress_ip"], row["server_ip"], row["octets"]) == ("203.0.113.9", "52.101.73.1", 48213)
    assert (row["verdict"], str(row["observed_at"])) == ("opened", "2026-11-20 10:00:00.123456")


@pytest.mark.parametrize(
    ("time", "key", "moment"),
    [
        ('eventtime=1795168800 tz="+0100" ', "observed_at", "2026-11-20 10:00:00"),
        ('tz="-0700" ', "observed_at", "2026-11-20 17:00:00"),
        ("", "local_at", "2026-11-20 10:00:00"),
    ],
)
def test_older_versions_say_the_time_in_other_ways(time, key, moment):
    assert str(read(line(time=time)).rows[0][key]) == moment


def test_values_without_quotation_marks_are_read_too():
    (row,) = read(line().replace('"', "")).rows
    assert (row["client_name"], row["verdict"]) == ("PRN-3F-KM", "opened")


@pytest.mark.parametrize(
    ("action", "verdict"),
    [("deny", "denied"), ("start", "opened"), ("ip-conn", "opened"), ("server-rst", "opened")],
)
def test_deny_is_blocked_and_anything_else_was_allowed(action, verdict):
    assert read(line(action=action)).rows[0]["verdict"] == verdict


@pytest.mark.parametrize(("nat", "egress"), [("noop", ""), ("snat", "203.0.113.9"), ("dnat", None)])
def test_the_translation_is_known_only_where_it_is_said(nat, egress):
    assert read(line(nat=nat)).rows[0].get("egress_ip") == egress


def test_other_ports_are_passed_over_and_counted():
    found = read(line() + line(port=443))
    assert len(found.rows) == 1
    assert any("1 line tells" in note for note in found.notes)


@given(st.text(max_size=300))
def test_nothing_raises(tail):
    survives(SOURCE, line() + 'type="traffic" dstport=25 ', tail.encode("utf-8", "replace"))
