"""pfSense and OPNsense: both syslog forms, both families."""

from hypothesis import given
from hypothesis import strategies as st

from portero.sources.filterlog import SOURCE
from support.log_reading import reader, survives

read = reader(SOURCE)
FOUR = "7,,,1000000102,vtnet0.5,match,{action},in,4,0x0,,64,19008,0,DF,6,tcp,60,10.2.3.14,52.101.73.1,42970,25,0,S,523876198,,64240,,mss\n"
SIX = "621,,,fae559338f65e11c53669fc3642c93c2,vtnet0.10,match,pass,out,6,0x00,0x07c63,64,TCP,6,44,2001:db8:1::6,2001:db8:2::5,65382,25,0,S,19,,0,,mss\n"
NEW = "<134>1 2025-11-06T11:32:42.868451+00:00 firewall.lan filterlog 92653 - - "
OLD = "Nov  6 11:32:42 filterlog[92653]: "


def test_both_forms_say_the_same_but_for_host_and_zone():
    (new,), (old,) = (
        read(NEW + FOUR.format(action="block")).rows,
        read(OLD + FOUR.format(action="block")).rows,
    )
    assert (new["client_ip"], new["server_ip"], new["server_port"], new["verdict"]) == (
        "10.2.3.14",
        "52.101.73.1",
        25,
        "denied",
    )
    assert str(new.pop("observed_at")) == "2025-11-06 11:32:42.868451"
    assert old.pop("local_at").strftime("%m-%d %H:%M:%S") == "11-06 11:32:42"
    assert new == old


def test_version_six_and_a_tracker_that_is_a_hash():
    (row,) = read(NEW + SIX).rows
    assert (row["client_ip"], row["server_ip"], row["verdict"]) == (
        "2001:db8:1::6",
        "2001:db8:2::5",
        "opened",
    )


def test_udp_to_the_same_number_is_no_mail():
    udp = (
        FOUR.format(action="pass")
        .replace("6,tcp,60", "17,udp,60")
        .replace("25,0,S,523876198,,64240,,mss", "25,40")
    )
    assert read(NEW + udp).rows == []


def test_a_cut_line_is_named():
    found = read(NEW + FOUR.format(action="pass") + NEW + "7,,,1,if,match,pass,in,4,0x0,,25,\n")
    assert [gap.origin.line for gap in found.gaps] == [2]


@given(st.text(max_size=300))
def test_nothing_raises(tail):
    survives(SOURCE, NEW + FOUR + OLD, tail.encode("utf-8", "replace"))
