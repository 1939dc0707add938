"""DMARC aggregate reports of both generations (RFC 7489 appendix C, RFC 9990) as rows, in bounded memory."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache

import pyarrow as pa

from portero.core.address import NO_ADDRESS, a_label, client_address, domain_of, is_at_or_below, is_plain
from portero.core.evidence import Gap, Origin
from portero.core.evidence_rows import REPORT_ROWS
from portero.core.text import Text, count
from portero.sources.document import Batch, Document, Head, Item, Note, Source
from portero.sources.record_shapes import Check, Record
from portero.sources.report_records import ReportReader
from portero.sources.report_xml import stream

ROWS = 8192
_PIECES = 16
_GAPS_EACH = 20
_ROOT = re.compile(r"<(?:[\w.-]{1,40}:)?feedback[\s>/]", re.IGNORECASE)
_LATEST = 253402300799  # the last second of the year 9999
_MOST_MAILS = 2**53

_ROW_COLUMNS = (
    "line",
    "source_ip",
    "mails",
    "disposition",
    "aligned_dkim",
    "aligned_spf",
    "override_reason",
    "header_from",
    "envelope_from",
    "envelope_to",
    "dkim_domain",
    "dkim_result",
    "spf_domain",
    "spf_result",
)
_RESULTS = {"hardfail": "fail", "error": "temperror", "unknown": "permerror"}  # words of older drafts
_SCHEMA = pa.schema([field for field in REPORT_ROWS if field.name != "document"])


class _Rows:
    """One document's rows while they are read, and what there is to say about them."""

    def __init__(self, document: Document) -> None:
        self.items: list[Item] = []
        self.reader = ReportReader(self._record, self._report)
        self._document = document
        self._rows: list[tuple[object, ...]] = []
        self._number = 0
        self._bad: Counter[Text] = Counter()
        self._later: dict[str, str] | None = None

    def _record(self, record: Record) -> None:
        """Turn a record into a row, or name what is wrong with it."""
        self._number += 1
        values = record.values
        address = _address(values.get("source_ip", ""))
        mails = _mails(values.get("count"))
        author = _author(values.get("header_from"), self.reader.facts.get("policy_domain"))
        if record.broken:
            self._refuse(Text("The record is damaged."))
        elif address is None:
            self._refuse(Text("The record's source_ip is not an address."))
        elif mails is None:
            self._refuse(Text("The record's count is not a number of mails."))
        elif author is None and values.get("header_from"):
            self._refuse(Text("The record's header_from is not a domain."))
        else:
            evaluated = _evaluated(
                values.get("disposition"),
                values.get("aligned_dkim"),
                values.get("aligned_spf"),
                tuple(record.reasons),
            )
            envelope = _domain(values.get("envelope_from")), _domain(values.get("envelope_to")) or None
            results = _results(tuple(record.signatures), tuple(record.checks))
            self._rows.append((self._number, address, mails, *evaluated, author, *envelope, *results))
            if len(self._rows) >= ROWS:
                self._flush()

    def _refuse(self, problem: Text) -> None:
        self._bad[problem] += 1
        if self._bad[problem] <= _GAPS_EACH:
            self.items.append(Gap(Origin(self._document.name, self._number), problem))

    def _report(self) -> None:
        """End one report: hand over its rows, and say what is odd about it."""
        self._flush()
        facts = self.reader.facts
        begin, end = _seconds(facts.get("begin")), _seconds(facts.get("end"))
        if begin is None or end is None:
            self.items.append(Note(Text("The report does not say which period it is about.")))
        elif end < begin:
            self.items.append(Note(Text("The report's period ends before it begins.")))
        if not self._number:
            self.items.append(Note(Text("The report holds no records.")))

    def finish(self) -> None:
        """End the document: close what is open, and count the bad records that were not named one by one."""
        self.reader.close()
        for problem, times in self._bad.items():
            if times > _GAPS_EACH:
                one = "{n} more record has this problem: {problem}"
                many = "{n} more records have this problem: {problem}"
                more = times - _GAPS_EACH
                self.items.append(
                    Gap(Origin(self._document.name), count(one, many, more, problem=problem), more)
                )

    def _flush(self) -> None:
        if not self._rows:
            return
        columns = dict(zip(_ROW_COLUMNS, zip(*self._rows, strict=True), strict=True))
        constants = self._constants()
        length = len(self._rows)
        arrays = [
            pa.array(columns[field.name], field.type)
            if field.name in columns
            else pa.repeat(pa.scalar(constants[field.name], field.type), length)
            for field in _SCHEMA
        ]
        self._rows.clear()
        self.items.append(Batch("report_rows", pa.RecordBatch.from_arrays(arrays, schema=_SCHEMA)))

    def _constants(self) -> dict[str, object]:
        """Give what all rows of the report share."""
        facts = self.reader.facts
        if len(self._rows) >= ROWS and not {"report_id", "begin", "policy_domain"} <= facts.keys():
            # Children may stand in any order; what follows a long list of records is looked for ahead, once.
            if self._later is None:
                self._later = _facts_ahead(self._document)
            facts = {**self._later, **facts}
        begin, end = _seconds(facts.get("begin")), _seconds(facts.get("end"))
        return {
            "reporter": facts.get("org_name") or domain_of(facts.get("email", "")) or None,
            "report_id": facts.get("report_id") or None,
            "begin_at": None if begin is None else begin * 1_000_000,
            "end_at": None if end is None else end * 1_000_000,
            "policy_domain": _domain(facts.get("policy_domain")) or None,
            "policy": _word(facts.get("policy")),
        }


