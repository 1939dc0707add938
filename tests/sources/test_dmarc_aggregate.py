"""DMARC aggregate reports: both generations, the quirks of real reporters, hostile XML, and damage that stays named."""

import email
import email.policy
import gzip
import io
import re
import zipfile
import zlib
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portero.core.evidence import Gap
from portero.core.evidence_rows import REPORT_ROWS
from portero.sources.dmarc_aggregate import ROWS, SOURCE
from portero.sources.document import Batch, Document, Note
from portero.sources.head import head_of

META = (
    "<report_metadata><org_name>R</org_name><email>d@r.example</email><report_id>7</report_id>"
    "<date_range><begin>1781568000</begin><end>1781654400</end></date_range></report_metadata>"
)
POLICY = "<policy_published><domain>Contoso.com</domain><p>Reject</p></policy_published>"
EVALUATED = (
    "<policy_evaluated><disposition>none</disposition><dkim>Pass</dkim><spf>fail</spf></policy_evaluated>"
)
SAMPLES = Path(__file__).resolve().parents[2] / "../shared/samples/dmarc-aggregate"


def record(ip="192.0.2.1", mails="3", evaluated=EVALUATED, ids="", auth=""):
    ids = ids or "<header_from>contoso.com</header_from>"
    return (
        f"<record><row><source_ip>{ip}</source_ip><count>{mails}</count>{evaluated}</row>"
        f"<identifiers>{ids}</identifiers><auth_results>{auth}</auth_results></record>"
    )


def report(*records, meta=META, policy=POLICY, root="<feedback>"):
    name = re.match(r"<([\w:]+)", root)[1]
    return f"{root}{meta}{policy}{''.join(records)}</{name}>"


def read(content):
    raw = content.encode() if isinstance(content, str) else content
    document = Document("r.xml", head_of(raw), lambda: io.BytesIO(raw), len(raw))
    assert SOURCE.recognise(document.head)
    items = list(SOURCE.read(document))
    rows = [row for item in items if isinstance(item, Batch) for row in item.rows.to_pylist()]
    gaps = [(item.origin.line, str(item.reason)) for item in items if isinstance(item, Gap)]
    return rows, gaps, [str(item.text) for item in items if isinstance(item, Note)]


def test_a_record_becomes_a_row_in_the_schema_of_the_table():
    auth = (
        "<dkim><domain>esp.example</domain><selector>a</selector><result>fail</result></dkim>"
        "<dkim><domain>Contoso.com</domain><selector>b</selector><result>pass</result></dkim>"
        "<spf><domain>helo.example</domain><scope>helo</scope><result>none</result></spf>"
        "<spf><domain>bounce.example</domain><scope>mfrom</scope><result>none</result></spf>"
    )
    ids = "<header_from>Contoso.com</header_from><envelope_from/><envelope_to>us.example</envelope_to>"
    reason = "<reason><type>forwarded</type></reason><reason><type>Local_Policy</type><comment>x</comment></reason>"
    rows, gaps, notes = read(
        report(record(ids=ids, auth=auth, evaluated=EVALUATED[:-19] + reason + EVALUATED[-19:]))
    )
    assert (gaps, notes) == ([], [])
    assert set(rows[0]) == set(REPORT_ROWS.names) - {"document"}
    assert rows[0] == {
        "line": 1,
        "reporter": "R",
        "report_id": "7",
        "begin_at": datetime.fromisoformat("2026-06-16"),
        "end_at": datetime.fromisoformat("2026-06-17"),
        "policy_domain": "contoso.com",
        "policy": "reject",
        "source_ip": "192.0.2.1",
        "mails": 3,
        "disposition": "none",
        "aligned_dkim": "pass",
        "aligned_spf": "fail",
        "override_reason": "forwarded;local_policy",
        "header_from": "contoso.com",
        "envelope_from": "",
        "envelope_to": "us.example",
        "dkim_domain": "contoso.com",
        "dkim_result": "pass",
        "spf_domain": "bounce.example",
        "spf_result": "none",
    }


