"""Get-DhcpServerv4Lease: held leases only, from CSV or JSON."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portero.sources.windows_dhcp_leases import SOURCE
from support.log_reading import reader, survives

read = reader(SOURCE)
TABLE = '#TYPE Microsoft.Management.Infrastructure.CimInstance\n"IPAddress","ScopeId","AddressState","ClientId","HostName","Description","LeaseExpiryTime"\n"10.2.3.14","10.2.3.0","{}","00-20-6b-aa-bb-cc","PRN-3F-KM.contoso.com","third floor","20/11/2026 17:00:00"\n'


@pytest.mark.parametrize(
    ("state", "rows"), [("Active", 1), ("ActiveReservation", 1), ("Declined", 0), ("InactiveReservation", 0)]
)
def test_only_held_leases_name_a_device(state, rows):
    assert len(read(TABLE.format(state)).rows) == rows


def test_csv_and_json_say_the_same():
    (row,) = read(TABLE.format("Active")).rows
    assert (row["address"], row["mac"], row["name"], row["remark"]) == (
        "10.2.3.14",
        "00:20:6b:aa:bb:cc",
        "PRN-3F-KM.contoso.com",
        "third floor",
    )
    lease = {"IPAddress": {"Address": 1, "IPAddressToString": "10.2.3.14"}, "ScopeId": {"IPAddressToString": "10.2.3.0"}, "AddressState": "Active", "ClientId": "00-20-6b-aa-bb-cc", "HostName": "PRN-3F-KM.contoso.com", "Description": "third floor"}  # fmt: skip
    (same,) = read(json.dumps([lease])).rows
    assert same | {"line": row["line"]} == row


def test_a_client_id_that_is_no_hardware_address_is_unknown():
    assert "mac" not in read(TABLE.format("Active").replace("00-20-6b-aa-bb-cc", "52-41-53-20-1f")).rows[0]


@given(st.binary(max_size=300))
def test_nothing_raises(tail):
    survives(SOURCE, TABLE, tail)
