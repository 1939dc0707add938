"""Address plans: bound by what columns are called and by what they hold."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portero.sources import sources
from portero.sources.head import head_of
from portero.sources.ipam import SOURCE
from support.log_reading import reader, survives

read = reader(SOURCE)


@pytest.mark.parametrize(
    "text",
    [
        "address,status,dns_name,description,tenant,mac_address\n10.2.3.14/24,active,prn-3f-km,third floor,hq,00:20:6b:aa:bb:cc\n",
        "ip address,hostname,description,mac,owner\n10.2.3.14,prn-3f-km,third floor,00206baabbcc,hq\n",
        "Equipo;Dirección IP;Dirección MAC;Descripción;Sede\nprn-3f-km;10.2.3.14;00-20-6B-AA-BB-CC;third floor;hq\n",
        "#,\nIP,Host,MAC Address,Notes,Site\n10.2.3.14,prn-3f-km,0020.6baa.bbcc,third floor,hq\n".partition(
            "\n"
        )[2],
    ],
)
def test_every_plan_says_the_same(text):
    (row,) = read(text).rows
    assert (row["address"], row["name"], row["mac"]) == ("10.2.3.14", "prn-3f-km", "00:20:6b:aa:bb:cc")
    assert (row["remark"], row["owner"]) == ("third floor", "hq")


def test_rows_that_hold_no_address_are_counted():
    found = read("ip,hostname\n10.2.3.14,a\n,b\n10.2.3.0/24 net,c\n2001:db8::1,d\n")
    assert [row["name"] for row in found.rows] == ["a", "d"]
    assert any("2 lines tell" in note for note in found.notes)


@pytest.mark.parametrize(
    "text",
    [
        "name,address\nJane,12 High Street\n",
        "ip,hostname,subject\n10.2.3.14,a,b\n",
        "ip,count\n10.2.3.14,4\n",
        "name,address\n",
    ],
)
def test_other_tables_are_not_taken_for_a_plan(text):
    assert not SOURCE.recognise(head_of(text.encode()))


def test_a_plan_is_claimed_by_nobody_else():
    head = head_of(b"ip,hostname,mac\n10.2.3.14,a,00:20:6b:aa:bb:cc\n")
    assert [each.id for each in sources() if each.recognise(head)] == ["ipam"]


@given(st.binary(max_size=300))
def test_nothing_raises(tail):
    survives(SOURCE, "ip,hostname\n10.2.3.14,a\n", tail)
