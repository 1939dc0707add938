"""Zeek conn.log: bound by its own heading, tab-separated or JSON."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portero.sources.zeek_conn import SOURCE
from support.log_reading import reader, survives

read = reader(SOURCE)
NAMES = (
    "ts",
    "uid",
    "id.orig_h",
    "id.orig_p",
    "id.resp_h",
    "id.resp_p",
    "proto",
    "service",
    "orig_bytes",
    "conn_state",
)
HEAD = "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tconn\n#fields\t{}\n#types\ttime\n"
CELLS = ("1795168800.5", "C1", "10.2.3.14", "50000", "52.101.73.1", "25", "tcp", "smtp", "48213", "SF")


def log(*rows, names=NAMES):
    return HEAD.format("\t".join(names)) + "".join("\t".join(row) + "\n" for row in rows) + "#close\t2026\n"


def with_cell(name, value):
    return tuple(value if held == name else cell for held, cell in zip(NAMES, CELLS, strict=True))


def test_tabs_and_json_say_the_same():
    (row,) = read(log(CELLS)).rows
    assert (row["client_ip"], row["server_ip"], row["server_port"], row["octets"]) == (
        "10.2.3.14",
        "52.101.73.1",
        25,
        48213,
    )
    assert (row["verdict"], str(row["observed_at"]), row["line"]) == (
        "opened",
        "2026-11-20 10:00:00.500000",
        8,
    )
    record = dict(zip(NAMES, CELLS, strict=True)) | {"ts": 1795168800.5, "id.resp_p": 25, "orig_bytes": 48213}
    assert read(json.dumps(record)).rows == [row | {"line": 1}]


def test_columns_are_bound_by_their_heading_in_whatever_order():
    turned = log(tuple(reversed(CELLS)), names=tuple(reversed(NAMES)))
    assert read(turned).rows == read(log(CELLS)).rows


@pytest.mark.parametrize(
    ("state", "verdict"), [("S0", "unanswered"), ("REJ", "denied"), ("RSTR", "opened"), ("OTH", None)]
)
def test_the_state_tells_whether_the_other_side_answered(state, verdict):
    assert read(log(with_cell("conn_state", state))).rows[0].get("verdict") == verdict


def test_unset_is_unknown():
    assert "octets" not in read(log(with_cell("orig_bytes", "-"))).rows[0]


def test_another_separator_and_a_second_heading_in_one_file():
    one = (
        log(CELLS)
        .replace("#separator \\x09", "#separator \\x2c")
        .replace("\t", ",")
        .replace("#set_separator,,", "#set_separator,;")
    )
    found = read(one + log(with_cell("id.orig_h", "10.2.3.15")))
    assert [row["client_ip"] for row in found.rows] == ["10.2.3.14", "10.2.3.15"]


def test_rows_of_another_width_and_without_time_are_counted():
    found = read(log(CELLS[:-1], with_cell("ts", "XXXXXXXXXX.XXXXXX")))
    assert (len(found.rows), sorted(gap.count for gap in found.gaps)) == (1, [1, 1])


def test_other_traffic_is_counted():
    found = read(log(with_cell("id.resp_p", "443"), with_cell("proto", "udp"), CELLS))
    assert len(found.rows) == 1
    assert any("2 lines tell" in note for note in found.notes)


@given(st.binary(max_size=300))
def test_nothing_raises(tail):
    survives(SOURCE, log(CELLS), tail)
