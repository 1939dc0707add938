"""The elements of a DMARC aggregate report as records: known paths only, whatever their order, prefix or damage."""

from __future__ import annotations

from collections.abc import Callable
from xml.parsers import expat

from portero.core.text import Text
from portero.sources.record_shapes import Record, Shapes
from portero.sources.report_xml import Handlers, Refused, Repeated, parser_of

_NESTING = 100
_TOO_DEEP = Text("The XML is nested more than 100 deep; it was refused.")
_LEARNED = 32  # shapes of one document: each costs a thousand times what a record costs

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


class _Element(dict[str, "_Element"]):
    """A known element: its known children by name, its parent, the value a leaf gives, what its end completes."""

    __slots__ = ("name", "parent", "plain", "role", "value")

    def __init__(self, name: str, parent: _Element | None = None) -> None:
        super().__init__()
        self.name = name
        self.parent = self if parent is None else parent
        self.value: str | None = None
        self.plain: str | None = None  # the value of a leaf whose end completes nothing
        self.role: str | None = None  # feedback | report | policy | record | reason | dkim | spf

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
    top.at("feedback/policy_published").role = "policy"
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


class ReportReader:
    """Follows the open elements, and gives completed records and reports to whoever asked."""

    def __init__(self, record: Callable[[Record], None], report: Callable[[], None]) -> None:
        self.facts: dict[str, str] = {}
        self.pieces: list[str] = []
        self._on_record, self._on_report = record, report
        self._inside = _GRAMMAR
        self._record = Record()
        self._wrappers = 0
        self._lost = False
        self._ended = 0
        self._learned = 0
        self.handlers = self._handlers()
        self.repeated = Repeated(
            b"</record>", b"</policy_published>", lambda: self._ended, self._take, self._learn
        )

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
                self._record = Record()
                self._ended += 1
            case "policy":
                self._ended += 1
            case "feedback":
                self._on_report()
                self.facts.clear()

    def _take(self, octets: bytes) -> bool:
        """Take a record by its shape; asked only between two records."""
        record = _SHAPES.take(octets.decode())
        if record is None:
            return False
        self._on_record(record)
        return True

    def _learn(self, octets: bytes) -> None:
        if self._learned < _LEARNED:
            self._learned += 1
            _SHAPES.learn(octets.decode())

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


def _one_record(text: str) -> Record | None:
    """Read a record's XML without its end tag; None where that is not well formed."""
    found: list[Record] = []
    reader = ReportReader(found.append, lambda: None)
    parser = parser_of(reader.handlers)
    try:
        parser.Parse(f"<feedback>{text}</record></feedback>", True)
    except (expat.ExpatError, Refused):
        return None
    return found[0] if len(found) == 1 else None


# Shared by all reports, for reporters repeat themselves; what is taken by a shape is what the parser would give.
_SHAPES = Shapes(_one_record)
