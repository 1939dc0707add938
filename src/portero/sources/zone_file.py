"""DNS zone files (RFC 1035 section 5) as answers; nothing is included or generated, and a bad entry is named."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator

import dns.exception
import dns.name
import dns.rdataclass
import dns.rdatatype
import dns.tokenizer
import dns.zonefile

from portero.core.address import a_label, is_at_or_below
from portero.core.dns import DnsAnswer, DnsStatus, DnsZone
from portero.core.evidence import Gap, Origin
from portero.core.text import Text, count
from portero.sources.dns_text import presented
from portero.sources.document import Document, Head, Item, Note, Source
from portero.sources.text import utf8_blocks

_OCTETS = 16 << 20
_GAPS = 20
_SOA = re.compile(r"^([^\s;]*)[ \t]+(?:(?:\d\w*|IN)[ \t]+){0,2}SOA[ \t]+\S+", re.IGNORECASE | re.MULTILINE)
_DIRECTIVE = re.compile(r"^\$(?:ORIGIN|TTL)[ \t]+[^\s;]+", re.IGNORECASE | re.MULTILINE)
_ANSWERS = re.compile(r"^;; ->>HEADER<<-|^;; ANSWER SECTION:", re.MULTILINE)
_SIGNS = re.compile(r'"(?:[^"\\\n]|\\.)*"|;[^\n]*|\\.|[()\n]')
_UNREADABLE = (dns.exception.DNSException, ValueError, OverflowError, struct.error)


def recognise(head: Head) -> bool:
    """Tell by a SOA record, or by a directive of zone files; dig's answers are another source's."""
    if head.keys or head.text.lstrip()[:1] in ("<", "{", "[") or _ANSWERS.search(head.text):
        return False
    return bool(_SOA.search(head.text) or _DIRECTIVE.search(head.text))


def read(document: Document) -> Iterator[Item]:
    """
    Give an answer a record set, and a zone for each SOA of a file that could be read whole.

    A zone says that names without records do not exist, so none is given where an entry is missing.
    """
    content = b""
    for block in utf8_blocks(document.open(), document.head.encoding):
        content += block
        if len(content) > _OCTETS:
            yield Gap(Origin(document.name), Text("The zone file is larger than 16 MiB and was not read."))
            return
    zone = _Zone(document.name)
    for line, entry in _entries(content.decode("utf-8", "replace").replace("\r\n", "\n")):
        if entry.strip() and not entry.lstrip().startswith(";"):
            zone.take(line, entry)
    yield from zone.items()


def _entries(text: str) -> Iterator[tuple[int, str]]:
    """Give each entry with its first line: one line, or as many as its parentheses span."""
    line, first, start, depth = 1, 1, 0, 0
    for found in _SIGNS.finditer(text + "\n"):
        match found[0]:
            case "(":
                depth += 1
            case ")":
                depth = max(depth - 1, 0)
            case "\n":
                line += 1
                if not depth:
                    yield first, text[start : found.start()]
                    first, start = line, found.end()
            case other:
                line += other.count("\n")
    if start < len(text):
        yield first, text[start:]


class _Zone:
    """What a zone file has said so far: the origin, the last owner, and the record sets."""

    def __init__(self, document: str) -> None:
        self._document = document
        self._origin: dns.name.Name | None = None
        self._owner: dns.name.Name | None = None
        self._held: dict[tuple[str, str], list[str]] = {}
        self._lines: dict[tuple[str, str], int] = {}
        self._apexes: dict[str, int] = {}
        self._gaps: list[Gap] = []
        self._bad = 0

    def take(self, line: int, entry: str) -> None:
        """Read one entry; what cannot be read is kept as a gap."""
        try:
            if entry.startswith("$"):
                self._direct(line, entry)
            elif start := _SOA.match(entry):
                self._begin(line, start[1])
            else:
                self._record(line, entry)
        except _UNREADABLE as error:
            detail = re.sub(r"^zone:\d+: ", "", str(error)) or type(error).__name__
            reason = Text("The entry cannot be read ({detail}). Mend it or take it out.", detail=detail[:120])
            self._refuse(line, reason)

    def _direct(self, line: int, entry: str) -> None:
        words = entry.split()
        match words[0].upper():
            case "$ORIGIN" if len(words) > 1:
                self._origin = dns.name.from_text(words[1], self._origin or dns.name.root)
            case "$TTL":
                # Nobody asks for the lifetime.
                pass
            case directive:
                template = (
                    "{directive} was not followed. Hand over the zone as the server holds it (dig AXFR)."
                )
                self._refuse(line, Text(template, directive=directive[:40]))

    def _begin(self, line: int, owner: str) -> None:
        """Begin a zone at a SOA; its absolute owner is the origin where no directive gave one."""
        if owner.endswith("."):
            self._owner = dns.name.from_text(owner)
            self._origin = self._origin or self._owner
        elif owner:
            self._owner = self._absolute(dns.name.empty if owner == "@" else dns.name.from_text(owner, None))
        if self._owner is None:
            raise ValueError("no owner")
        self._apexes.setdefault(a_label(self._owner.to_text()), line)

    def _absolute(self, name: dns.name.Name) -> dns.name.Name:
        if self._origin is None:
            raise ValueError("relative to an unknown domain: put $ORIGIN with the domain on top")
        return name.derelativize(self._origin)

    def _record(self, line: int, entry: str) -> None:
        if entry[0].isspace():
            if self._owner is None:
                raise ValueError("no owner")
        else:
            token = dns.tokenizer.Tokenizer(entry).get_name()
            self._owner = None  # until this one is known, or what follows would go to the wrong owner
            self._owner = token if token.is_absolute() else self._absolute(token)
            entry = entry[len(entry.split()[0]) :]
        entry = f"{self._owner.to_text()} {entry}"
        manager = dns.zonefile.RRSetsReaderManager(dns.name.root, False, dns.rdataclass.IN)
        with manager.writer(True) as transaction:  # type: ignore[no-untyped-call]  # the library leaves it untyped
            reader = dns.zonefile.Reader(
                dns.tokenizer.Tokenizer(entry, "zone"),
                dns.rdataclass.IN,
                transaction,
                allow_directives=False,
                default_ttl=3600,
            )
            # Names in the data are relative to the origin too; without one they stay what they say.
            reader.current_origin = self._origin or dns.name.root
            reader.read()
        for found in manager.rrsets:
            key = (a_label(found.name.to_text()), dns.rdatatype.to_text(found.rdtype))
            self._lines.setdefault(key, line)
            data = self._held.setdefault(key, [])
            data.extend(text for item in found if (text := presented(key[1], item.to_text())) not in data)

    def _refuse(self, line: int, reason: Text) -> None:
        self._bad += 1
        if self._bad <= _GAPS:
            self._gaps.append(Gap(Origin(self._document, line), reason))

    def items(self) -> Iterator[Item]:
        """Give the gaps, the answers, and the zones."""
        yield from self._gaps
        if self._bad > _GAPS:
            more = self._bad - _GAPS
            one, many = "{n} more entry cannot be read.", "{n} more entries cannot be read."
            yield Gap(Origin(self._document), count(one, many, more), more)
        for (name, type_), data in self._held.items():
            origin = Origin(self._document, self._lines[name, type_])
            yield DnsAnswer(name, type_, DnsStatus.NOERROR, tuple(data), origin)
        if not self._apexes:
            yield Note(Text("The file has no SOA record, so names that are not in it stay unknown."))
        elif self._bad:
            yield Note(Text("Entries are missing, so names that are not in the file stay unknown."))
        else:
            yield from self._zones()

    def _zones(self) -> Iterator[DnsZone]:
        cuts = {name for name, type_ in self._held if type_ == "NS"}
        for apex, line in self._apexes.items():
            below = frozenset(cut for cut in cuts if cut != apex and is_at_or_below(cut, apex))
            yield DnsZone(apex, below, Origin(self._document, line))


SOURCE = Source("zone-file", Text("DNS zone file"), recognise, read)
