"""CLIXML, what Export-Clixml writes: objects as plain values; no type is instantiated and no entity resolved."""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.parsers import expat

from portero.core.evidence import Gap, Origin
from portero.core.text import Text
from portero.sources.document import Document
from portero.sources.text import utf8_blocks

NAMESPACE = "http://schemas.microsoft.com/powershell/2004/04"
_NESTING = 100
_TEXT = 1 << 20
_WORDS = frozenset({"S", "SS", "DT", "TS", "URI", "G", "Version", "XD", "SBK", "C"})
_NUMBERS = frozenset({"I16", "I32", "I64", "U16", "U32", "U64", "By", "SB"})
_LISTS = frozenset({"LST", "IE", "STK", "QUE"})
_ESCAPE = re.compile(r"_x([0-9A-Fa-f]{4})_")


class _Node:
    """An element while it is read: its place, its text, and what its children gave."""

    __slots__ = ("items", "name", "properties", "reference", "shown", "tag", "text")

    def __init__(self, tag: str, name: str | None, reference: str | None) -> None:
        self.tag, self.name, self.reference = tag, name, reference
        self.text = ""
        self.shown: str | None = None  # ToString
        self.properties: dict[str, object] = {}
        self.items: list[object] | None = None


class _RefusedError(Exception):
    """The document is not read on purpose."""


class _Parser:
    def __init__(self) -> None:
        self.objects: list[object] = []
        self._stack: list[_Node] = [_Node("Objs", None, None)]
        self._known: dict[str, object] = {}
        self.expat = expat.ParserCreate("utf-8")
        self.expat.buffer_text = True
        self.expat.StartElementHandler = self._start
        self.expat.EndElementHandler = self._end
        self.expat.CharacterDataHandler = self._text
        self.expat.StartDoctypeDeclHandler = self._refuse
        self.expat.EntityDeclHandler = self._refuse

    def _refuse(self, *_: object) -> None:
        raise _RefusedError

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        if len(self._stack) > _NESTING:
            raise _RefusedError
        name = attributes.get("N")
        self._stack.append(_Node(tag, unescaped(name) if name else None, attributes.get("RefId")))

    def _text(self, text: str) -> None:
        node = self._stack[-1]
        if len(node.text) < _TEXT:
            node.text += text

    def _end(self, tag: str) -> None:
        node = self._stack.pop()
        parent = self._stack[-1]
        if tag in {"Props", "MS", "DCT", "En"}:
            parent.properties.update(node.properties)
        elif tag in _LISTS:
            parent.items = node.items or []
        elif tag == "ToString":
            parent.shown = unescaped(node.text)
        elif tag not in {"TN", "T", "TNRef", "Objs"}:
            self._give(parent, node.name, self._value(node))

    def _give(self, parent: _Node, name: str | None, value: object) -> None:
        if parent.tag == "Objs":
            self.objects.append(value)
        elif parent.tag in _LISTS:
            parent.items = parent.items or []
            parent.items.append(value)
        elif name is not None:
            parent.properties[name] = value
        # The number beside what an enumeration shows itself as says nothing more.

    def _value(self, node: _Node) -> object:
        text = node.text
        if node.tag in _WORDS:
            return unescaped(text)
        if node.tag == "B":
            return text.strip().lower() == "true"
        if node.tag in _NUMBERS:
            return int(text) if re.fullmatch(r"\s*-?\d{1,20}\s*", text) else text
        if node.tag == "Ref":
            return self._known.get(node.reference or "")
        if node.tag != "Obj":
            return None if node.tag == "Nil" else unescaped(text)
        value: object
        if node.items is not None:
            value = node.items
        elif len(self._stack) > 2 and node.shown is not None:
            # A nested object, for example a domain or an enumeration, is what it shows itself as.
            value = node.shown
        else:
            value = node.properties
        if node.reference is not None:
            self._known[node.reference] = value
        return value


def unescaped(text: str) -> str:
    """Undo CLIXML's ``_x000A_`` escapes. Source: MS-PSRP section 2.2.5.3.2."""
    return _ESCAPE.sub(lambda found: chr(int(found[1], 16)), text) if "_x" in text else text


def clixml_objects(document: Document) -> Iterator[dict[str, object] | Gap]:
    """Give the objects of a document, each as its properties; damage and refusal are Gaps."""
    parser = _Parser()
    origin = Origin(document.name)
    try:
        for block in utf8_blocks(document.open(), document.head.encoding):
            parser.expat.Parse(block, False)
            yield from _taken(parser)
        parser.expat.Parse(b"", True)
    except _RefusedError:
        yield Gap(origin, Text("The XML declares a document type or nests too deep; it was refused."))
    except expat.ExpatError as error:
        reason = Text("The XML is damaged or cut off at line {line}. Export it again.", line=error.lineno)
        yield Gap(origin, reason)
    yield from _taken(parser)


def _taken(parser: _Parser) -> Iterator[dict[str, object]]:
    for value in parser.objects:
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, dict):
                yield item
    parser.objects.clear()