def test_null_reverse_path_and_not_reported_stay_apart():
    bare = read(report(record()))[0][0]
    empty = read(report(record(ids="<header_from>a.com</header_from><envelope_from></envelope_from>")))[0][0]
    assert (bare["envelope_from"], empty["envelope_from"]) == (None, "")
    assert (bare["dkim_domain"], bare["dkim_result"], bare["override_reason"]) == (None, None, None)


@pytest.mark.parametrize(
    "root",
    [
        "<feedback>",
        '<feedback xmlns="urn:ietf:params:xml:ns:dmarc-2.0">',
        '<ns1:feedback xmlns:ns1="http://dmarc.org/dmarc-xml/0.1">',
    ],
)
def test_every_namespace_is_the_same_report(root):
    extra = POLICY.replace(
        "</p>", "</p><np>none</np><testing>n</testing><discovery_method>psl</discovery_method>"
    )
    extension = "<extension><x:org_name xmlns:x='u'>no</x:org_name><record><row/></record></extension>"
    rows, gaps, _ = read(report(record(), policy=extra, meta=META + extension, root=root))
    assert [(row["reporter"], row["source_ip"], row["line"]) for row in rows] == [("R", "192.0.2.1", 1)]
    assert gaps == []


def test_children_may_stand_in_any_order():
    rows, gaps, _ = read("<feedback>" + record() + POLICY + META + "</feedback>")
    assert (rows[0]["report_id"], rows[0]["policy_domain"], gaps) == ("7", "contoso.com", [])


def test_facts_that_follow_more_records_than_a_batch_are_looked_for_ahead():
    rows, gaps, _ = read("<feedback>" + record() * (ROWS + 3) + POLICY + META + "</feedback>")
    assert {row["report_id"] for row in rows} == {"7"}
    assert [row["line"] for row in rows] == list(range(1, ROWS + 4))
    assert gaps == []


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (record(ip="108r.166.27.220"), "source_ip"),
        (record(ip=""), "source_ip"),
        (record(ip="255.255.255.255"), "source_ip"),
        (record(mails="many"), "count"),
        (record(mails="-1"), "count"),
        (record(mails="nan"), "count"),
        (record(mails="1e300"), "count"),
        (record(ids="<header_from>a b</header_from>"), "header_from"),
    ],
)
def test_a_bad_record_in_a_good_report_is_a_gap_with_its_number(bad, reason):
    rows, gaps, _ = read(report(record(), bad, record(ip="2001:DB8::1")))
    assert [(row["line"], row["source_ip"]) for row in rows] == [(1, "192.0.2.1"), (3, "2001:db8::1")]
    ((line, text),) = gaps
    assert line == 2
    assert reason in text


def test_many_bad_records_are_counted_instead_of_listed():
    raw = report(*[record(ip="x")] * 50)
    document = Document("r.xml", head_of(raw.encode()), lambda: io.BytesIO(raw.encode()))
    gaps = [item for item in SOURCE.read(document) if isinstance(item, Gap)]
    assert sum(gap.count for gap in gaps) == 50
    assert len(gaps) < 50


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"mails": "27.0"}, {"mails": 27}),
        ({"mails": "0"}, {"mails": 0}),
        ({"mails": " 4\n"}, {"mails": 4}),
        (
            {"evaluated": "<policy_evaluated><reason/></policy_evaluated>"},
            {"disposition": None, "aligned_dkim": None},
        ),
        ({"evaluated": "<policy_evaluated><spf>softfail</spf></policy_evaluated>"}, {"aligned_spf": "fail"}),
        ({"ids": "<header_from/>"}, {"header_from": None}),
        ({"ids": "<header_from>news.other.com, contoso.com</header_from>"}, {"header_from": "contoso.com"}),
        ({"ids": "<header_from>bücher.example</header_from>"}, {"header_from": "xn--bcher-kva.example"}),
        ({"auth": "<spf><result>hardfail</result></spf>"}, {"spf_result": "fail", "spf_domain": None}),
        ({"ip": "::ffff:192.0.2.9"}, {"source_ip": "192.0.2.9"}),
    ],
)
def test_quirks_of_real_reporters(values, expected):
    rows, gaps, _ = read(report(record(**values)))
    assert {name: rows[0][name] for name in expected} == expected
    assert gaps == []


