"""Windows DHCP audit log: below its preamble, whatever language that is in."""

from hypothesis import given
from hypothesis import strategies as st

from portero.sources.windows_dhcp_log import SOURCE
from support.log_reading import reader, survives

read = reader(SOURCE)
LOG = """\t\tMicrosoft DHCP Service Activity Log


Event ID  Meaning
00\tThe log was started.
10\tA new IP address was leased to a client.

QResult: 0: NoQuarantine, 1:Quarantine
ID,Date,Time,Description,IP Address,Host Name,MAC Address,User Name, TransactionID, QResult,Probationtime, CorrelationID,Dhcid,VendorClass(Hex),VendorClass(ASCII),UserClass(Hex),UserClass(ASCII),RelayAgentInformation,DnsRegError.
24,11/20/26,00:00:05,Database Cleanup Begin,,,,,0,6,,,,,,,,,0
10,11/20/26,09:00:00,Assign,10.2.3.14,PRN-3F-KM.contoso.com,00206BAABBCC,,1,0,,,,0x4B,KONICA MINOLTA,,,,0
11,11/20/26,13:00:00,Renew,10.2.3.14,PRN-3F-KM.contoso.com,00206BAABBCC,,1,0,,,,0x4B,KONICA MINOLTA,,,,0
30,11/20/26,13:00:01,DNS Update Request,10.2.3.14,PRN-3F-KM.contoso.com,,,0,6,,,,,,,,,0
"""


def test_new_and_renewed_leases_are_read_and_the_rest_counted():
    found = read(LOG)
    assert [str(row["local_at"]) for row in found.rows] == ["2026-11-20 09:00:00", "2026-11-20 13:00:00"]
    assert {row["mac"] for row in found.rows} == {"00:20:6b:aa:bb:cc"}
    assert found.rows[0]["maker"] == "KONICA MINOLTA"
    assert found.rows[0]["name"] == "PRN-3F-KM.contoso.com"
    assert any("2 lines tell" in note for note in found.notes)


def test_an_old_server_writes_fewer_columns():
    old = LOG.replace(",User Name, TransactionID, QResult,Probationtime, CorrelationID,Dhcid,VendorClass(Hex),VendorClass(ASCII),UserClass(Hex),UserClass(ASCII),RelayAgentInformation,DnsRegError.", ",")  # fmt: skip
    assert "maker" not in read(old).rows[0]


def test_an_event_without_address_is_named():
    assert [gap.origin.line for gap in read(LOG + "10,11/20/26,09:00:00,Assign\n").gaps] == [14]


def test_utf_16_is_read_too():
    assert len(read(LOG.encode("utf-16")).rows) == 2


@given(st.binary(max_size=300))
def test_nothing_raises(tail):
    survives(SOURCE, LOG + '10,"', tail)
