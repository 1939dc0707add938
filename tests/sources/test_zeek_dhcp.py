"""Zeek dhcp.log: both generations, and exchanges that gave no address."""

import json

from hypothesis import given
from hypothesis import strategies as st

from portero.sources.zeek_dhcp import SOURCE
from support.log_reading import reader, survives

read = reader(SOURCE)
OLD = "#separator \\x09\n#unset_field\t-\n#path\tdhcp\n#fields\tts\tuid\tid.orig_h\tmac\tassigned_ip\tlease_time\n1379288670.5\tC\t10.0.0.9\t00:20:18:eb:ca:21\t{}\t4.29e+09\n"


def test_an_assigned_address_goes_before_the_asking_one():
    (row,) = read(OLD.format("10.2.3.14")).rows
    assert (row["address"], row["mac"]) == ("10.2.3.14", "00:20:18:eb:ca:21")
    assert read(OLD.format("-")).rows[0]["address"] == "10.0.0.9"


def test_json_names_the_device():
    record = {
        "ts": 1575414483.75,
        "client_addr": "10.18.20.97",
        "mac": "00:01:24:56:9B:CF",
        "host_name": "PRN-3F-KM",
        "msg_types": ["INFORM", "ACK"],
    }
    (row,) = read(json.dumps(record)).rows
    assert (row["address"], row["mac"], row["name"]) == ("10.18.20.97", "00:01:24:56:9b:cf", "PRN-3F-KM")


def test_an_exchange_without_address_is_counted():
    found = read(json.dumps({"ts": 1, "client_addr": "0.0.0.0", "mac": "00:01:24:56:9b:cf"}))
    assert (found.rows, len(found.notes)) == ([], 1)


@given(st.binary(max_size=300))
def test_nothing_raises(tail):
    survives(SOURCE, OLD, tail)
