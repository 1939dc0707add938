"""CEF and LEEF: whoever wrote the event, its keys are the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portero.sources.cef_traffic import SOURCE
from support.log_reading import reader, survives

read = reader(SOURCE)
CEF = "Nov 20 10:00:00 fw CEF:0|Palo Alto Networks|PAN-OS|11.1|end|TRAFFIC|1|rt=1795168800000 deviceExternalId=1 src=10.2.3.14 dst=52.101.73.1 sourceTranslatedAddress={nat} cs1=outbound smtp rule cs1Label=Rule spt=50000 dpt={port} proto=tcp act=allow in=900 out=48213 cnt=2 smac=00:20:6b:aa:bb:cc\n"
LEEF = "LEEF:1.0|Vendor|Firewall|9|deny|src=10.2.3.14\tdst=52.101.73.1\tdstPort=25\tproto=6\taction=deny\tsrcBytes=60\n"


def test_a_cef_event_is_read_whole():
    (row,) = read(CEF.format(nat="203.0.113.9", port=25)).rows
    assert (row["client_ip"], row["egress_ip"], row["server_ip"]) == (
        "10.2.3.14",
        "203.0.113.9",
        "52.101.73.1",
    )
    assert (row["verdict"], row["sessions"], row["octets"]) == ("opened", 2, 48213)
    assert (row["client_mac"], str(row["observed_at"])) == ("00:20:6b:aa:bb:cc", "2026-11-20 10:00:00")


def test_a_leef_event_is_read_too():
    (row,) = read(LEEF).rows
    assert (row["client_ip"], row["server_port"], row["verdict"], row["octets"]) == (
        "10.2.3.14",
        25,
        "denied",
        60,
    )


@pytest.mark.parametrize("nat", ["0.0.0.0", "10.2.3.14"])
def test_zeros_and_the_clients_own_address_are_no_translation(nat):
    assert read(CEF.format(nat=nat, port=25)).rows[0]["egress_ip"] == ""


def test_events_of_other_ports_and_without_source_are_no_mail():
    assert (
        read(CEF.format(nat="", port=443) + CEF.format(nat="", port=25).replace("src=10.2.3.14 ", "")).rows
        == []
    )


@given(st.text(max_size=300))
def test_nothing_raises(tail):
    survives(SOURCE, CEF + LEEF + "CEF:0|a|b|c|d|e|f|src=1 dpt=25 ", tail.encode("utf-8", "replace"))
