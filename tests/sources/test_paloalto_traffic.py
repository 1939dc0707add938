"""Palo Alto: cells by position in syslog, by heading in the web export."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portero.sources.paloalto_traffic import SOURCE
from support.log_reading import reader, survives

read = reader(SOURCE)
LINE = '<14>Nov 20 10:00:00 pa 1,2026/11/20 10:00:01,0123,TRAFFIC,end,2561,2026/11/20 10:00:00,10.2.3.14,52.101.73.1,{nat},52.101.73.1,"mail, out",,,smtp,vsys1,trust,untrust,e1/1,e1/2,fwd,2026/11/20 10:00:00,77,3,50000,{port},61000,25,0x40,{protocol},{action},49113,48213,900,70,2026/11/20 09:59:58,2,any,0,1,2\n'
WEB = '"Receive Time","Serial Number","Type","Threat/Content Type","Generate Time","Source address","Destination address","NAT Source IP","Source Port","Destination Port","IP Protocol","Action","Bytes","Bytes Sent","Repeat Count"\n"2026/11/20 10:00:01","0123","TRAFFIC","end","2026/11/20 10:00:00","10.2.3.14","52.101.73.1","203.0.113.9","50000","25","tcp","allow","49113","48213","3"\n'


def line(nat="203.0.113.9", port=25, protocol="tcp", action="allow"):
    return LINE.format(nat=nat, port=port, protocol=protocol, action=action)


def test_syslog_and_the_web_export_say_the_same():
    (row,), (web,) = read(line()).rows, read(WEB).rows
    assert (row["client_ip"], row["egress_ip"], row["server_ip"]) == (
        "10.2.3.14",
        "203.0.113.9",
        "52.101.73.1",
    )
    assert (row["server_port"], row["verdict"], row["sessions"], row["octets"]) == (25, "opened", 3, 48213)
    assert str(row["local_at"]) == "2026-11-20 10:00:00"
    assert web | {"line": 1} == row


def test_mail_may_ride_on_another_port_than_the_application_says():
    assert read(line(port=8025)).rows == []


@pytest.mark.parametrize(
    ("action", "verdict"),
    [("deny", "denied"), ("drop", "denied"), ("reset-both", "denied"), ("teleport", None)],
)
def test_decisions(action, verdict):
    assert read(line(action=action)).rows[0].get("verdict") == verdict


def test_zeros_say_that_nothing_was_translated():
    assert read(line(nat="0.0.0.0")).rows[0]["egress_ip"] == ""


def test_a_note_says_that_the_clock_is_the_firewalls_own():
    assert any("time_zone" in note for note in read(line()).notes)


@given(st.text(max_size=300))
def test_nothing_raises(tail):
    survives(SOURCE, line() + "1,2026/11/20 10:00:01,0123,TRAFFIC,end,25,", tail.encode("utf-8", "replace"))
    survives(SOURCE, WEB, tail.encode("utf-8", "replace"))
