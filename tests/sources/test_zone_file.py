"""Zone files: owners, origins, joined strings, wildcards, and a zone only where the file was read whole."""

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portero.core.dns import Dns, DnsAnswer, DnsStatus, DnsZone
from portero.core.evidence import Gap
from portero.sources.document import Document, Note
from portero.sources.head import head_of
from portero.sources.zone_file import SOURCE

ZONE = """$TTL 1h
$ORIGIN contoso.com.
@   IN SOA ns1 hostmaster ( 2026112401 ; serial (not a bracket
        7200 3600 1209600 3600 )
    IN NS ns1
    IN MX 10 contoso-com.mail.protection.outlook.com.
    IN TXT "v=spf1 include:spf.protection.outlook.com " "-all"
    IN TXT "two; with \\"quotes\\""
_dmarc  300 IN TXT ( "v=DMARC1;"
             " p=none" )
www CNAME @
sub NS ns.other.example.
*.dev A 192.0.2.7
a.b TXT "x"
"""


def read(text):
    raw = text if isinstance(text, bytes) else text.encode()
    document = Document("zone", head_of(raw), lambda: io.BytesIO(raw), len(raw))
    assert SOURCE.recognise(document.head)
    return list(SOURCE.read(document))


def dns_of(items):
    answers = [item for item in items if isinstance(item, DnsAnswer)]
    return Dns(answers, [item for item in items if isinstance(item, DnsZone)])


def test_record_sets_become_answers_with_their_lines():
    items = read(ZONE)
    assert not [item for item in items if isinstance(item, Gap | Note)]
    held = {(item.name, item.type): item for item in items if isinstance(item, DnsAnswer)}
    assert held["contoso.com", "TXT"].answers == (
        "v=spf1 include:spf.protection.outlook.com -all",
        'two; with "quotes"',
    )
    assert held["_dmarc.contoso.com", "TXT"].answers == ("v=DMARC1; p=none",)
    assert held["_dmarc.contoso.com", "TXT"].origin.line == 9
    assert held["contoso.com", "MX"].answers == ("10 contoso-com.mail.protection.outlook.com",)


@pytest.mark.parametrize(
    ("name", "type_", "status", "answers"),
    [
        ("www.contoso.com", "MX", DnsStatus.NOERROR, ("10 contoso-com.mail.protection.outlook.com",)),
        ("contoso.com", "AAAA", DnsStatus.NOERROR, ()),
        ("b.contoso.com", "TXT", DnsStatus.NOERROR, ()),
        ("nothing.contoso.com", "TXT", DnsStatus.NXDOMAIN, ()),
        ("x.sub.contoso.com", "TXT", DnsStatus.UNKNOWN, ()),
        ("fabrikam.com", "TXT", DnsStatus.UNKNOWN, ()),
        ("one.dev.contoso.com", "A", DnsStatus.NOERROR, ("192.0.2.7",)),
        ("one.dev.contoso.com", "TXT", DnsStatus.NOERROR, ()),
    ],
)
def test_a_whole_zone_answers_for_all_its_names(name, type_, status, answers):
    found = dns_of(read(ZONE)).lookup(name, type_)
    assert (found.status, found.answers) == (status, answers)


def test_an_entry_that_cannot_be_read_costs_itself_and_the_claim_to_be_whole():
    items = read(ZONE + "bad IN A 1.2.3\ngood IN A 192.0.2.1\n")
    (gap,) = [item for item in items if isinstance(item, Gap)]
    assert gap.origin.line == 15
    assert not [item for item in items if isinstance(item, DnsZone)]
    dns = dns_of(items)
    assert dns.lookup("good.contoso.com", "A").answers == ("192.0.2.1",)
    assert dns.lookup("nothing.contoso.com", "A").status is DnsStatus.UNKNOWN


@pytest.mark.parametrize("directive", ["$INCLUDE /etc/passwd", "$GENERATE 1-999999999 h$ A 192.0.2.1"])
def test_nothing_is_included_or_generated(directive):
    items = read(ZONE + directive + "\n")
    (gap,) = [item for item in items if isinstance(item, Gap)]
    assert directive.split()[0] in str(gap.reason)
    assert not [item for item in items if isinstance(item, DnsZone)]


def test_a_transfer_as_dig_prints_it_needs_no_directive():
    axfr = (
        "; <<>> DiG 9.18 <<>> axfr contoso.com\n"
        "contoso.com.\t3600\tIN\tSOA\tns1.contoso.com. h.contoso.com. 1 2 3 4 5\n"
        'contoso.com.\t3600\tIN\tTXT\t"v=spf1 -all"\n'
        "contoso.com.\t3600\tIN\tSOA\tns1.contoso.com. h.contoso.com. 1 2 3 4 5\n"
    )
    dns = dns_of(read(axfr))
    assert dns.lookup("contoso.com", "TXT").answers == ("v=spf1 -all",)
    assert dns.lookup("no.contoso.com", "TXT").status is DnsStatus.NXDOMAIN


def test_relative_names_without_an_origin_are_not_guessed():
    items = read("@ IN SOA ns1 h 1 2 3 4 5\nwww A 192.0.2.1\n")
    gaps = [item for item in items if isinstance(item, Gap)]
    assert [gap.origin.line for gap in gaps] == [1, 2]
    assert "$ORIGIN" in str(gaps[0].reason)
    assert not [item for item in items if isinstance(item, DnsAnswer | DnsZone)]


def test_two_zones_of_one_file_are_both_whole():
    items = read(ZONE + '$ORIGIN fabrikam.com.\n@ SOA ns h 1 2 3 4 5\n@ TXT "v=spf1 -all"\n')
    assert {item.apex for item in items if isinstance(item, DnsZone)} == {"contoso.com", "fabrikam.com"}


def test_records_without_a_soa_leave_other_names_unknown():
    items = read("$ORIGIN contoso.com.\nwww A 192.0.2.1\n")
    assert [str(item.text) for item in items if isinstance(item, Note)] == [
        "The file has no SOA record, so names that are not in it stay unknown."
    ]


@settings(max_examples=200, deadline=None)
@given(st.integers(0, len(ZONE)), st.integers(0, 40), st.binary(max_size=16))
def test_no_mutation_raises(start, length, middle):
    raw = ZONE.encode()
    raw = raw[:start] + middle + raw[start + length :]
    document = Document("zone", head_of(ZONE.encode()), lambda: io.BytesIO(raw), len(raw))
    assert list(SOURCE.read(document))
