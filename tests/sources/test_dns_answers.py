"""Recorded DNS answers in each form they are handed over in; unknown, absent and empty stay three things."""

import io
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portero.core.dns import Dns, DnsAnswer, DnsStatus
from portero.core.evidence import Gap
from portero.sources.dns_answers import SOURCE
from portero.sources.document import Document
from portero.sources.head import head_of
from portero.sources.zone_file import SOURCE as ZONE_FILE


def read(text):
    raw = text if isinstance(text, bytes) else text.encode()
    document = Document("dns", head_of(raw), lambda: io.BytesIO(raw), len(raw))
    assert SOURCE.recognise(document.head)
    assert not ZONE_FILE.recognise(document.head)
    items = list(SOURCE.read(document))
    return Dns(item for item in items if isinstance(item, DnsAnswer)), [
        i for i in items if isinstance(i, Gap)
    ]


LINES = """{"name": "Contoso.com", "type": "txt", "answers": ["v=spf1 -all"], "status": "NOERROR"}
{"name": "gone.com", "type": "TXT", "status": "NXDOMAIN"}
{"name": "mx.com", "type": "MX", "answers": ["10 Mail.MX.com."], "observed_at": "2026-11-24T10:00:00+01:00"}
{"name": "slow.com", "type": "TXT", "status": "TIMEOUT"}
{"name": "none.com", "type": "TXT", "answers": [], "status": "NOERROR"}
"""


def test_lines_of_the_contract():
    dns, gaps = read(LINES)
    assert gaps == []
    assert dns.lookup("contoso.com", "TXT").answers == ("v=spf1 -all",)
    assert dns.lookup("gone.com", "MX").status is DnsStatus.NXDOMAIN
    assert dns.lookup("mx.com", "MX").answers == ("10 mail.mx.com",)
    assert dns.lookup("mx.com", "MX").observed_at == datetime(2026, 11, 24, 9, tzinfo=UTC)
    assert dns.lookup("mx.com", "MX").origin.line == 3
    assert dns.lookup("slow.com", "TXT").status is DnsStatus.TIMEOUT
    none = dns.lookup("none.com", "TXT")
    assert (none.status, none.answers) == (DnsStatus.NOERROR, ())
    assert dns.lookup("never.com", "TXT").status is DnsStatus.UNKNOWN


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le"])
def test_lines_in_any_encoding_and_as_an_array(encoding):
    array = "[" + ",".join(LINES.splitlines()) + "]"
    dns, gaps = read(array.encode(encoding))
    assert (dns.lookup("contoso.com", "TXT").answers, gaps) == (("v=spf1 -all",), [])


@pytest.mark.parametrize(
    "line",
    [
        "nonsense",
        '{"name": "x.com", "type": "TXT", "status": "FINE"}',
        '{"name": "x.com", "type": "TXT"}',
        '{"name": 3, "type": "TXT", "answers": []}',
        '{"name": "x.com", "type": "TXT", "answers": [null]}',
        '{"name": "x.com", "type": "TXT", "answers": {}}',
        "[1]",
    ],
)
def test_a_bad_line_is_a_gap_and_the_others_stay(line):
    dns, gaps = read(LINES.replace("\n", "\n" + line + "\n", 1))
    assert len(gaps) == 1
    assert dns.lookup("x.com", "TXT").status is DnsStatus.UNKNOWN
    assert dns.lookup("mx.com", "MX").answers == ("10 mail.mx.com",)


def test_dns_over_https_follows_aliases_and_joins_strings():
    answer = {
        "Status": 0,
        "Question": [{"name": "s1._domainkey.a.com.", "type": 16}],
        "Answer": [
            {"name": "s1._domainkey.a.com.", "type": 5, "TTL": 1, "data": "k.esp.example."},
            {"name": "k.esp.example.", "type": 16, "TTL": 1, "data": '"v=DKIM1; " "p=AB"'},
        ],
    }
    dns, gaps = read(json.dumps(answer))
    assert (dns.lookup("s1._domainkey.a.com", "TXT").answers, gaps) == (("v=DKIM1; p=AB",), [])


def test_dns_over_https_says_what_does_not_exist():
    gone = {"Status": 3, "Question": [{"name": "gone.com", "type": 16}]}
    empty = {"Status": 0, "Question": [{"name": "empty.com", "type": 16}], "Authority": []}
    failed = {"Status": 5, "Question": [{"name": "failed.com", "type": 16}]}
    dns, _ = read("\n".join(map(json.dumps, (gone, empty, failed))))
    assert dns.lookup("gone.com", "MX").status is DnsStatus.NXDOMAIN
    assert dns.lookup("empty.com", "TXT").status is DnsStatus.NOERROR
    assert dns.lookup("failed.com", "TXT").status is DnsStatus.SERVFAIL


