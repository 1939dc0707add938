"""Zeek smtp.log: the envelope where it was in clear text, and only the session where it was not."""

import json

from hypothesis import given
from hypothesis import strategies as st

from portero.sources.zeek_smtp import SOURCE
from support.log_reading import reader, survives

read = reader(SOURCE)
NAMES = (
    "ts",
    "uid",
    "id.orig_h",
    "id.resp_h",
    "id.resp_p",
    "trans_depth",
    "helo",
    "mailfrom",
    "rcptto",
    "from",
    "msg_id",
    "subject",
    "last_reply",
    "tls",
)
HEAD = (
    "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tsmtp\n#fields\t"
    + "\t".join(NAMES)
    + "\n"
)
CLEAR = ("1795168800.5", "C1", "10.2.3.14", "52.101.73.1", "25", "1", "PRN-3F-KM", "<scan@contoso.com>", "<a@contoso.com>,<b@contoso.com>", "Scanner <scan@contoso.com>", "<m1@prn>", "Esc\\xc3\\xa1ner", "550 5.7.68 TenantInboundAttribution", "F")  # fmt: skip
SECRET = (
    "1795168801.5",
    "C2",
    "10.2.3.14",
    "52.101.73.1",
    "25",
    "1",
    "PRN-3F-KM",
    *["-"] * 5,
    "220 2.0.0 Ready to start TLS",
    "T",
)


def log(*rows):
    return HEAD + "".join("\t".join(row) + "\n" for row in rows)


def test_a_clear_session_shows_its_envelope():
    (row,) = read(log(CLEAR)).rows
    assert (row["ehlo"], row["mail_from"], row["header_from"]) == (
        "PRN-3F-KM",
        "scan@contoso.com",
        "scan@contoso.com",
    )
    assert (row["recipients"], row["message_id"], row["subject"]) == (
        "a@contoso.com;b@contoso.com",
        "m1@prn",
        "Escáner",
    )
    assert row["reply"].startswith("550 5.7.68")


def test_behind_starttls_the_name_and_the_address_remain():
    (row,) = read(log(SECRET)).rows
    assert (row["ehlo"], row["client_ip"]) == ("PRN-3F-KM", "10.2.3.14")
    assert not {"mail_from", "header_from", "message_id"} & row.keys()


def test_the_null_reverse_path_is_not_unknown():
    cells = list(CLEAR)
    cells[7] = "<>"
    assert read(log(tuple(cells))).rows[0]["mail_from"] == ""


def test_json_leaves_out_what_is_unset():
    record = {"ts": 1795168801.5, "uid": "C2", "id.orig_h": "10.2.3.14", "id.resp_h": "52.101.73.1", "id.resp_p": 25, "trans_depth": 1, "helo": "PRN-3F-KM", "last_reply": "220 2.0.0 Ready to start TLS", "tls": True}  # fmt: skip
    assert read(json.dumps(record)).rows == [read(log(SECRET)).rows[0] | {"line": 1}]
    listed = record | {"rcptto": ["<a@contoso.com>", "<b@contoso.com>"]}
    assert read(json.dumps(listed)).rows[0]["recipients"] == "a@contoso.com;b@contoso.com"


@given(st.binary(max_size=300))
def test_nothing_raises(tail):
    survives(SOURCE, log(CLEAR), tail)
