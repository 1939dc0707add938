"""Zeek ssl.log: the mail exchanger that a device asked for."""

from hypothesis import given
from hypothesis import strategies as st

from portero.sources.zeek_ssl import SOURCE
from support.log_reading import reader, survives

read = reader(SOURCE)
LOG = (
    "#separator \\x09\n#unset_field\t-\n#path\tssl\n#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tserver_name\testablished\n"
    "1795168800.5\tC1\t10.2.3.14\t50000\t52.101.73.1\t25\tcontoso-com.mail.protection.outlook.com\tT\n"
    "1795168800.6\tC2\t10.2.3.14\t50001\t192.0.2.1\t443\twww.example.com\tT\n"
)


def test_only_mail_ports_are_kept_and_their_server_is_named():
    found = read(LOG)
    (row,) = found.rows
    assert (row["client_ip"], row["server_name"]) == ("10.2.3.14", "contoso-com.mail.protection.outlook.com")
    assert any("1 line tells" in note for note in found.notes)


@given(st.binary(max_size=300))
def test_nothing_raises(tail):
    survives(SOURCE, LOG, tail)
