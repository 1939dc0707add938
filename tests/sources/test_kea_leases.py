"""Kea: memfile and command answer, both families."""

import json

from hypothesis import given
from hypothesis import strategies as st

from portero.sources.kea_leases import SOURCE
from support.log_reading import reader, survives

read = reader(SOURCE)
FOUR = "address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,fqdn_rev,hostname,state,user_context,pool_id\n10.2.3.14,00:20:6b:aa:bb:cc,01:00:20:6b:aa:bb:cc,{life},1795172400,1,0,0,prn-3f-km.,{state},,0\n"
SIX = "address,duid,valid_lifetime,expire,subnet_id,pref_lifetime,lease_type,iaid,prefix_len,fqdn_fwd,fqdn_rev,hostname,hwaddr,state,user_context,hwtype,hwaddr_source,pool_id\n2001:db8::60,00:01,3600,1795172400,1,1800,0,7,128,0,0,prn-3f-km,00:20:6b:aa:bb:cc,0,,1,0,0\n"
LEASE = {
    "cltt": 1795168800,
    "hw-address": "00:20:6b:aa:bb:cc",
    "ip-address": "10.2.3.14",
    "hostname": "prn-3f-km",
    "state": 0,
    "subnet-id": 1,
    "valid-lft": 3600,
}


def test_the_memfile_of_either_family():
    (four,), (six,) = read(FOUR.format(life=3600, state=0)).rows, read(SIX).rows
    assert (four["address"], four["mac"], four["name"]) == ("10.2.3.14", "00:20:6b:aa:bb:cc", "prn-3f-km")
    assert (str(four["observed_at"]), str(four["until_at"])) == ("2026-11-20 10:00:00", "2026-11-20 11:00:00")
    assert (six["address"], six["mac"]) == ("2001:db8::60", "00:20:6b:aa:bb:cc")


def test_the_answer_says_the_same_as_the_memfile():
    answer = json.dumps([{"arguments": {"leases": [LEASE]}, "result": 0, "text": "1 IPv4 lease(s) found."}])
    assert read(answer).rows == [read(FOUR.format(life=3600, state=0)).rows[0] | {"line": 1}]


def test_a_declined_address_belongs_to_nobody_and_for_ever_has_no_start():
    assert read(FOUR.format(life=3600, state=1)).rows == []
    assert "observed_at" not in read(FOUR.format(life=4294967295, state=0)).rows[0]


def test_a_cut_answer_is_named():
    found = read(json.dumps({"arguments": {"leases": [LEASE]}})[:-2])
    assert (found.rows, len(found.gaps)) == ([], 1)


@given(st.binary(max_size=300))
def test_nothing_raises(tail):
    survives(SOURCE, FOUR, tail)
    survives(SOURCE, '{"arguments": {"leases": [{"ip-address": 1, "valid-lft": 2', tail)
