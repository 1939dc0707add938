"""DMARC aggregate reports of both generations (RFC 7489 appendix C, RFC 9990) as rows, in bounded memory."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache

import pyarrow as pa

from portero.core.address import NO_ADDRESS, a_label, client_address, domain_of, is_at_or_below
from portero.core.evidence import REPORT_ROWS, Gap, Origin
from portero.core.text import Text, count
from portero.sources.document import Batch, Document, Head, Item, Note, Source
from portero.sources.report_xml import Handlers, Refused, stream

ROWS = 8192
_PIECES = 16
_NESTING = 100
_TOO_DEEP = Text("The XML is nested more than 100 deep; it was refused.")
_GAPS_EACH = 20
_Check = tuple[str | None, str | None, str | None]  # domain, result, scope as written
_OCTET = r"(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_IPV4 = re.compile(rf"(?:{_OCTET}\.){{3}}{_OCTET}")
_ROOT = re.compile(r"<(?:[\w.-]{1,40}:)?feedback[\s>/]", re.IGNORECASE)
_LATEST = 253402300799  # the last second of the year 9999
_MOST_MAILS = 2**53

# Leaves of the report, by path. Values are the names under which a record or the report holds them.
_REPORT = {
    "report_metadata/org_name": "org_name",
    "report_metadata/email": "email",
    "report_metadata/report_id": "report_id",
    "report_metadata/date_range/begin": "begin",
    "report_metadata/date_range/end": "end",
    "policy_published/domain": "policy_domain",
    "policy_published/p": "policy",
}
_RECORD = {
    "row/source_ip": "source_ip",
    "row/count": "count",
    "row/policy_evaluated/disposition": "disposition",
    "row/policy_evaluated/dkim": "aligned_dkim",
    "row/policy_evaluated/spf": "aligned_spf",
    "row/policy_evaluated/reason/type": "reason",
    "identifiers/header_from": "header_from",
    "identifiers/envelope_from": "envelope_from",
    "identifiers/envelope_to": "envelope_to",
    # Drafts before RFC 7489 called them identities.
    "identities/header_from": "header_from",
    "identities/envelope_from": "envelope_from",
    "identities/envelope_to": "envelope_to",
    "auth_results/dkim/domain": "domain",
    "auth_results/dkim/result": "result",
    "auth_results/spf/domain": "domain",
    "auth_results/spf/scope": "scope",
    "auth_results/spf/result": "result",
}
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


class _Element(dict[str, "_Element"]):
    """A known element: its known children by name, its parent, the value a leaf gives, what its end completes."""

    __slots__ = ("name", "parent", "plain", "role", "value")

    def __init__(self, name: str, parent: _Element | None = None) -> None:
        super().__init__()
        self.name = name
        self.parent = self if parent is None else parent
        self.value: str | None = None
        self.plain: str | None = None  # the value of a leaf whose end completes nothing
        self.role: str | None = None  # feedback | report | record | reason | dkim | spf

    def at(self, path: str) -> _Element:
        element = self
        for name in path.split("/"):
            element = element.setdefault(name, _Element(name, element))
        return element


def _grammar() -> _Element:
    top = _Element("")
    top.at("feedback").role = "feedback"
    for path, value in _REPORT.items():
        leaf = top.at(f"feedback/{path}")
        leaf.value, leaf.role = value, "report"
    for path, value in _RECORD.items():
        top.at(f"feedback/record/{path}").value = value
    record = top.at("feedback/record")
    record.role = "record"
    record.at("row/policy_evaluated/reason/type").role = "reason"
    record.at("auth_results/dkim").role = "dkim"
    record.at("auth_results/spf").role = "spf"
    for path in ("dkim/selector", "dkim/human_result", "spf/human_result"):
        record.at(f"auth_results/{path}")  # known, so that they are not looked for under a prefix
    for path in _RECORD:
        leaf = record.at(path)
        leaf.plain = leaf.value if leaf.role is None else None
    return top


_GRAMMAR = _grammar()
# After damage these still count, the unused ones too, lest their text be taken for a neighbour's.
_NAMES = frozenset(name for path in (*_REPORT, *_RECORD) for name in path.split("/")) | frozenset(
    [
        "feedback",
        "record",
        "version",
        "extra_contact_info",
        "error",
        "generator",
        "adkim",
        "aspf",
        "sp",
        "np",
        "pct",
        "fo",
        "testing",
        "discovery_method",
        "comment",
        "selector",
        "human_result",
        "extension",
    ]
)


@dataclass(slots=True)
class _Record:
    """A record while it is read: its values as written, and one triple a signature or SPF check."""

    values: dict[str, str] = field(default_factory=dict)
    reasons: list[str] = field(default_factory=list)
    signatures: list[_Check] = field(default_factory=list)
    checks: list[_Check] = field(default_factory=list)
    broken: bool = False


class _Reader:
    """Follows the open elements, and gives completed records and reports to whoever asked."""

    def __init__(self, record: Callable[[_Record], None], report: Callable[[], None]) -> None:
        self.facts: dict[str, str] = {}
        self.pieces: list[str] = []
        self._on_record, self._on_report = record, report
        self._inside = _GRAMMAR
        self._record = _Record()
        self._wrappers = 0
        self._lost = False
        self.handlers = self._handlers()

    def _handlers(self) -> Handlers:
        """Make the event handlers as closures over local names, for they run some sixty times a record."""
        pieces = self.pieces
        clear = pieces.clear
        values = self._record.values
        inside = _GRAMMAR
        skipped = 0

        def start(name: str, _: object) -> None:
            nonlocal inside, skipped
            clear()
            element = inside.get(name)
            if skipped:
                element = None
            elif element is None:
                element = inside.get(name.rpartition(":")[2].lower())
            if element is not None:
                inside = element
            elif skipped or inside is not _GRAMMAR:
                skipped += 1
                if skipped > _NESTING:
                    raise Refused(_TOO_DEEP)
            else:
                self._wrap()

        def end(_: str) -> None:
            nonlocal inside, skipped, values
            if skipped:
                skipped -= 1
                return
            element = inside
            inside = element.parent
            if element.plain is not None:
                values[element.plain] = pieces[0] if len(pieces) == 1 else "".join(pieces)
            elif element.role is not None:
                self._complete(element)
                values = self._record.values

        def damaged() -> None:
            self._inside = inside
            self._damaged()

        return Handlers(start, end, self._loose_start, self._loose_end, pieces.append, damaged, _NAMES)

    def _wrap(self) -> None:
        """Look through an element around the report: some reporters add one, and may leave it unclosed."""
        self._wrappers += 1
        if self._wrappers > _NESTING:
            raise Refused(_TOO_DEEP)

    def _complete(self, element: _Element) -> None:
        """Do what the end of an element that is more than a plain value completes."""
        record = self._record
        match element.role:
            case "report":
                self.facts[str(element.value)] = "".join(self.pieces).strip()
            case "reason":
                if len(record.reasons) < _NESTING:
                    record.reasons.append("".join(self.pieces))
            case "dkim" | "spf":
                found = record.signatures if element.role == "dkim" else record.checks
                values = record.values
                check = (values.pop("domain", None), values.pop("result", None), values.pop("scope", None))
                if len(found) < _NESTING:
                    found.append(check)
            case "record":
                self._on_record(record)
                self._record = _Record()
            case "feedback":
                self._on_report()
                self.facts.clear()

    def _within(self, role: str) -> bool:
        element = self._inside
        while element is not _GRAMMAR and element.role != role:
            element = element.parent
        return element is not _GRAMMAR

    def _damaged(self) -> None:
        """Note where the XML broke: a value is lost there, or nobody knows what stood between two."""
        self._lost = self._inside.value is not None
        if not self._lost and self._within("record"):
            self._record.broken = True

    def _loose_start(self, name: str) -> None:
        plain = name.lower()
        self.pieces.clear()
        if plain == "record" and self._within("record"):
            # It begins where the last one never ended.
            self._leave("record")
        self._inside = self._inside.get(plain, self._inside)

    def _loose_end(self, name: str) -> None:
        plain = name.lower()
        element = self._inside
        while element is not _GRAMMAR and element.name != plain:
            element = element.parent
        if element is _GRAMMAR:
            return
        while self._inside is not element:
            self._close_open()
        self._inside = element.parent
        if self._lost and element.value is not None:
            self._lost = False
            self._record.broken = self._record.broken or element.role != "report"
        elif element.plain is not None:
            self._record.values[element.plain] = "".join(self.pieces)
        elif element.role is not None:
            self._complete(element)

    def _close_open(self) -> None:
        """Close an element that has no end of its own; a record closed so, or left with such a value, is broken."""
        element, self._inside = self._inside, self._inside.parent
        if element.role == "record" or (element.value is not None and element.role != "report"):
            self._record.broken = True
        if element.role in {"record", "feedback"}:
            self._complete(element)

    def _leave(self, role: str) -> None:
        while self._within(role):
            self._close_open()

    def close(self) -> None:
        """Close what the end of the document left open."""
        self._leave("feedback")


class _Rows:
    """One document's rows while they are read, and what there is to say about them."""

    def __init__(self, document: Document) -> None:
        self.items: list[Item] = []
        self.reader = _Reader(self._record, self._report)
        self._document = document
        self._rows: list[tuple[object, ...]] = []
        self._number = 0
        self._bad: Counter[Text] = Counter()
        self._later: dict[str, str] | None = None

    def _record(self, record: _Record) -> None:
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
    reader = _Reader(lambda _: None, lambda: facts.update(reader.facts))
    for _ in stream(document, reader.handlers):
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
    for gap in stream(document, rows.reader.handlers):
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
    if _IPV4.fullmatch(text):
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
def _results(signatures: tuple[_Check, ...], checks: tuple[_Check, ...]) -> tuple[str | None, ...]:
    """Give domain and result of the signature and of the SPF check that speak for the record."""
    nothing: _Check = (None, None, None)
    # min is stable: among equals the first.
    signature = min(signatures, key=lambda one: _result(one[1]) != "pass", default=nothing)
    check = min(checks, key=_preference, default=nothing)
    return (
        _domain(signature[0]) or None,
        _result(signature[1]),
        _domain(check[0]) or None,
        _result(check[1]),
    )


def _preference(check: _Check) -> tuple[bool, bool]:
    """Prefer an SPF check that passed, then one of MAIL FROM over one of HELO. Source: RFC 9990 (mfrom only)."""
    return _result(check[1]) != "pass", _word(check[2]) == "helo"


SOURCE = Source("dmarc-aggregate", Text("DMARC aggregate report"), recognise, read)
