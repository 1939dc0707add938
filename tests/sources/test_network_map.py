"""Maps of networks: every form gives the same names, what is no range is named, and unknown stays unknown."""

import io

import pytest

from portero.core.evidence import Gap
from portero.core.network_names import NetworkMap
from portero.sources import network_map
from portero.sources.document import Counted, Document
from portero.sources.head import head_of
from portero.sources.network_map import SOURCE

IPTOASN = (
    "1.0.0.0\t1.0.0.255\t13335\tUS\tCLOUDFLARENET\n1.0.1.0\t1.0.3.255\t0\tNone\tNot routed\n"
    "52.1.0.0\t52.1.255.255\t14618\tUS\tAMAZON-AES\n2a02::\t2a02:ff:ffff:ffff:ffff:ffff:ffff:ffff\t64500\tES\tRED\n"
)
MAXMIND = (
    "network,autonomous_system_number,autonomous_system_organization\n1.0.0.0/24,13335,CLOUDFLARENET\n"
    '52.1.0.0/16,14618,"AMAZON-AES"\n2a02::/24,64500,RED\n'
)
IPINFO = (
    '"start_ip","end_ip","country","asn","as_name"\n"1.0.0.0","1.0.0.255","US","AS13335","CLOUDFLARENET"\n'
    '"52.1.0.0","52.1.255.255","US","AS14618","AMAZON-AES"\n"2a02::","2a02:ff:ffff:ffff:ffff:ffff:ffff:ffff","ES","AS64500","RED"\n'
)
CYMRU = (
    "Bulk mode; whois.cymru.com [2026-11-24 10:00:00 +0000]\n13335   | 1.0.0.7          | CLOUDFLARENET\n"
    "14618   | 52.1.2.3         | AMAZON-AES\n64500   | 2a02::9          | RED\nNA      | 1.0.1.1          | NA\n"
)
VERBOSE = (
    "AS      | IP               | BGP Prefix          | CC | Registry | Allocated  | AS Name\n"
    "13335   | 1.0.0.7          | 1.0.0.0/24          | US | arin     | 2010-07-14 | CLOUDFLARENET\n"
    "14618   | 52.1.2.3         | 52.1.0.0/16         | US | arin     | 2015-01-01 | AMAZON-AES\n"
    "64500   | 2a02::9          | 2a02::/24           | ES | ripencc  |            | RED\n"
)


def read(text):
    raw = text.encode()
    document = Document("map", head_of(raw), lambda: io.BytesIO(raw), len(raw))
    assert SOURCE.recognise(document.head)
    items = list(SOURCE.read(document))
    (found,) = (item for item in items if isinstance(item, NetworkMap))
    (counted,) = (item.rows for item in items if isinstance(item, Counted))
    return found, counted, [item for item in items if isinstance(item, Gap)]


@pytest.mark.parametrize("text", [IPTOASN, MAXMIND, IPINFO, CYMRU, VERBOSE], ids=range(5))
def test_every_form_names_the_same_networks(text):
    found, counted, gaps = read(text)
    assert (counted, gaps) == (3, [])
    assert found.name_of("1.0.0.7") == "AS13335 CLOUDFLARENET"
    assert found.name_of("52.1.2.3") == "AS14618 AMAZON-AES"
    assert found.name_of("2a02::9") == "AS64500 RED"
    for nobodys in ("1.0.1.1", "0.255.255.255", "52.2.0.0", "2a03::", "::", "", "x"):
        assert found.name_of(nobodys) is None


def test_a_range_holds_its_first_and_its_last_address():
    found, _, _ = read(IPTOASN)
    assert found.name_of("52.1.0.0") == found.name_of("52.1.255.255") == "AS14618 AMAZON-AES"


@pytest.mark.parametrize(
    "bad",
    ["9.9.9.9\t1.1.1.1\t7\tUS\tX", "9.9.9.999\t9.9.9.9\t7\tUS\tX", "2.2.2.2\t3.3.3.3\t7", "nonsense"],
)
def test_a_line_that_is_no_range_is_counted_and_the_others_are_read(bad):
    found, counted, (gap,) = read(IPTOASN + bad + "\n" + bad + "\n")
    assert (counted, gap.count, gap.origin.line) == (3, 2, 5)
    assert found.name_of("1.0.0.7")


def test_a_network_or_number_that_is_none_is_counted():
    _, counted, (gap,) = read(MAXMIND + "1.0.0.0/99,1,X\n2.0.0.0/8,many,X\n")
    assert (counted, gap.count) == (3, 2)


def test_too_many_ranges_are_named(monkeypatch):
    monkeypatch.setattr(network_map, "_MOST", 2)
    _, counted, (gap,) = read(IPTOASN)
    assert counted == 2
    assert "more than 2 ranges" in str(gap.reason)


@pytest.mark.parametrize(
    "other",
    [
        "Received,SenderAddress,FromIP\n",
        "10.0.0.1\tx\n",
        "| a | b | c |\n",
        '{"network": "1.0.0.0/8", "asn": 1}',
    ],
)
def test_other_tables_are_no_maps(other):
    assert not SOURCE.recognise(head_of(other.encode()))