def test_resolve_dnsname_as_json():
    records = [
        {"Name": "a.com", "Type": 16, "Section": 1, "TTL": 9, "Strings": ["v=spf1 ", "-all"]},
        {"Name": "a.com", "Type": 16, "Section": 1, "TTL": 9, "Strings": ["other"]},
        {
            "Name": "a.com",
            "Type": "MX",
            "Section": "Answer",
            "TTL": 9,
            "Preference": 5,
            "NameExchange": "M.a.com",
        },
        {"Name": "a.com", "Type": 6, "Section": 2, "TTL": 9},
        {"Name": "b.com", "Type": 16, "Section": 1, "TTL": 9, "Strings": "System.String[]"},
    ]
    for content in (records, {"value": records, "Count": 5}):
        dns, gaps = read(json.dumps(content))
        assert dns.lookup("a.com", "TXT").answers == ("v=spf1 -all", "other")
        assert dns.lookup("a.com", "MX").answers == ("5 m.a.com",)
        assert dns.lookup("b.com", "TXT").status is DnsStatus.UNKNOWN
        assert [gap.origin.line for gap in gaps] == [5]


def test_resolve_dnsname_as_csv_keeps_what_export_csv_kept():
    heading = '#TYPE Microsoft.DnsClient.Commands.DnsRecord_MX\n"Name","Type","TTL","Section","Preference","NameExchange"\n'
    text = heading + '"a.com","MX","9","Answer","5","M.a.com"\n"a.com","MX","9","Answer","10","n.a.com"\n'
    dns, gaps = read(text + '"a.com","SOA","9","Authority","",""\n')
    assert (dns.lookup("a.com", "MX").answers, gaps) == (("5 m.a.com", "10 n.a.com"), [])
    lost = text + '"a.com","TXT","9","Answer","",""\n'
    dns, gaps = read(lost)
    assert dns.lookup("a.com", "TXT").status is DnsStatus.UNKNOWN
    assert [gap.origin.line for gap in gaps] == [5]


def test_a_set_of_records_that_lost_one_is_no_answer():
    records = [
        {"Name": "a.com", "Type": 16, "Section": 1, "TTL": 9, "Strings": ["v=spf1 -all"]},
        {"Name": "a.com", "Type": 16, "Section": 1, "TTL": 9, "Strings": "System.String[]"},
    ]
    dns, gaps = read(json.dumps(records))
    assert dns.lookup("a.com", "TXT").status is DnsStatus.UNKNOWN
    assert len(gaps) == 1


DIG = """
; <<>> DiG 9.18.1 <<>> TXT contoso.com
;; ->>HEADER<<- opcode: QUERY, status: NOERROR, id: 1
;; QUESTION SECTION:
;contoso.com.\t\t\tIN\tTXT

;; ANSWER SECTION:
contoso.com.\t300\tIN\tTXT\t"v=spf1 a" " -all"

;; WHEN: Tue Nov 24 10:00:00 UTC 2026

; <<>> DiG 9.18.1 <<>> MX gone.com
;; ->>HEADER<<- opcode: QUERY, status: NXDOMAIN, id: 2
;; QUESTION SECTION:
;gone.com.\t\t\tIN\tMX
;; AUTHORITY SECTION:
com.\t900\tIN\tSOA\ta. b. 1 2 3 4 5
; <<>> DiG 9.18.1 <<>> @192.0.2.53 +tcp TXT _dmarc.contoso.com
;; connection timed out; no servers could be reached
"""


def test_dig_prints_answers_absences_and_silences():
    dns, gaps = read(DIG)
    assert gaps == []
    found = dns.lookup("contoso.com", "TXT")
    assert (found.answers, found.observed_at) == (("v=spf1 a -all",), datetime(2026, 11, 24, 10, tzinfo=UTC))
    assert dns.lookup("gone.com", "TXT").status is DnsStatus.NXDOMAIN
    assert dns.lookup("com", "SOA").status is DnsStatus.UNKNOWN
    assert dns.lookup("_dmarc.contoso.com", "TXT").status is DnsStatus.TIMEOUT


def test_a_time_that_does_not_exist_is_no_time():
    dns, _ = read(DIG.replace("Nov 24", "Nov 99"))
    assert dns.lookup("contoso.com", "TXT").observed_at is None


def test_dig_output_without_its_question_is_a_gap():
    _, gaps = read(";; ANSWER SECTION:\n;; ->>HEADER<<- opcode: QUERY, status: NOERROR, id: 1\n")
    assert len(gaps) == 1


@settings(max_examples=150, deadline=None)
@given(st.sampled_from([LINES, DIG]), st.integers(0, 500), st.integers(0, 30), st.binary(max_size=12))
def test_no_mutation_raises(text, start, length, middle):
    raw = text.encode()
    raw = raw[:start] + middle + raw[start + length :]
    document = Document("dns", head_of(text.encode()), lambda: io.BytesIO(raw), len(raw))
    assert all(isinstance(item, DnsAnswer | Gap) for item in SOURCE.read(document))
