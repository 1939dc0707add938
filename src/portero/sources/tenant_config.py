"""Exported tenant configuration: the answers of Exchange Online cmdlets as JSON, CLIXML or CSV, told by content."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator

from portero.core.evidence import ConfigAnswer, ConfigObject, Gap, Origin
from portero.core.text import Text, count
from portero.sources.clixml import NAMESPACE, clixml_objects
from portero.sources.cmdlets import cmdlet_by_properties, cmdlet_named, cmdlet_of, names_a_cmdlet
from portero.sources.config_values import cleaned, objects_in
from portero.sources.document import Document, Head, Item, Source
from portero.sources.json_text import json_values
from portero.sources.text import utf8_blocks

_SHOWN = 5
_NESTING = 4
_CSV_OCTETS = 32 << 20
_EMPTY = re.compile(r"^\s*(?:\[\s*(?:null)?\s*\]|\{\s*\}|null)\s*$")
_ON_PREMISES = "CN=Microsoft Exchange,CN=Services,"
# The one cmdlet of a server whose answer is wanted: whom a relay of ours trusts.
_RELAY = "Get-ReceiveConnector"


def recognise(head: Head) -> bool:
    """Tell by the properties of some cmdlet's objects, a cmdlet's name as a key, or an answer that is empty."""
    if head.columns:
        return cmdlet_by_properties(set(head.columns)) is not None
    if head.text.lstrip().startswith("<"):
        return "<Objs" in head.text[:1024] and NAMESPACE in head.text[:2048]
    if {"baseline_version", "module_version"} <= head.keys:
        return False  # ScubaGear's
    if cmdlet_by_properties(head.keys) is not None or names_a_cmdlet(head.keys):
        return True
    return bool(_EMPTY.match(head.text)) or ("value" in head.keys and bool(head.keys & _WRAPPER))


_WRAPPER = {"@adminapi.warnings", "@odata.context", "Count"}


def read(document: Document) -> Iterator[Item]:
    """
    Give each object with its cmdlet, and then one answer a cmdlet, which says that it was asked.

    An object of no known cmdlet, a lost property and a cut answer are Gaps.
    """
    answers = _Answers(document)
    if document.head.columns:
        objects = _csv_objects(document)
    elif document.head.text.lstrip().startswith("<"):
        objects = clixml_objects(document)
    else:
        objects = iter(())
        for value in json_values(document):
            if isinstance(value, Gap):
                yield value
                answers.cut = True
            else:
                answers.take(value[1])
    for found in objects:
        if isinstance(found, Gap):
            yield found
            answers.cut = True
        else:
            answers.add(found, None)
    yield from answers.items()


def _csv_objects(document: Document) -> Iterator[dict[str, object] | Gap]:
    """Give the rows of an Export-Csv file as objects; its cells are texts, and lists in it are lost or joined."""
    content = b""
    for block in utf8_blocks(document.open(), document.head.encoding):
        content += block
        if len(content) > _CSV_OCTETS:
            yield Gap(Origin(document.name), Text("The file is larger than 32 MiB; only its start was read."))
            break
    text = content.decode("utf-8", "replace").replace("\0", "")
    while text.startswith("#TYPE"):
        text = text.partition("\n")[2]
    rows = csv.DictReader(io.StringIO(text), delimiter=document.head.delimiter, restkey="@rest")
    try:
        for row in rows:
            yield {name: value for name, value in row.items() if name and value is not None}
    except csv.Error:
        reason = Text("The table cannot be read from line {line} on. Export it as JSON.", line=rows.line_num)
        yield Gap(Origin(document.name, rows.line_num), reason)


class _Answers:
    """The answers of one document while they are read."""

    def __init__(self, document: Document) -> None:
        self.cut = False
        self._document = document
        self._held: list[tuple[Origin, str | None, dict[str, object]]] = []
        self._asked: dict[str, None] = {}
        self._lost: Counter[tuple[str, str]] = Counter()
        self._warnings: list[str] = []
        self._empty = 0

    def take(self, value: object, cmdlet: str | None = None, depth: int = 0) -> None:
        """Take a value of JSON: an answer, several answers by cmdlet, or an object."""
        if isinstance(value, dict) and value and cmdlet_of(value) is None and depth < _NESTING:
            if isinstance(value.get("value"), list):
                self._wrapped(value, cmdlet, depth)
                return
            inner = {key: member for key, member in value.items() if isinstance(member, dict | list | None)}
            if len(inner) == len(value) and (any(map(cmdlet_named, value)) or all(inner.values())):
                for key, member in inner.items():
                    self.take(member, cmdlet_named(key) or cmdlet, depth + 1)
                return
        found = [item for item in objects_in(value) if item]
        for item in found:
            if isinstance(item.get("value"), list) and cmdlet_of(item) is None and depth < _NESTING:
                self._wrapped(item, cmdlet, depth)
            else:
                self.add(item, cmdlet)
        if not found:
            self._nothing(cmdlet)

    def _wrapped(self, value: dict[str, object], cmdlet: str | None, depth: int) -> None:
        """Open an answer of the REST interface, or a list as Windows PowerShell writes it."""
        warnings = value.get("@adminapi.warnings")
        if isinstance(warnings, list):
            self._warnings += [str(warning)[:300] for warning in warnings if warning]
        if value.get("@odata.nextLink"):
            self._warnings.append("@odata.nextLink")
        self.take(value["value"], cmdlet, depth + 1)

    def _nothing(self, cmdlet: str | None) -> None:
        if cmdlet is None:
            # An empty answer has no content to go by, so here alone the document's name counts, if it is the cmdlet's.
            stem = re.split(r"[/\\!]", self._document.name)[-1].partition(".")[0]
            cmdlet = cmdlet_named(stem)
        if cmdlet is None:
            self._empty += 1
        else:
            self._asked[cmdlet] = None

    def add(self, item: dict[str, object], cmdlet: str | None, line: int | None = None) -> None:
        """Take one object; its own content says more about its cmdlet than the key it stands under."""
        properties, lost = cleaned(item)
        found = cmdlet_of(properties | dict.fromkeys(lost)) or cmdlet
        if found:
            self._asked[found] = None
            self._lost.update((found, name) for name in lost)
        self._held.append((Origin(self._document.name, line or len(self._held) + 1), found, properties))

    def items(self) -> Iterator[Item]:
        """Give objects, gaps and answers."""
        name = self._document.name
        # An answer is of one cmdlet: an object with few properties is what its only neighbours are.
        single = next(iter(self._asked)) if len(self._asked) == 1 else None
        unknown: list[tuple[Origin, dict[str, object]]] = []
        foreign = 0
        for origin, found, properties in self._held:
            cmdlet = found or (single if "Identity" in properties else None)
            if cmdlet is None:
                unknown.append((origin, properties))
            elif cmdlet != _RELAY and _ON_PREMISES in str(properties.get("DistinguishedName") or ""):
                foreign += 1
                self._asked.pop(cmdlet, None)
            else:
                yield ConfigObject(cmdlet, properties, origin)
        yield from self._gaps(unknown, foreign)
        complete = not self._warnings and not self.cut
        for cmdlet in self._asked:
            yield ConfigAnswer(cmdlet, Origin(name), complete)

    def _gaps(self, unknown: list[tuple[Origin, dict[str, object]]], foreign: int) -> Iterator[Gap]:
        origin = Origin(self._document.name)
        if unknown:
            one = "{n} object is of no cmdlet that is known; it has {names}. Export whole objects, without Select."
            many = "{n} objects are of no cmdlet that is known; they have {names}. Export whole objects, without Select."
            names = tuple(name[:60] for name in list(unknown[0][1])[:_SHOWN])
            yield Gap(unknown[0][0], count(one, many, len(unknown), names=names), len(unknown))
        if foreign:
            one = "{n} object is of an Exchange server, not of Exchange Online, and was not used."
            many = "{n} objects are of an Exchange server, not of Exchange Online, and were not used."
            yield Gap(origin, count(one, many, foreign), foreign)
        for (cmdlet, name), times in self._lost.items():
            reason = Text(
                "{cmdlet}: the data of {property} was lost in the export. Export with ConvertTo-Json -Depth 6.",
                cmdlet=cmdlet,
                property=name[:60],
            )
            yield Gap(origin, reason, times)
        for warning in self._warnings:
            reason = Text(
                "The answer is marked as incomplete: {warning}. Ask again for all results.", warning=warning
            )
            yield Gap(origin, reason)
        if self._empty:
            reason = Text(
                "An empty answer does not say which cmdlet was asked. "
                "Name the file after the cmdlet, for example Get-InboundConnector.json."
            )
            yield Gap(origin, reason, self._empty)


SOURCE = Source("tenant-config", Text("Exchange Online configuration"), recognise, read)