def test_old_drafts_say_identities():
    draft = record().replace("identifiers", "identities")
    assert read(report(draft))[0][0]["header_from"] == "contoso.com"


def test_an_unnamed_reporter_goes_by_its_mail_domain():
    assert read(report(record(), meta=META.replace(">R<", "><")))[0][0]["reporter"] == "r.example"


def test_odd_periods_are_noted_and_kept():
    swapped = META.replace("1781654400", "1781481600.0 ")
    rows, _, notes = read(report(record(), meta=swapped))
    assert rows[0]["end_at"] == datetime.fromisoformat("2026-06-15")
    assert notes == ["The report's period ends before it begins."]
    rows, _, notes = read(report(record(), meta=META.replace("1781568000", "soon")))
    assert (rows[0]["begin_at"], notes) == (None, ["The report does not say which period it is about."])


def test_a_report_without_records_is_noted():
    assert read(report()) == ([], [], ["The report holds no records."])


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le"])
def test_encodings_other_than_declared(encoding):
    text = '<?xml version="1.0" encoding="windows-1252"?>' + report(
        record(), meta=META.replace(">R<", ">Ré<")
    )
    assert read(text.encode(encoding))[0][0]["reporter"] == "Ré"


def test_octets_that_are_not_utf_8_are_read_as_windows_1252():
    assert read(report(record(), meta=META.replace(">R<", ">Ré<")).encode("cp1252"))[0][0]["reporter"] == "Ré"


def test_a_bare_ampersand_is_an_ampersand():
    rows, gaps, _ = read(report(record(), meta=META.replace(">R<", ">A&T &amp; Co &unknown;<")))
    assert (rows[0]["reporter"], gaps) == ("A&T & Co &unknown;", [])


def test_damage_in_one_place_costs_one_record_and_is_named():
    broken = record(ids="<header_from>bad<xml.net</header_from>")
    rows, gaps, _ = read(report(record(), broken, record(), record()))
    assert [row["line"] for row in rows] == [1, 3, 4]
    assert [line for line, _ in gaps] == [None, 2]
    assert "damaged at line 1" in gaps[0][1]


def test_damage_in_the_facts_leaves_the_other_facts():
    meta = META.replace("d@r.example", "<bad-xml@bad.example>")
    rows, gaps, _ = read(report(record(), meta=meta))
    assert (rows[0]["reporter"], rows[0]["report_id"], rows[0]["policy_domain"]) == ("R", "7", "contoso.com")
    assert len(gaps) == 1


def test_a_record_that_never_ends_does_not_lend_its_values_to_the_next():
    torn = "<record><row><source_ip>192.0.2.66</source_ip><count>9</count></row><identifiers><"
    rows, gaps, _ = read(report(torn, record(mails="1")))
    assert [(row["line"], row["source_ip"], row["mails"]) for row in rows] == [(2, "192.0.2.1", 1)]
    assert (1, "The record is damaged.") in gaps


def test_a_report_cut_off_keeps_its_whole_records():
    whole = report(record(), record(), record())
    rows, gaps, _ = read(whole[: whole.rindex("<count>")])
    assert [row["line"] for row in rows] == [1, 2]
    assert (rows[0]["report_id"], len(gaps)) == ("7", 2)


def test_two_reports_in_one_file_keep_their_own_facts():
    second = report(record(), meta=META.replace(">7<", ">8<"))
    rows, gaps, _ = read(report(record()) + second)
    assert [row["report_id"] for row in rows] == ["7", "8"]
    assert len(gaps) == 1


def test_an_unclosed_wrapper_is_looked_through():
    rows, gaps, _ = read('<xs:schema xmlns:xs="x">' + report(record()))
    assert (len(rows), len(gaps)) == (1, 1)


BOMB = '<!DOCTYPE b [<!ENTITY a "ha"><!ENTITY c "&a;&a;&a;&a;">]>'