def _facts_ahead(document: Document) -> dict[str, str]:
    """Read a document for its report's own facts only; they are copied before the report's end clears them."""
    facts: dict[str, str] = {}
    reader = ReportReader(lambda _: None, lambda: facts.update(reader.facts))
    for _ in stream(document, reader.handlers, reader.repeated):
        del reader.pieces[_PIECES:]
    reader.close()
    return facts


def recognise(head: Head) -> bool:
    """Tell by the root element ``feedback``, with or without a prefix."""
    return head.text.lstrip("\ufeff \t\r\n").startswith("<") and _ROOT.search(head.text) is not None


def read(document: Document) -> Iterator[Item]:
    """Stream the records as rows of ``report_rows``; a bad record is a Gap whose line is the record's number."""
    rows = _Rows(document)
    empty = True
    for gap in stream(document, rows.reader.handlers, rows.reader.repeated):
        # Text without end would grow; no value of a report is longer than these pieces.
        del rows.reader.pieces[_PIECES:]
        empty = empty and not rows.items
        yield from rows.items
        rows.items.clear()
        if gap is not None:
            yield gap
    rows.finish()
    yield from rows.items
    if empty and not rows.items:
        reason = Text("No record of this DMARC report could be read. Fetch the report again.")
        yield Gap(Origin(document.name), reason)


def _address(text: str) -> str | None:
    """Give the canonical address; an IPv4 address already in that form needs no cache, whose size large reports exceed."""
    if is_plain(text):
        return None if text == NO_ADDRESS else text
    return client_address(text)


@lru_cache(maxsize=4096)
def _mails(text: str | None) -> int | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    return int(number) if 0 <= number < _MOST_MAILS and number == int(number) else None


@lru_cache(maxsize=4096)
def _seconds(text: str | None) -> int | None:
    """Read an epoch time, also with a fraction as some reporters write it. Microseconds fit any year to 9999."""
    try:
        number = float(text or "")
    except ValueError:
        return None
    return int(number) if 0 < number <= _LATEST else None


@lru_cache(maxsize=65536)
def _domain(text: str | None) -> str | None:
    """Give a domain as A-labels, ``""`` for an empty element or ``<>``, and None for nothing or what is no domain."""
    if text is None:
        return None
    value = text.strip()
    if value in {"", "<>"}:
        return ""
    if "@" in value:
        value = domain_of(value)
    if not value or len(value) > 255 or re.search(r"[\s<>\"'&,;:/\\()\[\]]", value):
        return None
    return a_label(value)


@lru_cache(maxsize=4096)
def _word(text: str | None) -> str | None:
    return (text or "").strip().lower() or None


@lru_cache(maxsize=4096)
def _result(text: str | None) -> str | None:
    word = _word(text)
    return _RESULTS.get(word, word) if word else None


@lru_cache(maxsize=4096)
def _aligned(text: str | None) -> str | None:
    """Read an alignment result: pass or fail; reporters that copy SPF's or DKIM's own words mean no pass."""
    word = _result(text)
    if word in {"none", "neutral", "softfail", "policy", "temperror", "permerror"}:
        return "fail"
    return word if word in {"pass", "fail"} else None


@lru_cache(maxsize=4096)
def _evaluated(
    disposition: str | None, dkim: str | None, spf: str | None, reasons: tuple[str, ...]
) -> tuple[str | None, str | None, str | None, str | None]:
    """Give disposition, alignment by DKIM and by SPF, and the types of the override reasons, joined."""
    types = ";".join(dict.fromkeys(word for text in reasons if (word := _word(text))))
    return _word(disposition), _aligned(dkim), _aligned(spf), types or None


@lru_cache(maxsize=65536)
def _author(text: str | None, policy_domain: str | None) -> str | None:
    """
    Give the domain of the From field; of several, the first that the report's policy is about.

    Some reporters list every domain of a From field with several mailboxes (seen 2012: ``pages.x.com, x.com``).
    """
    if text is None or "," not in text:
        return _domain(text) or None
    domains = [domain for part in text.split(",") if (domain := _domain(part))]
    policy = _domain(policy_domain) or ""
    ours = [domain for domain in domains if is_at_or_below(domain, policy)]
    return next(iter([*ours, *domains]), None)


@lru_cache(maxsize=4096)
def _results(signatures: tuple[Check, ...], checks: tuple[Check, ...]) -> tuple[str | None, ...]:
    """Give domain and result of the signature and of the SPF check that speak for the record."""
    nothing: Check = (None, None, None)
    # min is stable: among equals the first.
    signature = min(signatures, key=lambda one: _result(one[1]) != "pass", default=nothing)
    check = min(checks, key=_preference, default=nothing)
    return (
        _domain(signature[0]) or None,
        _result(signature[1]),
        _domain(check[0]) or None,
        _result(check[1]),
    )


def _preference(check: Check) -> tuple[bool, bool]:
    """Prefer an SPF check that passed, then one of MAIL FROM over one of HELO. Source: RFC 9990 (mfrom only)."""
    return _result(check[1]) != "pass", _word(check[2]) == "helo"


SOURCE = Source("dmarc-aggregate", Text("DMARC aggregate report"), recognise, read)
