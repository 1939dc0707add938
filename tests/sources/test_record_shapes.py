"""Taking records by the markup of one that was read: the answer is the parser's, whatever stands in them."""

import io
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portero.core.evidence import Gap
from portero.sources import report_records
from portero.sources.dmarc_aggregate import SOURCE
from portero.sources.document import Batch, Document
from portero.sources.head import head_of
from portero.sources.record_shapes import Record, Shapes

RECORD = (
    "\n <record><row><source_ip>192.0.2.{n}</source_ip><count>{n}</count><policy_evaluated>"
    "<disposition>none</disposition><dkim>pass</dkim><spf>fail</spf></policy_evaluated></row><identifiers>"
    "<header_from>contoso.com</header_from><envelope_from></envelope_from></identifiers><auth_results>"
    "<dkim><domain>d{n}.example</domain><result>pass</result></dkim></auth_results></record>"
)
META = (
    "<report_metadata><org_name>R</org_name><report_id>7</report_id>"
    "<date_range><begin>1781568000</begin><end>1781654400</end></date_range></report_metadata>"
)


def report(*records):
    return "<feedback>" + META + "".join(records) + "\n</feedback>"


def read(text):
    raw = text.encode("utf-8", "surrogatepass")
    document = Document("r.xml", head_of(raw), lambda: io.BytesIO(raw), len(raw))
    items = list(SOURCE.read(document))
    rows = [row for item in items if isinstance(item, Batch) for row in item.rows.to_pylist()]
    return rows, [(item.origin.line, str(item.reason)) for item in items if isinstance(item, Gap)]


@pytest.fixture
def fresh(monkeypatch):
    """Shapes that have learned nothing, and what was taken by them."""
    shapes = Shapes(report_records._one_record)
    taken = []
    take = shapes.take
    monkeypatch.setattr(shapes, "take", lambda text: take(text) and (taken.append(text) or take(text)))
    monkeypatch.setattr(report_records, "_SHAPES", shapes)
    return taken


def by_parser(text, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(report_records, "_SHAPES", Shapes(lambda _: None))
        return read(text)


def test_the_third_record_of_a_kind_is_taken_and_gives_its_own_texts(fresh):
    rows, gaps = read(report(*(RECORD.format(n=n) for n in range(1, 7))))
    assert [(row["line"], row["mails"], row["dkim_domain"]) for row in rows] == [
        (n, n, f"d{n}.example") for n in range(1, 7)
    ]
    assert gaps == []
    assert len(fresh) == 4


def test_kinds_may_alternate(fresh):
    short = re.sub("<dkim><domain>.*</dkim>(?=</auth)", "", RECORD)
    records = [(RECORD if n % 2 else short).format(n=n) for n in range(1, 21)]
    rows, _ = read(report(*records))
    assert [row["dkim_domain"] for row in rows] == [f"d{n}.example" if n % 2 else None for n in range(1, 21)]
    assert len(fresh) == 17  # the first stands behind no record, and each kind is learned from one


ODD = [
    "&amp;",
    "&",
    "&#65;",
    "\r\n",
    "\r",
    "\t",
    " ",
    "\0",
    "\x1f",
    "\x7f",
    "é",
    "\ufffe",
    "\ue0000\ue001",
    ">",
    "]]>",
    "<",
    "<!-- </record> -->",
    "<!--",
    "<![CDATA[ </record> ]]>",
    "<![CDATA[x]]>",
    "<?p </record> ?>",
    "<x/>",
    "<x a='>'/>",
    "</record >",
    "</record>",
    "<record>",
    "<extension><record><row/></record></extension>",
    "</feedback>",
    "<count>9</count>",
    "<reason><type>forwarded</type></reason>",
    "<!DOCTYPE x>",
    "<a><b></a>",
    '<x y="<record>"/>',
    '<x y="',
]


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize(
    "place", ["192.0.2.8", "none</dis", "</row>", "contoso.com</he", "<record>", "\n <record>", "</record>"]
)
def test_whatever_stands_in_a_record_the_answer_is_the_parsers(fresh, monkeypatch, odd, place):
    """In one record among others of its kind, and in every record, so that it is in what is learned."""
    plain = RECORD.replace("{n}", "8")
    for new in (odd + place, place + odd):
        strange = plain.replace(place, new)
        assert strange != plain
        for records in (
            [plain] * 4 + [strange] + [plain] * 3,
            [strange] * 6,
            [plain] * 3 + [strange] * 3 + [plain],
        ):
            text = report(*records)
            assert read(text) == by_parser(text, monkeypatch)


WHOLE = report(*(RECORD.format(n=n) for n in range(1, 9)))


@settings(max_examples=300, deadline=None)
@given(st.integers(0, len(WHOLE)), st.integers(0, 80), st.sampled_from(["", "x", *ODD]))
def test_no_change_anywhere_makes_a_difference(start, length, middle):
    text = WHOLE[:start] + middle + WHOLE[start + length :]
    if not SOURCE.recognise(head_of(text.encode())):
        return
    read(WHOLE)  # learns
    found = read(text)
    with pytest.MonkeyPatch.context() as patch:
        assert found == by_parser(text, patch)


def test_a_damaged_line_is_counted_with_the_lines_that_were_not_parsed(fresh):
    records = [RECORD.format(n=n) for n in range(1, 9)]
    _, gaps = read(report(*records, "\n\n<record><row></record>", records[0]))
    assert "damaged at line 11" in gaps[0][1]
    assert fresh


def test_what_is_kept_is_bounded(monkeypatch):
    """Every record has markup of its own: no more than so many kinds are learned, and the oldest go."""
    learned = []
    shapes = Shapes(lambda text: learned.append(text) or Record(values={"count": "1"}))
    monkeypatch.setattr(report_records, "_SHAPES", shapes)
    read(report(*(RECORD.format(n=1).replace("<row>", f"<x{n}/><row>") for n in range(500))))
    assert len(learned) == report_records._LEARNED
    for n in range(500):
        shapes.learn(f"<record><x{n}/>")
    assert len(shapes._held) == 64
    assert sum(map(len, shapes._by_tags.values())) == 64


def test_a_record_too_long_or_with_too_many_texts_is_not_learned():
    asked = []
    shapes = Shapes(lambda text: asked.append(text))
    shapes.learn("<record>" + "<a>1</a>" * 300)
    shapes.learn("<record><a>" + "x" * 20_000 + "</a>")
    assert asked == []


def test_even_the_first_record_is_taken_where_its_kind_is_known_and_the_policy_stands_before_it(fresh):
    policy = "\n<policy_published><domain>contoso.com</domain><p>none</p></policy_published>"
    for n in range(3):
        rows, gaps = read(report(policy, *(RECORD.format(n=1 + n) for n in range(3))))
        assert [(row["mails"], row["policy_domain"]) for row in rows] == [
            (n, "contoso.com") for n in (1, 2, 3)
        ]
        assert gaps == []
        assert len(fresh) == 2 + 3 * n


@pytest.mark.parametrize("odd", ODD)
def test_whatever_stands_around_the_policy_the_answer_is_the_parsers(fresh, monkeypatch, odd):
    policy = "\n<policy_published><domain>contoso.com</domain></policy_published>"
    for strange in (odd + policy, policy + odd, policy.replace("contoso.com", odd), policy[:-1] + odd + ">"):
        text = report(strange, *[RECORD.format(n=1)] * 4)
        for _ in range(2):
            assert read(text) == by_parser(text, monkeypatch)