@pytest.mark.parametrize("prologue", [BOMB, '<!DOCTYPE feedback SYSTEM "file:///etc/passwd">'])
def test_document_types_and_entities_are_refused_and_named(prologue):
    rows, gaps, _ = read(prologue + report(record(), meta=META.replace(">R<", ">&c;<")))
    assert rows == []
    assert "document type" in gaps[0][1]


def test_bottomless_nesting_is_refused():
    for inner in ("<x>" * 100_000, "<feedback>" * 100_000):
        rows, gaps, _ = read("<feedback>" + inner)
        assert rows == []
        assert "nested" in gaps[0][1]


def test_a_tag_without_end_is_refused_before_it_fills_the_memory():
    _, gaps, _ = read("<feedback " + "a" * (12 << 20))
    assert any("larger than 4 MiB" in text for _, text in gaps)


WHOLE = report(record(auth="<spf><domain>a.com</domain><result>pass</result></spf>"), record()).encode()


@settings(max_examples=250, deadline=None)
@given(st.integers(0, len(WHOLE)), st.integers(0, 60), st.binary(max_size=20))
def test_no_mutation_raises_and_none_is_silent(start, length, middle):
    raw = WHOLE[:start] + middle + WHOLE[start + length :]
    document = Document("r.xml", head_of(WHOLE), lambda: io.BytesIO(raw), len(raw))
    items = list(SOURCE.read(document))
    rows = sum(item.rows.num_rows for item in items if isinstance(item, Batch))
    assert rows >= 2 or any(isinstance(item, Gap | Note) for item in items)


def unpacked(raw):
    """Open a sample's containers with the standard library alone."""
    if raw.startswith(b"\x1f\x8b"):
        try:
            return unpacked(gzip.decompress(raw))
        except (OSError, EOFError, zlib.error):
            return None
    if raw.startswith(b"PK"):
        try:
            with zipfile.ZipFile(io.BytesIO(raw)) as archive:
                return unpacked(archive.read(archive.namelist()[0]))
        except zipfile.BadZipFile:
            return None
    if raw[:2] in {b"\x78\x01", b"\x78\x9c", b"\x78\xda"}:
        return unpacked(zlib.decompress(raw))
    if b"\nMIME-Version:" in raw[:65536] or b"\nContent-Type:" in raw[:65536]:
        message = email.message_from_bytes(raw, policy=email.policy.default)
        parts = [part.get_payload(decode=True) for part in message.walk() if not part.is_multipart()]
        opened = [unpacked(part) for part in parts if part and part[:2] in {b"\x1f\x8b", b"PK"}]
        return next(iter(opened), None)
    return raw


def test_every_real_report_is_read_or_refused_for_the_true_reason():
    if not SAMPLES.is_dir():
        pytest.skip("the shared DMARC samples are not beside this checkout")
    read_whole, refused, files = 0, {}, 0
    for path in sorted(path for path in SAMPLES.rglob("*") if path.is_file()):
        files += 1
        raw = unpacked(path.read_bytes())
        if not raw or not SOURCE.recognise(head_of(raw)):
            assert not raw or b"<feedback" not in raw
            refused[path.name] = "no report"
            continue
        rows, gaps, _ = read(raw)
        expected = len(re.findall(rb"<record>", raw))
        bad = [line for line, _ in gaps if line is not None]
        assert len(rows) + len(bad) == expected, path.name
        if gaps:
            refused[path.name] = [text for _, text in gaps]
        else:
            read_whole += 1
    damaged = {name for name, reason in refused.items() if reason != "no report"}
    assert damaged == {
        "ikea.com!example.de!1538690400!1538776800.xml",
        "invalid_xml.xml",
        "test_empty.xml",
        "bad.com!example.com!1337140800!1337227200.xml",
    }
    # What is no report: an empty file, two text files and an empty zip.
    assert read_whole + len(refused) == files
    assert {name for name, reason in refused.items() if reason == "no report"} <= {
        "empty.xml",
        "bad.zip",
        "notempty.txt",
        "notempty.txt.gz",
        "mimecast-weird-gzip.eml",
    }
