"""Cisco ASA: the direction word decides which end is the client."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portero.sources.cisco_asa import SOURCE
from support.log_reading import reader, survives

read = reader(SOURCE)
START = "Apr 29 2013 12:59:50: %ASA-6-302013: "
OUT = (
    START
    + "Built outbound TCP connection 4 for outside:52.101.73.1/25 (52.101.73.1/25) to inside:10.2.3.14/4952 ({nat}/12834)\n"
)


def test_the_first_end_of_an_outbound_line_is_the_server():
    (row,) = read(OUT.format(nat="203.0.113.9")).rows
    assert (row["client_ip"], row["egress_ip"], row["server_ip"]) == (
        "10.2.3.14",
        "203.0.113.9",
        "52.101.73.1",
    )
    assert (row["server_port"], row["verdict"], row["sessions"], row["line"]) == (25, "opened", 1, 1)


def test_an_untranslated_client_says_so():
    assert read(OUT.format(nat="10.2.3.14")).rows[0]["egress_ip"] == ""


def test_the_first_end_of_an_inbound_line_is_the_client():
    line = (
        START
        + "Built inbound TCP connection 5 for dmz:10.9.0.1/4952 (10.9.0.1/4952) to inside:10.0.0.5/25 (10.0.0.5/25)\n"
    )
    (row,) = read(line).rows
    assert (row["client_ip"], row["server_ip"]) == ("10.9.0.1", "10.0.0.5")


@pytest.mark.parametrize(
    ("message", "verdict", "sessions"),
    [
        ('%ASA-4-106023: Deny tcp src inside:10.1.2.30/63016 dst outside:192.0.2.8/25 by access-group "a" [0x0, 0x0]', "denied", 1),
        ("%ASA-session-5-106100: access-list a permitted tcp inside/10.1.2.30(2241) -> outside/192.0.2.8(25) hit-cnt 144 300-second interval [0x0]", "opened", 144),
        ("%FTD-6-106100: access-list a denied tcp inside/10.1.2.30(2241)(LOCAL\\u) -> outside/192.0.2.8(25) hit-cnt 1 first hit [0x0]", "denied", 1),
    ],
)  # fmt: skip
def test_denials_and_hits_of_a_list_are_read(message, verdict, sessions):
    (row,) = read(f"2026-11-20T10:00:00+01:00 fw {message}\n").rows
    assert (row["client_ip"], row["server_ip"], row["verdict"]) == ("10.1.2.30", "192.0.2.8", verdict)
    assert (row["sessions"], str(row["observed_at"])) == (sessions, "2026-11-20 09:00:00")


def test_other_traffic_is_counted_and_a_mail_line_that_cannot_be_read_is_named():
    other = (
        START
        + "Built outbound UDP connection 4 for outside:192.0.2.1/25 (192.0.2.1/25) to inside:10.2.3.14/1 (10.2.3.14/1)\n"
    )
    broken = START + "Built outbound TCP connection 4 for outside:192.0.2.1/25\n"
    found = read(OUT.format(nat="10.2.3.14") + other + broken)
    assert (len(found.rows), [gap.origin.line for gap in found.gaps]) == (1, [3])
    assert any(note.startswith("1 line tells of something else") for note in found.notes)


@given(st.text(max_size=300))
def test_nothing_raises(tail):
    survives(SOURCE, OUT + START + "Built outbound TCP ", tail.encode("utf-8", "replace"))
